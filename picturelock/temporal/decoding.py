"""What Temporal answers, decoded into the models of the domain."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.client import WorkflowExecution, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.converter import DataConverter

from picturelock.models import Heartbeat, JobError, JobMemo, JobWarning, PendingActivity, RunStatus, Snapshot
from picturelock.temporal.contracts import activity_named
from picturelock.temporal.errors import JobNotFound
from picturelock.temporal.failure_codec import details_of
from picturelock.temporal.names import EXPORT_WORKFLOW, JOB_MEMO, SNAPSHOT_MEMO, WARNINGS_MEMO

RUN_STATUS: Final[dict[WorkflowExecutionStatus, RunStatus]] = {
    WorkflowExecutionStatus.RUNNING: "open",
    WorkflowExecutionStatus.COMPLETED: "completed",
    WorkflowExecutionStatus.FAILED: "failed",
    WorkflowExecutionStatus.CANCELED: "cancelled",
    WorkflowExecutionStatus.TERMINATED: "terminated",
    WorkflowExecutionStatus.TIMED_OUT: "timed-out",
    WorkflowExecutionStatus.CONTINUED_AS_NEW: "open",
}
_PAUSE_FAILURE: Final = "ActivityPause"


async def job_memo(described: WorkflowExecutionDescription) -> JobMemo:
    """What the job was started with. Raises JobNotFound for an execution that was not started by us."""
    if described.workflow_type != EXPORT_WORKFLOW:
        raise JobNotFound(described.id)
    try:
        return JobMemo.model_validate(await described.memo_value(JOB_MEMO, type_hint=JobMemo))
    except (KeyError, ValueError, RuntimeError) as error:
        raise JobNotFound(described.id) from error


async def job_memo_of(execution: WorkflowExecution) -> JobMemo | None:
    """What an execution from a list was started with; None for one that is none of ours."""
    with suppress(KeyError, ValueError, RuntimeError):
        return JobMemo.model_validate(await execution.memo_value(JOB_MEMO, type_hint=JobMemo))
    return None


async def kept_snapshot(described: WorkflowExecutionDescription) -> Snapshot | None:
    """The workflow's record as its memo keeps it, readable without any worker."""
    kept: Snapshot | None = await described.memo_value(SNAPSHOT_MEMO, None, type_hint=Snapshot)
    if kept is None or kept.warnings_total == 0:
        return kept
    warnings: list[JobWarning] = await described.memo_value(WARNINGS_MEMO, [], type_hint=list[JobWarning])
    return kept.model_copy(update={"warnings": warnings})


async def listed_snapshot(execution: WorkflowExecution) -> Snapshot | None:
    """The record in the memo of an execution from a list: without its warnings, and a moment old."""
    with suppress(KeyError, ValueError, RuntimeError):
        kept: Snapshot | None = await execution.memo_value(SNAPSHOT_MEMO, None, type_hint=Snapshot)
        return kept
    return None


async def pending_work(described: WorkflowExecutionDescription) -> list[PendingActivity]:
    """The unfinished activities of the stages; those that only steer the work are left out."""
    infos = described.raw_description.pending_activities
    return [await _pending(described.data_converter, info) for info in infos if is_work(info)]


def is_work(info: PendingActivityInfo) -> bool:
    """Whether an activity belongs to a stage. One of another version may: its type is not known here."""
    contract = activity_named(info.activity_type.name)
    return contract is None or contract.stage is not None


async def heartbeat_of(converter: DataConverter, info: PendingActivityInfo) -> Heartbeat | None:
    """What an activity last said of itself."""
    if info.heartbeat_details.payloads:
        with suppress(ValueError, RuntimeError):
            decoded = await converter.decode(list(info.heartbeat_details.payloads), [Heartbeat])
            return Heartbeat.model_validate(decoded[0])
    return None


async def _pending(converter: DataConverter, info: PendingActivityInfo) -> PendingActivity:
    failure = None
    if info.HasField("last_failure") and info.last_failure.application_failure_info.type != _PAUSE_FAILURE:
        error = await converter.decode_failure(info.last_failure)
        failure = details_of(error).error or _worker_lost(str(error), info.attempt)
    contract = activity_named(info.activity_type.name)
    return PendingActivity(
        id=info.activity_id,
        stage=contract.stage if contract else None,
        queue=contract.queue if contract else info.activity_options.task_queue.name,
        attempt=max(1, info.attempt),
        started=info.state
        in {
            PendingActivityState.PENDING_ACTIVITY_STATE_STARTED,
            PendingActivityState.PENDING_ACTIVITY_STATE_PAUSE_REQUESTED,
        },
        paused=info.state == PendingActivityState.PENDING_ACTIVITY_STATE_PAUSED,
        heartbeat=await heartbeat_of(converter, info),
        started_at=time_of(info.last_started_time) if info.HasField("last_started_time") else None,
        heartbeat_at=time_of(info.last_heartbeat_time) if info.HasField("last_heartbeat_time") else None,
        scheduled_at=time_of(info.scheduled_time) if info.HasField("scheduled_time") else None,
        last_failure=failure,
    )


def time_of(stamp: Timestamp) -> datetime:
    """A protobuf time, in UTC."""
    return stamp.ToDatetime(tzinfo=UTC)


def _worker_lost(message: str, attempt: int) -> JobError:
    """A failure that is not one of ours: the worker stopped, or was not heard of any more."""
    return JobError(
        code="WORKER_LOST",
        message=message,
        remediation="Nothing to do: the work goes on elsewhere.",
        retryable=True,
        attempt=max(1, attempt - 1),
    )
