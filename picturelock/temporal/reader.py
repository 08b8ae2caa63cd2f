"""The one place that reads a job's state: describe first, then the query, with the memo as the fallback."""

import asyncio
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, cast

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryReverseRequest
from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
)
from temporalio.exceptions import TerminatedError
from temporalio.service import RPCError

from picturelock.errors import StoreUnavailable
from picturelock.jobs.archive import Archive
from picturelock.jobs.stages import EXPORTS_QUEUE
from picturelock.jobs.status import assemble
from picturelock.jobs.warnings import waits_for_a_slot
from picturelock.models import (
    ArchivedJob,
    DeliveryLog,
    ExportInput,
    ExportResult,
    JobError,
    JobMemo,
    JobStatus,
    Observation,
    Snapshot,
    TimelineEvent,
)
from picturelock.temporal.decoding import RUN_STATUS, job_memo, kept_snapshot, pending_work
from picturelock.temporal.errors import JobDeleted, JobNotFound, translated
from picturelock.temporal.failure_codec import details_of
from picturelock.temporal.names import (
    DELIVERIES_MEMO,
    PAUSE_SIGNAL,
    RESUME_SIGNAL,
    STATUS_QUERY,
    TIMELINE_QUERY,
    post_export_id,
)
from picturelock.temporal.queue_position import QueuePosition
from picturelock.temporal.worker_liveness import WorkerLiveness

DESCRIBE_SECONDS: Final = 3.0
QUERY_SECONDS: Final = 1.0
_UNANSWERED_SECONDS: Final = 5.0
_KEPT: Final = 512
_ATTEMPTS: Final = 10
"""Of how many attempts the deliveries are looked up."""

_UNSEEN_EVENTS: Final = 20
"""How far back signals are looked for that no orchestrator has taken note of."""


@dataclass(frozen=True)
class Outcome:
    """How an execution ended: with a film, with an error of ours, or for a reason that somebody or the server gave."""

    result: ExportResult | None = None
    error: JobError | None = None
    reason: str | None = None


