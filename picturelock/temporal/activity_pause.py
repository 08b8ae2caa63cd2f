"""Pauses an execution's scheduled activities and unpauses them: Temporal's activity pause, by raw gRPC.

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

from picturelock.temporal.decoding import heartbeat_of, is_work
from picturelock.temporal.errors import UNSUPPORTED

_SCHEDULED: Final = PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
_STARTED: Final = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
_PAUSED: Final = PendingActivityState.PENDING_ACTIVITY_STATE_PAUSED
_RPC_TIMEOUT: Final = timedelta(seconds=3)
_REASON: Final = "the job is paused"


@dataclass(frozen=True, slots=True)
class PauseResult:
    """What one pass found: whether nothing runs or waits any more, and which activities this server cannot pause."""

    quiet: bool
    not_paused: list[str]


async def pause(client: Client, job_id: str, run_id: str, pausing: tuple[str, int]) -> PauseResult:
    """Pauses every activity that is scheduled and not yet running.

    `pausing` is the activity (id and attempt) that calls. One that was cancelled and does not know it yet pauses
    nothing: nobody would unpause it again.
    """
    pending = await _pending(client, job_id, run_id)
    if not any(
        (activity.activity_id, activity.attempt) == pausing and activity.state == _STARTED for activity in pending
    ):
        return PauseResult(quiet=True, not_paused=[])
    quiet, not_paused = True, []
    for activity in _work(pending):
        # Only what waits is paused. Temporal would also pause what runs, by failing its attempt at the next heartbeat.
        if activity.state == _SCHEDULED and not activity.paused:
            quiet = False  # it may have begun to run meanwhile; the next pass will show
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
                not_paused.append(activity.activity_id)
        elif activity.state != _PAUSED:
            quiet = False
    return PauseResult(quiet, not_paused)


async def unpause(client: Client, job_id: str, run_id: str) -> None:
    """Unpauses every paused activity."""
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
    reached = {}
    for activity in _work(await _pending(client, job_id, run_id)):
        heartbeat = await heartbeat_of(client.data_converter, activity)
        if heartbeat is not None and heartbeat.fraction > 0:
            reached[activity.activity_id] = heartbeat.fraction
    return reached


async def _pending(client: Client, job_id: str, run_id: str) -> list[PendingActivityInfo]:
    described = await client.get_workflow_handle(job_id, run_id=run_id).describe(rpc_timeout=_RPC_TIMEOUT)
    return list(described.raw_description.pending_activities)


def _work(pending: list[PendingActivityInfo]) -> list[PendingActivityInfo]:
    return [activity for activity in pending if is_work(activity)]


async def _gone_is_fine(call: object) -> None:
    """Awaits a call about an activity that may have ended in the meantime."""
    try:
        await call  # type: ignore[misc]
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
