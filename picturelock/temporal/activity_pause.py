"""Holds an execution's scheduled work back and lets it go again: Temporal's activity pause, by raw gRPC.

What runs is left alone. The SDK offers no method for activities of a workflow, only the service does.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import PauseActivityRequest, UnpauseActivityRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from picturelock.temporal.decoding import heartbeat_of
from picturelock.temporal.errors import UNSUPPORTED
from picturelock.temporal.names import CONTROL_ACTIVITIES

_SCHEDULED: Final = PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
_STARTED: Final = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
_PAUSED: Final = PendingActivityState.PENDING_ACTIVITY_STATE_PAUSED
_RPC_TIMEOUT: Final = timedelta(seconds=3)
_REASON: Final = "the job is paused"


@dataclass(frozen=True, slots=True)
class Hold:
    """What came of one look: whether nothing runs or waits any more, and what this server does not hold back."""

    quiet: bool
    unheld: list[str]


async def hold(client: Client, job_id: str, run_id: str, holder: tuple[str, int]) -> Hold:
    """Pauses every activity that is scheduled and not yet running.

    `holder` is the activity (id and attempt) that holds. One that is no longer wanted, and does not know it yet, holds
    nothing back: nobody would let it go again.
    """
    pending = await _pending(client, job_id, run_id)
    if not any((one.activity_id, one.attempt) == holder and one.state == _STARTED for one in pending):
        return Hold(quiet=True, unheld=[])
    quiet, unheld = True, []
    for activity in _work(pending):
        if activity.state == _SCHEDULED and not activity.paused:
            quiet = False  # it may have begun to run meanwhile: the next look tells
            request = PauseActivityRequest(
                namespace=client.namespace,
                execution=WorkflowExecution(workflow_id=job_id, run_id=run_id),
                id=activity.activity_id,
                reason=_REASON,
            )
            try:
                await _gone_is_fine(client.workflow_service.pause_activity(request, timeout=_RPC_TIMEOUT))
            except RPCError as error:
                if error.status not in UNSUPPORTED:
                    raise
                unheld.append(activity.activity_id)
        elif activity.state != _PAUSED:
            quiet = False
    return Hold(quiet, unheld)


async def release(client: Client, job_id: str, run_id: str) -> None:
    """Lets every held activity go."""
    for activity in _work(await _pending(client, job_id, run_id)):
        if activity.paused:
            await _gone_is_fine(
                client.workflow_service.unpause_activity(
                    UnpauseActivityRequest(
                        namespace=client.namespace,
                        execution=WorkflowExecution(workflow_id=job_id, run_id=run_id),
                        id=activity.activity_id,
                    ),
                    timeout=_RPC_TIMEOUT,
                )
            )


async def fractions(client: Client, job_id: str, run_id: str) -> dict[str, float]:
    """How far each running activity has told that it is."""
    found = {}
    for activity in _work(await _pending(client, job_id, run_id)):
        heartbeat = await heartbeat_of(client.data_converter, activity)
        if heartbeat is not None and heartbeat.fraction > 0:
            found[activity.activity_id] = heartbeat.fraction
    return found


async def _pending(client: Client, job_id: str, run_id: str) -> list[PendingActivityInfo]:
    described = await client.get_workflow_handle(job_id, run_id=run_id).describe(rpc_timeout=_RPC_TIMEOUT)
    return list(described.raw_description.pending_activities)


def _work(pending: list[PendingActivityInfo]) -> list[PendingActivityInfo]:
    return [one for one in pending if one.activity_type.name not in CONTROL_ACTIVITIES]


async def _gone_is_fine(call: object) -> None:
    """Awaits a call about an activity that may have ended in the meantime."""
    try:
        await call  # type: ignore[misc]
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