class JobReader:
    """Reads jobs through one client. What it keeps is immutable: answers for a given run and history length."""

    def __init__(self, client: Client, temporal_ui: str | None = None, archive: Archive | None = None) -> None:
        self.client = client
        self.workers = WorkerLiveness(client)
        self._queue_position = QueuePosition(client)
        self._archive = archive
        self._temporal_ui = temporal_ui.rstrip("/") if temporal_ui else None
        self._snapshots: OrderedDict[tuple[str, int], Snapshot] = OrderedDict()
        self._unanswered: OrderedDict[tuple[str, int], float] = OrderedDict()
        self._signals: OrderedDict[tuple[str, int], bool | None] = OrderedDict()

    async def status(self, job_id: str) -> JobStatus:
        """The status of a job, now.

        Raises:
            JobNotFound: no export of this id, neither in Temporal nor in the archive.
            StateUnavailable: Temporal does not answer.
            StoreUnavailable: Temporal does not know the job and the archive does not answer.
        """
        return assemble(await self.observe(job_id))

    async def observe(
        self, job_id: str, run_id: str | None = None, owner: str | None = None, *, even_deleted: bool = False
    ) -> Observation:
        """Everything Temporal says of a job's newest run, or of a given one; of an old job, what was archived.

        A job of somebody else than `owner` is looked for like one that is not there. Raises like `status`.
        """
        for last_look in (False, True):
            try:
                observation = await self._look(
                    job_id, run_id, owner, trust_query=not last_look, even_deleted=even_deleted
                )
            except JobDeleted:
                raise
            except JobNotFound as error:
                kept = await self._archived(job_id, owner, even_deleted=even_deleted)
                if kept is None:
                    raise JobNotFound(job_id) from error
                return kept.observation.model_copy(update={"archived": True})
            # A query is newer than describe: where it has the end, describe must be asked again.
            if observation.run_status != "open" or observation.snapshot is None or not _ended(observation.snapshot):
                break
        return observation

    async def _is_deleted(self, job_id: str) -> bool:
        """Whether a note says so. A store that is away keeps nobody from what Temporal knows."""
        if self._archive is not None:
            with suppress(StoreUnavailable, TimeoutError):
                async with asyncio.timeout(QUERY_SECONDS):
                    return await self._archive.deletion(job_id) is not None
        return False

    async def _archived(self, job_id: str, owner: str | None, *, even_deleted: bool) -> ArchivedJob | None:
        """The record of an owner's closed job, or None. Raises JobDeleted, StoreUnavailable."""
        if self._archive is None:
            return None
        note = await self._archive.deletion(job_id)
        if note is not None and not even_deleted and owner in {None, note.owner}:
            raise JobDeleted(job_id)
        kept = await self._archive.read(job_id)
        return kept if kept is not None and owner in {None, kept.observation.owner} else None

    async def archived(self, job_id: str) -> ArchivedJob | None:
        """The record of a closed job in the store, or None. Raises StoreUnavailable."""
        return await self._archive.read(job_id) if self._archive else None

    async def started_with(self, job_id: str, run_id: str | None = None) -> tuple[ExportInput, JobMemo]:
        """What a run of a job (the newest) was started with. Raises JobNotFound, StateUnavailable."""
        handle = self.client.get_workflow_handle(job_id, run_id=run_id)
        async with translated(DESCRIBE_SECONDS):
            described = await handle.describe()
            memo = await job_memo(described)
            first = await anext(handle.fetch_history_events(page_size=1))
        payloads = list(first.workflow_execution_started_event_attributes.input.payloads)
        [started] = await described.data_converter.decode(payloads, [ExportInput])
        return started, memo

    async def timeline(self, observation: Observation) -> list[TimelineEvent]:
        """Every entry of an observed job's timeline; where no orchestrator answers, the newest ones."""
        kept = observation.snapshot.timeline if observation.snapshot else []
        if observation.snapshot is None or len(kept) == observation.snapshot.timeline_total or observation.archived:
            return kept
        handle = self.client.get_workflow_handle(observation.job_id, run_id=observation.run_id)
        with suppress(RPCError, WorkflowQueryFailedError, WorkflowQueryRejectedError, TimeoutError):
            async with asyncio.timeout(QUERY_SECONDS):
                return cast("list[TimelineEvent]", await handle.query(TIMELINE_QUERY, result_type=list[TimelineEvent]))
        return kept

    async def deliveries(self, job_id: str, attempts: int) -> list[DeliveryLog]:
        """The deliveries of the webhooks of a job's attempts, the newest last. Raises StateUnavailable."""
        newest = range(max(1, attempts - _ATTEMPTS + 1), attempts + 1)
        logs = await asyncio.gather(*(self._deliveries(post_export_id(job_id, attempt)) for attempt in newest))
        return [log for log in logs if log is not None]

    async def _deliveries(self, workflow_id: str) -> DeliveryLog | None:
        try:
            async with translated(DESCRIBE_SECONDS):
                described = await self.client.get_workflow_handle(workflow_id).describe()
        except JobNotFound:
            return None
        log: DeliveryLog | None = await described.memo_value(DELIVERIES_MEMO, None, type_hint=DeliveryLog)
        return log

    async def _look(
        self, job_id: str, run_id: str | None, owner: str | None, *, trust_query: bool, even_deleted: bool
    ) -> Observation:
        handle = self.client.get_workflow_handle(job_id, run_id=run_id)
        async with translated(DESCRIBE_SECONDS):
            described = await handle.describe()
            now = datetime.now(UTC)
        memo = await job_memo(described)
        if owner not in {None, memo.owner}:
            raise JobNotFound(job_id)
        live_workers = await self.workers.read()
        closed = described.status is not WorkflowExecutionStatus.RUNNING
        if closed and not even_deleted and await self._is_deleted(job_id):
            raise JobDeleted(job_id)  # Temporal takes its seconds to forget
        ask = trust_query and not closed and (live_workers is None or EXPORTS_QUEUE in live_workers.live)
        snapshot, from_memo = await self._snapshot(handle, described, query=ask)
        outcome = await self._outcome(described) if closed else Outcome()
        raw = described.raw_description
        observation = Observation(
            job_id=job_id,
            owner=memo.owner,
            run_id=described.run_id,
            now=now,
            run_status=RUN_STATUS[described.status or WorkflowExecutionStatus.RUNNING],
            created_at=memo.created_at,
            started_at=described.start_time,
            closed_at=described.close_time,
            correlation_id=memo.correlation_id,
            metadata=memo.metadata,
            title=memo.title,
            attempt=memo.attempt,
            earlier=memo.earlier,
            snapshot=snapshot,
            snapshot_is_memo=from_memo,
            pending=[] if closed else await pending_work(described),
            history_length=described.history_length,
            cancel_requested=raw.workflow_extended_info.cancel_requested,
            pause_signal=await self._unseen_signal(described) if from_memo and not closed else None,
            workflow_task_attempt=raw.pending_workflow_task.attempt if raw.HasField("pending_workflow_task") else 1,
            live_queues=sorted(live_workers.live) if live_workers else None,
            queues_heard_at=live_workers.heard_at if live_workers else {},
            watched_since=live_workers.since if live_workers else None,
            result=outcome.result,
            error=outcome.error,
            end_reason=outcome.reason,
            temporal_ui=self._ui_link(described),
        )
        if closed or not waits_for_a_slot(observation):
            return observation
        return observation.model_copy(
            update={"ahead": await self._queue_position.ahead_of(observation.started_at, observation.owner)}
        )

    def _ui_link(self, described: WorkflowExecutionDescription) -> str | None:
        if self._temporal_ui is None:
            return None
        namespace = f"{self._temporal_ui}/namespaces/{self.client.namespace}"
        return f"{namespace}/workflows/{described.id}/{described.run_id}/history"

    async def _snapshot(
        self, handle: WorkflowHandle[Any, Any], described: WorkflowExecutionDescription, *, query: bool
    ) -> tuple[Snapshot | None, bool]:
        """The workflow's record, and whether it came from the memo. Asked only when the history has grown."""
        memo = await kept_snapshot(described)
        if not query:
            return memo, True
        # The record changes only with the history: of one length there is one answer, however many ask.
        key = (described.run_id, described.history_length)
        if key in self._snapshots:
            return self._snapshots[key], False
        if time.monotonic() < self._unanswered.get(key, 0.0):
            return memo, True
        try:
            async with asyncio.timeout(QUERY_SECONDS):  # a limit of the call alone would be tried again
                answer: Snapshot = await handle.query(STATUS_QUERY, result_type=Snapshot)
        except (RPCError, WorkflowQueryFailedError, WorkflowQueryRejectedError, TimeoutError):
            # It hangs or its worker does: the others must not wait for it at every look.
            _keep(self._unanswered, key, time.monotonic() + _UNANSWERED_SECONDS)
            return memo, True
        if not _ended(
            answer
        ):  # an end that describe does not know yet must not be kept for a length that stays the same
            _keep(self._snapshots, key, answer)
        return answer, False

    async def _unseen_signal(self, described: WorkflowExecutionDescription) -> bool | None:
        """Whether a pause (True) or its end (False) was asked for since an orchestrator last took note."""
        if not described.raw_description.HasField("pending_workflow_task"):
            return None
        key = (described.run_id, described.history_length)
        if key not in self._signals:
            request = GetWorkflowExecutionHistoryReverseRequest(
                namespace=self.client.namespace,
                execution=WorkflowExecution(workflow_id=described.id, run_id=described.run_id),
                maximum_page_size=_UNSEEN_EVENTS,
            )
            async with translated(DESCRIBE_SECONDS):
                answer = await self.client.workflow_service.get_workflow_execution_history_reverse(request)
            _keep(self._signals, key, _last_signal(answer.history.events))
        return self._signals[key]

    async def _outcome(self, described: WorkflowExecutionDescription) -> Outcome:
        """How a closed execution ended, from its close event."""
        handle = self.client.get_workflow_handle(described.id, run_id=described.run_id, result_type=ExportResult)
        try:
            async with translated(DESCRIBE_SECONDS):
                return Outcome(result=await handle.result(follow_runs=False))
        except WorkflowFailureError as failure:
            reason = failure.cause.message if isinstance(failure.cause, TerminatedError) else None
            return Outcome(error=details_of(failure.cause).error, reason=reason)


def _last_signal(events: Any) -> bool | None:  # noqa: ANN401 - a repeated protobuf field, newest first
    for event in events:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            return None
        name = event.workflow_execution_signaled_event_attributes.signal_name
        if name in {PAUSE_SIGNAL, RESUME_SIGNAL}:
            return bool(name == PAUSE_SIGNAL)
    return None


def _keep(cache: "OrderedDict[tuple[str, int], Any]", key: tuple[str, int], value: object) -> None:
    cache[key] = value
    while len(cache) > _KEPT:
        cache.popitem(last=False)


def _ended(snapshot: Snapshot) -> bool:
    """Whether the workflow's record has its end."""
    return snapshot.stage == "complete" or any(step.state in {"failed", "cancelled"} for step in snapshot.steps)
