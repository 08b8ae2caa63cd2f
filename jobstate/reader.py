"""The one place that reads a job's state: describe first, then the query, with the memo as the fallback."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any, Final

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from jobstate.errors import JobNotFound, StateRefused, StateUnavailable
from jobstate.names import EXPORT_WORKFLOW, JOB_MEMO, SNAPSHOT_MEMO, STATUS_QUERY
from jobstate.workers import WorkerRoll
from picturelock.models import (
    ExportInput,
    ExportResult,
    Heartbeat,
    JobError,
    JobMemo,
    JobStatus,
    Observation,
    PendingActivity,
    RunStatus,
    Snapshot,
)
from picturelock.stages import EXPORTS_QUEUE
from picturelock.status import assemble

DESCRIBE_SECONDS: Final = 3.0
QUERY_SECONDS: Final = 1.0
_KEPT: Final = 512

_RUN_STATUS: Final[dict[WorkflowExecutionStatus, RunStatus]] = {
    WorkflowExecutionStatus.RUNNING: "open",
    WorkflowExecutionStatus.COMPLETED: "completed",
    WorkflowExecutionStatus.FAILED: "failed",
    WorkflowExecutionStatus.CANCELED: "cancelled",
    WorkflowExecutionStatus.TERMINATED: "terminated",
    WorkflowExecutionStatus.TIMED_OUT: "timed-out",
    WorkflowExecutionStatus.CONTINUED_AS_NEW: "open",
}


class JobReader:
    """Reads jobs through one client. What it keeps is immutable: answers for a given run and history length."""

    def __init__(self, client: Client, temporal_ui: str | None = None) -> None:
        self.client = client
        self.workers = WorkerRoll(client)
        self._temporal_ui = temporal_ui.rstrip("/") if temporal_ui else None
        self._snapshots: OrderedDict[tuple[str, int], Snapshot] = OrderedDict()

    async def status(self, job_id: str) -> JobStatus:
        """The status of a job, now.

        Raises:
            JobNotFound: no export of this id.
            StateUnavailable: Temporal does not answer.
        """
        return assemble(await self.observe(job_id))

    async def observe(self, job_id: str) -> Observation:
        """Everything Temporal says of a job. Raises like `status`."""
        for last_look in (False, True):
            seen = await self._look(job_id, trust_query=not last_look)
            # A query is newer than describe: one that tells of the end means that describe must be asked again.
            if seen.run_status != "open" or seen.snapshot is None or not _ended(seen.snapshot):
                break
        return seen

    async def started_with(self, job_id: str) -> tuple[ExportInput, JobMemo]:
        """What the newest run of a job was started with. Raises like `status`."""
        handle = self.client.get_workflow_handle(job_id)
        async with translated(DESCRIBE_SECONDS):
            described = await handle.describe()
            memo = await _job_memo(described)
            first = await anext(handle.fetch_history_events(page_size=1))
        payloads = list(first.workflow_execution_started_event_attributes.input.payloads)
        [started] = await described.data_converter.decode(payloads, [ExportInput])
        return started, memo

    async def _look(self, job_id: str, *, trust_query: bool) -> Observation:
        handle = self.client.get_workflow_handle(job_id)
        async with translated(DESCRIBE_SECONDS):
            described = await handle.describe()
        memo = await _job_memo(described)
        live = await self._live_queues()
        closed = described.status is not WorkflowExecutionStatus.RUNNING
        ask = trust_query and not closed and EXPORTS_QUEUE in live
        snapshot, from_memo = await self._snapshot(handle, described, query=ask)
        result, error = await self._outcome(described) if closed else (None, None)
        raw = described.raw_description
        return Observation(
            job_id=job_id,
            now=datetime.now(UTC),
            run_status=_RUN_STATUS[described.status or WorkflowExecutionStatus.RUNNING],
            created_at=memo.created_at,
            started_at=described.start_time,
            closed_at=described.close_time,
            correlation_id=memo.correlation_id,
            metadata=memo.metadata,
            attempt=memo.attempt,
            snapshot=snapshot,
            snapshot_is_memo=from_memo,
            pending=[await self._pending(described, info) for info in raw.pending_activities] if not closed else [],
            history_length=described.history_length,
            cancel_requested=raw.workflow_extended_info.cancel_requested,
            workflow_task_attempt=raw.pending_workflow_task.attempt if raw.HasField("pending_workflow_task") else 1,
            live_queues=live,
            result=result,
            error=error,
            temporal_ui=self._ui_link(described),
        )

    def _ui_link(self, described: WorkflowExecutionDescription) -> str | None:
        if self._temporal_ui is None:
            return None
        namespace = f"{self._temporal_ui}/namespaces/{self.client.namespace}"
        return f"{namespace}/workflows/{described.id}/{described.run_id}/history"

    async def _live_queues(self) -> list[str]:
        async with translated(DESCRIBE_SECONDS):
            return await self.workers.live_queues()

    async def _snapshot(
        self, handle: WorkflowHandle[Any, Any], described: WorkflowExecutionDescription, *, query: bool
    ) -> tuple[Snapshot | None, bool]:
        """The workflow's record, and whether it came from the memo. Asked only when the history has grown."""
        memo: Snapshot | None = await described.memo_value(SNAPSHOT_MEMO, None, type_hint=Snapshot)
        if not query:
            return memo, True
        key = (described.run_id, described.history_length)
        if key in self._snapshots:
            return self._snapshots[key], False
        try:
            async with asyncio.timeout(QUERY_SECONDS):
                answer: Snapshot = await handle.query(STATUS_QUERY, result_type=Snapshot)
        except (RPCError, WorkflowQueryFailedError, WorkflowQueryRejectedError, TimeoutError):
            return memo, True
        if _ended(answer):
            return answer, False
        self._snapshots[key] = answer
        while len(self._snapshots) > _KEPT:
            self._snapshots.popitem(last=False)
        return answer, False

    async def _outcome(self, described: WorkflowExecutionDescription) -> tuple[ExportResult | None, JobError | None]:
        """How a closed execution ended, from its close event."""
        handle = self.client.get_workflow_handle(described.id, run_id=described.run_id, result_type=ExportResult)
        try:
            async with translated(DESCRIBE_SECONDS):
                return await handle.result(follow_runs=False), None
        except WorkflowFailureError as failure:
            return None, _told(failure.cause)

    async def _pending(self, described: WorkflowExecutionDescription, info: PendingActivityInfo) -> PendingActivity:
        heartbeat = None
        if info.heartbeat_details.payloads:
            with suppress(ValueError, RuntimeError):
                decoded = await described.data_converter.decode(list(info.heartbeat_details.payloads), [Heartbeat])
                heartbeat = decoded[0]
        failure = None
        if info.HasField("last_failure"):
            error = await described.data_converter.decode_failure(info.last_failure)
            failure = _told(error) or _nameless(str(error), info.attempt)
        return PendingActivity(
            id=info.activity_id,
            attempt=max(1, info.attempt),
            started=info.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED,
            heartbeat=heartbeat,
            heartbeat_at=_time(info.last_heartbeat_time) if info.HasField("last_heartbeat_time") else None,
            scheduled_at=_time(info.scheduled_time) if info.HasField("scheduled_time") else None,
            next_attempt_at=_time(info.next_attempt_schedule_time)
            if info.HasField("next_attempt_schedule_time")
            else None,
            last_failure=failure,
        )


