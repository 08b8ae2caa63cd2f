"""`ExportWorkflow`: one export is one execution, and the execution is the only place where its state lives."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.workflow import ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from activities.contracts import Held
    from picturelock.errors import DeadlineExceeded
    from picturelock.jobs.stages import CONTROL_QUEUE
    from picturelock.models import AftermathInput, ExportInput, ExportResult, Snapshot, TimelineEvent
    from picturelock.temporal.names import (
        AFTERMATH_WORKFLOW,
        EXPORT_WORKFLOW,
        HOLD_WORK,
        PAUSE_SIGNAL,
        RELEASE_WORK,
        RESUME_SIGNAL,
        SNAPSHOT_MEMO,
        STATUS_QUERY,
        TIMELINE_QUERY,
        WARNINGS_MEMO,
        aftermath_id,
    )
    from workflows.cancellation import settle
    from workflows.failures import job_error
    from workflows.job_record import Board
    from workflows.options import errand
    from workflows.pipeline import Production

_HOLD_FOR: Final = timedelta(days=7)
"""A hold lasts until the last running attempt has ended; no attempt may take this long."""

_AFTER_PAUSE_SECONDS: Final = 60.0
"""The least that a job has left of its deadline when a pause is over."""

_RELEASE_WITHIN: Final = timedelta(seconds=30)


@workflow.defn(name=EXPORT_WORKFLOW)
class ExportWorkflow:
    """The life of one export: made within its deadline, paused, cancelled or failed, always told, always closed."""

    @workflow.init
    def __init__(self, export: ExportInput) -> None:
        self._export = export
        self._board = Board(export.attempt)
        self._production = Production(export, self._board)
        self._warnings_kept = 0

    @workflow.query(name=STATUS_QUERY)
    def status(self) -> Snapshot:
        """The record as it stands."""
        return self._board.snapshot()

    @workflow.query(name=TIMELINE_QUERY)
    def timeline(self) -> list[TimelineEvent]:
        """Every entry of the timeline; the record has only the newest ones."""
        return self._board.timeline

    @workflow.signal(name=PAUSE_SIGNAL)
    def pause(self) -> None:
        """Nothing new begins from here on; what runs is finished."""
        self._board.ask_pause(workflow.now())

    @workflow.signal(name=RESUME_SIGNAL)
    def resume(self) -> None:
        """The work goes on."""
        self._board.resume(workflow.now())

    @workflow.run
    async def run(self, _export: ExportInput) -> ExportResult:
        """The whole export. Fails with an error of the documented list; a programming error is `INTERNAL`."""
        self._beside = [asyncio.create_task(self._keep_memo()), asyncio.create_task(self._obey_pauses())]
        work = asyncio.create_task(self._production.produce())
        try:
            result = await self._within_deadline(work)
        except asyncio.CancelledError:
            await self._give_up(work)
            await self._begin_aftermath()
            self._board.stop("cancelled", "Cancelled", 1, workflow.now())
            self._close()
            raise
        except Exception as error:
            await self._begin_aftermath()
            failure = self._failure(error)
            self._close()
            raise failure from error
        # No `finally`: an evicted workflow leaves its coroutines with GeneratorExit, when no command may be given.
        await self._begin_aftermath()
        self._board.complete("finalize", "The film is verified and published", workflow.now())
        self._board.finish()
        self._close()
        return result

    async def _within_deadline(self, work: asyncio.Task[ExportResult]) -> ExportResult:
        """The work's result. Without a wish of the request nothing bounds how long a job may wait and take.

        With one, everything counts from the start on but pauses.
        """
        allowed = self._export.request.deadline_seconds
        if allowed is None:
            await workflow.wait_condition(work.done)
            return work.result()
        left = allowed
        while not work.done():
            if self._board.held:
                await workflow.wait_condition(lambda: work.done() or not self._board.held)
                continue
            since, pauses = workflow.time(), self._board.pauses
            with suppress(TimeoutError):
                await workflow.wait_condition(lambda: work.done() or self._board.held, timeout=max(0.0, left))
            left -= workflow.time() - since
            if self._board.pauses != pauses:
                # When in this stretch the pause was asked for, nobody noted; it must not be what ends the job.
                left = max(left, _AFTER_PAUSE_SECONDS)
            elif left <= 0 and not work.done():
                await self._give_up(work)
                raise DeadlineExceeded(f"the export was not done within deadlineSeconds ({allowed:g})")
        return work.result()

    async def _give_up(self, work: asyncio.Task[ExportResult]) -> None:
        """Cancels what runs and waits a moment for it; a worker that is gone is not waited for."""
        if not work.done():
            await self._production.give_up({work})

    async def _obey_pauses(self) -> None:
        """Holds scheduled work back while a pause is asked for. New work waits by itself."""
        while True:
            await workflow.wait_condition(lambda: self._board.held)
            await self._hold()
            await workflow.execute_activity(RELEASE_WORK, summary="release", **errand(_RELEASE_WITHIN))

    async def _hold(self) -> None:
        """Holds until the pause is over; says so once nothing runs any more."""
        pause = self._board.pauses  # one that is ended and asked for again in one go is another one
        while True:
            hold = workflow.start_activity(HOLD_WORK, result_type=Held, summary="hold", **errand(_HOLD_FOR, beats=True))
            await workflow.wait_condition(lambda: hold.done() or self._board.pauses != pause or not self._board.held)  # noqa: B023 - awaited at once
            unheld = hold.result().unheld if hold.done() else []
            if not unheld or not self._board.held or self._board.pauses != pause:
                break
            await self._production.withdraw(unheld)
        if self._board.held and self._board.pauses == pause:
            self._board.pause(workflow.now())
            await workflow.wait_condition(lambda: self._board.pauses != pause or not self._board.held)
        hold.cancel()
        await settle({hold})  # to its real end: it must not hold anything back after the release

    async def _begin_aftermath(self) -> None:
        """Starts what follows the end, apart from this execution. A request to cancel comes too late here."""
        starting = asyncio.create_task(self._start_aftermath())
        while not starting.done():
            with suppress(asyncio.CancelledError):
                await asyncio.shield(starting)

    async def _start_aftermath(self) -> None:
        info, webhook = workflow.info(), self._export.request.webhook
        task = AftermathInput(
            job_id=info.workflow_id,
            run_id=info.run_id,
            attempt=self._export.attempt,
            webhook_url=str(webhook.url) if webhook else None,
        )
        usual = aftermath_id(info.workflow_id, self._export.attempt)
        # Another run of this attempt may have one: it was reset to before its end, or begun twice.
        for name in (usual, f"{usual}.{info.run_id}"):
            with suppress(WorkflowAlreadyStartedError):
                await workflow.start_child_workflow(
                    AFTERMATH_WORKFLOW,
                    task,
                    id=name,
                    task_queue=CONTROL_QUEUE,
                    parent_close_policy=ParentClosePolicy.ABANDON,
                )
                return

    def _close(self) -> None:
        """The last entry of the memo, in the same workflow task that closes the execution."""
        for task in self._beside:
            task.cancel()
        self._publish()

    async def _keep_memo(self) -> None:
        """Writes the record into the memo after every task that changed it notably, once for all its changes.

        An activity that is neither in the memo nor pending has just finished: its readers know.
        """
        seen = -1
        while True:
            await workflow.wait_condition(lambda: self._board.notable != seen)  # noqa: B023 - read before it changes
            await asyncio.sleep(0)  # a step that begins has its activities scheduled first, so that they are told
            seen = self._board.notable
            self._publish()

    def _publish(self) -> None:
        record = self._board.snapshot()
        memo: dict[str, object] = {SNAPSHOT_MEMO: record.model_copy(update={"warnings": []})}
        if self._warnings_kept != record.warnings_total:  # apart: they are seldom new, and each memo is in the history
            self._warnings_kept = record.warnings_total
            memo[WARNINGS_MEMO] = record.warnings
        workflow.upsert_memo(memo)
        workflow.set_current_details(self._board.markdown())

    def _failure(self, error: Exception) -> ApplicationError:
        """The one failure that closes the execution, with a `JobError` for clients."""
        told = job_error(error, self._board.running_step)
        self._board.stop("failed", told.message, told.attempt, workflow.now())
        return ApplicationError(told.message, told, type=told.code, non_retryable=True)
