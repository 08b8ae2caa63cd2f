"""`ExportWorkflow`: one export is one execution, and the execution is the only place where its state lives."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.workflow import ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from picturelock.errors import DeadlineExceeded
    from picturelock.jobs.stages import CONTROL_QUEUE
    from picturelock.models import ExportInput, ExportResult, PostExportInput, Snapshot, TimelineEvent
    from picturelock.models.strip import FilmRecord
    from picturelock.temporal.contracts import PAUSE_ACTIVITIES, UNPAUSE_ACTIVITIES, NoTask
    from picturelock.temporal.failure_codec import encode_failure
    from picturelock.temporal.names import (
        EXPORT_WORKFLOW,
        FILM_QUERY,
        PAUSE_SIGNAL,
        POST_EXPORT_WORKFLOW,
        RESUME_SIGNAL,
        SNAPSHOT_MEMO,
        STATUS_QUERY,
        TIMELINE_QUERY,
        WARNINGS_MEMO,
        post_export_id,
    )
    from workflows.cancellation import wait_for_end
    from workflows.failures import job_error
    from workflows.job_record import JobRecord
    from workflows.pipeline import ExportPipeline
    from workflows.scheduling import control_options, execute, start
    from workflows.stage_activities import StageActivities

_PAUSE_OPTIONS: Final = control_options(timedelta(days=7), heartbeats=True)
"""Pausing lasts until the last running attempt has ended; no attempt may take this long."""

_UNPAUSE_OPTIONS: Final = control_options(timedelta(seconds=30))
_AFTER_PAUSE_SECONDS: Final = 60.0
"""The least that a job has left of its deadline when a pause is over."""


@workflow.defn(name=EXPORT_WORKFLOW)
class ExportWorkflow:
    """The life of one export: made within its deadline, paused, cancelled or failed, always told, always closed."""

    @workflow.init
    def __init__(self, export: ExportInput) -> None:
        self._export = export
        self._record = JobRecord(export.attempt)
        self._activities = StageActivities(self._record)
        self._pipeline = ExportPipeline(export, self._record, self._activities)
        self._warnings_kept = 0

    @workflow.query(name=STATUS_QUERY)
    def status(self) -> Snapshot:
        """The record as it stands."""
        return self._record.snapshot()

    @workflow.query(name=TIMELINE_QUERY)
    def timeline(self) -> list[TimelineEvent]:
        """Every entry of the timeline; the record has only the newest ones."""
        return self._record.timeline

    @workflow.query(name=FILM_QUERY)
    def film(self) -> FilmRecord:
        """What is known of the film: its plan, its finished segments, its sound."""
        return self._pipeline.film()

    @workflow.signal(name=PAUSE_SIGNAL)
    def pause(self) -> None:
        """Nothing new begins from here on; what runs is finished."""
        self._record.ask_pause(workflow.now())

    @workflow.signal(name=RESUME_SIGNAL)
    def resume(self) -> None:
        """The work goes on."""
        self._record.resume(workflow.now())

    @workflow.run
    async def run(self, _export: ExportInput) -> ExportResult:
        """The whole export. Fails with an error of the documented list; a programming error is `INTERNAL`."""
        self._beside = [asyncio.create_task(self._keep_memo()), asyncio.create_task(self._follow_pauses())]
        work = asyncio.create_task(self._pipeline.produce())
        try:
            result = await self._within_deadline(work)
        except asyncio.CancelledError:
            await self._cancel(work)
            await self._begin_post_export()
            self._record.stop("cancelled", "Cancelled", 1, workflow.now())
            self._close()
            raise
        except Exception as error:
            await self._begin_post_export()
            failure = self._failure(error)
            self._close()
            raise failure from error
        # No `finally`: an evicted workflow leaves its coroutines with GeneratorExit, when no command may be given.
        await self._begin_post_export()
        self._record.complete("finalize", "The film is verified and published", workflow.now())
        self._record.finish()
        self._close()
        return result

    async def _within_deadline(self, work: asyncio.Task[ExportResult]) -> ExportResult:
        """The work's result. Without `deadlineSeconds` nothing bounds how long a job takes.

        With it, all time since the start counts, except pauses.
        """
        allowed = self._export.request.deadline_seconds
        if allowed is None:
            await workflow.wait_condition(work.done)
            return work.result()
        left = allowed
        while not work.done():
            if self._record.pause_requested:
                await workflow.wait_condition(lambda: work.done() or not self._record.pause_requested)
                continue
            # The time is counted in stretches between pauses: a timer of the whole deadline would run on through them.
            since, pauses = workflow.time(), self._record.pauses
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: work.done() or self._record.pause_requested, timeout=max(0.0, left)
                )
            left -= workflow.time() - since
            if self._record.pauses != pauses:
                # When in this stretch the pause was asked for, nobody noted; it must not be what ends the job.
                left = max(left, _AFTER_PAUSE_SECONDS)
            elif left <= 0 and not work.done():
                await self._cancel(work)
                raise DeadlineExceeded(f"the export was not done within deadlineSeconds ({allowed:g})")
        return work.result()

    async def _cancel(self, work: asyncio.Task[ExportResult]) -> None:
        """Cancels what runs and waits a moment for it; a worker that is gone is not waited for."""
        if not work.done():
            await self._activities.cancel({work})

    async def _follow_pauses(self) -> None:
        """Has scheduled activities paused while a pause is asked for. New ones wait in `StageActivities`."""
        while True:
            await workflow.wait_condition(lambda: self._record.pause_requested)
            await self._pause_until_resumed()
            await execute(UNPAUSE_ACTIVITIES, NoTask(), _UNPAUSE_OPTIONS, summary="unpause")

    async def _pause_until_resumed(self) -> None:
        """Pauses activities until the job is resumed; the record says `paused` once nothing runs any more."""
        pause = self._record.pauses

        def over() -> bool:
            # Resumed and paused again in one workflow task is another pause: the flag would hide that this one is over.
            return self._record.pauses != pause or not self._record.pause_requested

        while True:
            pausing = start(PAUSE_ACTIVITIES, NoTask(), _PAUSE_OPTIONS, summary="pause")
            await workflow.wait_condition(lambda: pausing.done() or over())  # noqa: B023 - awaited at once
            not_paused = pausing.result().not_paused if pausing.done() else []
            if not not_paused or over():
                break
            await self._activities.withdraw(not_paused)
        if not over():
            self._record.pause(workflow.now())
            await workflow.wait_condition(over)
        pausing.cancel()
        await wait_for_end({pausing})  # to its real end: it must not pause anything after the unpausing below

    async def _begin_post_export(self) -> None:
        """Starts what follows the end, apart from this execution. A request to cancel comes too late here."""
        starting = asyncio.create_task(self._start_post_export())
        while not starting.done():
            with suppress(asyncio.CancelledError):
                await asyncio.shield(starting)

    async def _start_post_export(self) -> None:
        info, webhook = workflow.info(), self._export.request.webhook
        task = PostExportInput(
            job_id=info.workflow_id,
            run_id=info.run_id,
            attempt=self._export.attempt,
            webhook_url=str(webhook.url) if webhook else None,
        )
        usual = post_export_id(info.workflow_id, self._export.attempt)
        # Another run of this attempt may have one: it was reset to before its end, or begun twice.
        for name in (usual, f"{usual}.{info.run_id}"):
            with suppress(WorkflowAlreadyStartedError):
                await workflow.start_child_workflow(
                    POST_EXPORT_WORKFLOW,
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
            await workflow.wait_condition(lambda: self._record.notable != seen)  # noqa: B023 - read before it changes
            await asyncio.sleep(0)  # a step that begins has its activities scheduled first, so that they are told
            seen = self._record.notable
            self._publish()

    def _publish(self) -> None:
        record = self._record.snapshot()
        memo: dict[str, object] = {SNAPSHOT_MEMO: record.model_copy(update={"warnings": []})}
        if self._warnings_kept != record.warnings_total:  # apart: they are seldom new, and each memo is in the history
            self._warnings_kept = record.warnings_total
            memo[WARNINGS_MEMO] = record.warnings
        workflow.upsert_memo(memo)
        workflow.set_current_details(self._record.markdown())

    def _failure(self, error: Exception) -> ApplicationError:
        """The one failure that closes the execution, with a `JobError` for clients."""
        failure = job_error(error, self._record.running_step)
        self._record.stop("failed", failure.message, failure.attempt, workflow.now())
        return encode_failure(failure)