async def _job_memo(described: WorkflowExecutionDescription) -> JobMemo:
    """What the job was started with. An execution that was not started by us is no job."""
    if described.workflow_type != EXPORT_WORKFLOW:
        raise JobNotFound(described.id)
    try:
        return JobMemo.model_validate(await described.memo_value(JOB_MEMO, type_hint=JobMemo))
    except (KeyError, ValueError, RuntimeError) as error:
        raise JobNotFound(described.id) from error


def _ended(snapshot: Snapshot) -> bool:
    """Whether the workflow's record tells of its end."""
    return snapshot.stage == "complete" or any(step.state in {"failed", "cancelled"} for step in snapshot.steps)


def _told(error: BaseException | None) -> JobError | None:
    """The error of ours inside a failure, if there is one."""
    if not isinstance(error, ApplicationError) or not error.details:
        return None
    try:
        return JobError.model_validate(error.details[0])
    except ValueError:
        return None


def _nameless(message: str, attempt: int) -> JobError:
    """A failure that is not one of ours: the worker stopped, or was not heard of any more."""
    return JobError(
        code="WORKER_LOST",
        message=message,
        remediation="Nothing to do: the work goes on elsewhere.",
        retryable=True,
        attempt=max(1, attempt - 1),
    )


def _time(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(tzinfo=UTC)


@asynccontextmanager
async def translated(seconds: float) -> AsyncIterator[None]:
    """A time limit around calls to Temporal, and its errors in our words."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise StateUnavailable("Temporal did not answer in time") from error
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise JobNotFound(error.message) from error
        # A page token that is none of its own makes the server answer UNKNOWN or INVALID_ARGUMENT.
        if error.status in {RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.UNKNOWN}:
            raise StateRefused(error.message) from error
        raise StateUnavailable(f"Temporal does not answer: {error.status.name}") from error
    except RuntimeError as error:
        # A lazy client that could not connect raises a bare RuntimeError.
        raise StateUnavailable("Temporal cannot be reached") from error
