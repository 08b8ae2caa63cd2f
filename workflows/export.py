"""`ExportWorkflow`: one export is one execution, and the execution is the only place where its state lives."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    TimeoutType,
)
from temporalio.exceptions import (
    TimeoutError as TemporalTimeoutError,
)

with workflow.unsafe.imports_passed_through():
    from activities import contracts
    from activities.contracts import Composition, SpokenScene, WrittenScript
    from jobstate.names import EXPORT_WORKFLOW, SNAPSHOT_MEMO, STATUS_QUERY
    from picturelock.errors import DeadlineExceeded, InternalError, PicturelockError, WorkerLost
    from picturelock.models import (
        SAMPLE_RATE,
        ExportInput,
        ExportResult,
        JobError,
        Made,
        Model,
        RenderedSegment,
        Snapshot,
        Sound,
        StageName,
    )
    from picturelock.stages import CANCEL_GRACE_SECONDS, EXPORTS_QUEUE, deadline_seconds
    from workflows.board import Board
    from workflows.options import options_for

Result = TypeVar("Result", bound=Made)
MAX_IN_FLIGHT = 200
"""Pending activities at once; Temporal allows 2,000 and describe carries every one of them."""


@workflow.defn(name=EXPORT_WORKFLOW)
class ExportWorkflow:
    """script -> tts -> composition -> render (segments and sound side by side) -> finalize."""

    @workflow.init
    def __init__(self, export: ExportInput) -> None:
        self._export = export
        self._board = Board(export.attempt)
        self._slots = asyncio.Semaphore(MAX_IN_FLIGHT)

    @workflow.query(name=STATUS_QUERY)
    def status(self) -> Snapshot:
        """The record as it stands."""
        return self._board.snapshot()

    @workflow.run
    async def run(self, _export: ExportInput) -> ExportResult:
        """The whole export. Fails with an error of the documented list; a programming error is `INTERNAL`."""
        memo = asyncio.create_task(self._keep_memo())
        work = asyncio.create_task(self._produce())
        try:
            result = await self._within_deadline(work)
        except asyncio.CancelledError:
            await self._stop(work)
            self._board.stop("cancelled", "Cancelled", 1, workflow.now())
            self._close(memo)
            raise
        except Exception as error:
            failure = self._failure(error)
            self._close(memo)
            raise failure from error
        # No `finally`: an evicted workflow leaves its coroutines with GeneratorExit, when no command may be given.
        self._close(memo)
        return result

    async def _within_deadline(self, work: asyncio.Task[ExportResult]) -> ExportResult:
        brought = self._export.request.script
        seconds = self._export.deadline_seconds or deadline_seconds(len(brought.scenes) if brought else 1)
        done, _ = await workflow.wait({work}, timeout=seconds)
        if done:
            return work.result()
        await self._stop(work)
        raise DeadlineExceeded(f"the export was not done within {seconds / 3600:.1f} hours")

    def _close(self, memo: asyncio.Task[None]) -> None:
        """The last entry of the memo, in the same workflow task that closes the execution."""
        memo.cancel()
        self._publish()

    async def _stop(self, work: asyncio.Task[ExportResult]) -> None:
        """Cancels what runs and waits a moment for it; a worker that is gone is not waited for."""
        work.cancel()
        await workflow.wait({work}, timeout=CANCEL_GRACE_SECONDS)

    async def _produce(self) -> ExportResult:
        written = await self._script()
        spoken = await self._speech(written)
        composition = await self._composition(written, spoken)
        segments, sound = await self._render(composition)
        return await self._finalize(written, spoken, composition, segments, sound)

    async def _script(self) -> WrittenScript:
        brought = self._export.request.script is not None
        self._board.start("script", 1, "Checking the script" if brought else "Writing the script", workflow.now())
        task = contracts.ScriptTask(request=self._export.request)
        written = await self._run("script", "script", contracts.WRITE_SCRIPT, task, WrittenScript)
        self._board.complete("script", f"The script has {written.scenes} scenes", workflow.now())
        return written

    async def _speech(self, written: WrittenScript) -> list[SpokenScene]:
        self._board.start("tts", written.scenes, f"Speaking {written.scenes} scenes", workflow.now())

        async def speak(index: int) -> SpokenScene:
            task = contracts.SpeechTask(request=written.request, script=written.script, scene_index=index)
            return await self._run("tts", f"tts-{index:02d}", contracts.SPEAK_SCENE, task, SpokenScene)

        spoken = await _all([speak(index) for index in range(written.scenes)])
        seconds = sum(scene.samples for scene in spoken) / SAMPLE_RATE
        self._board.complete("tts", f"{seconds:.1f} s of speech", workflow.now())
        return spoken

    async def _composition(self, written: WrittenScript, spoken: list[SpokenScene]) -> Composition:
        self._board.start("composition", 1, "Composing the film", workflow.now())
        narrations = [scene.narration for scene in spoken]
        task = contracts.CompositionTask(request=written.request, script=written.script, narrations=narrations)
        seconds = sum(scene.samples for scene in spoken) / SAMPLE_RATE
        composition = await self._run(
            "composition", "composition", contracts.COMPOSE, task, Composition, seconds=seconds
        )
        self._board.warn("SUBSTITUTED", "composition", composition.warnings)
        message = f"{len(composition.segments)} segments, {composition.duration_seconds:.1f} s"
        self._board.complete("composition", message, workflow.now())
        return composition

    async def _render(self, composition: Composition) -> tuple[list[RenderedSegment], Sound]:
        count = len(composition.segments)
        self._board.start("render", composition.total_frames, f"Rendering {count} segments", workflow.now())

        async def render(segment: contracts.PlannedSegment) -> RenderedSegment:
            task = contracts.SegmentTask(plan=composition.plan, segment_id=segment.id, frames=segment.frames)
            seconds = composition.duration_seconds * segment.frames / composition.total_frames
            return await self._run(
                "render",
                segment.id,
                contracts.RENDER_SEGMENT,
                task,
                RenderedSegment,
                units=segment.frames,
                seconds=seconds,
            )

        sound = asyncio.create_task(self._sound(composition))
        segments = await _all([render(segment) for segment in composition.segments], beside=sound)
        mastered = await sound
        self._board.complete("render", f"{count} segments and the sound are ready", workflow.now())
        return segments, mastered

    async def _sound(self, composition: Composition) -> Sound:
        task = contracts.SoundTask(plan=composition.plan)
        seconds = composition.duration_seconds
        return await self._run(
            "render",
            "sound",
            contracts.MASTER_SOUND,
            task,
            Sound,
            units=0,
            seconds=seconds,
            queue=EXPORTS_QUEUE,
        )

    async def _finalize(
        self,
        written: WrittenScript,
        spoken: list[SpokenScene],
        composition: Composition,
        segments: list[RenderedSegment],
        sound: Sound,
    ) -> ExportResult:
        self._board.start("finalize", 1, "Joining and verifying the film", workflow.now())
        task = contracts.FinalizeTask(
            attempt=self._export.attempt,
            correlation_id=self._export.correlation_id,
            created_at=self._export.created_at,
            request=written.request,
            script=written.script,
            plan=composition.plan,
            narrations=[scene.narration for scene in spoken],
            segments=segments,
            sound=sound,
        )
        seconds = composition.duration_seconds
        result = await self._run("finalize", "finalize", contracts.FINALIZE, task, ExportResult, seconds=seconds)
        self._board.complete("finalize", "The film is verified and published", workflow.now())
        self._board.finish()
        return result

    async def _run(  # noqa: PLR0913 - the parts of one activity
        self,
        step: StageName,
        activity_id: str,
        name: str,
        task: Model,
        result: type[Result],
        *,
        units: int = 1,
        seconds: float = 0.0,
        queue: str | None = None,
    ) -> Result:
        """Runs one activity under a readable id and takes note of its beginning and its end."""
        async with self._slots:
            self._board.scheduled(step, activity_id, units)
            value: Result = await workflow.execute_activity(
                name,
                task,
                activity_id=activity_id,
                result_type=result,
                summary=activity_id,
                **options_for(step, seconds, queue=queue),
            )
        self._board.finished(step, activity_id, self._message(step), value)
        return value

    def _message(self, step: StageName) -> str:
        record = next(one for one in self._board.snapshot().steps if one.name == step)
        if step == "render":
            return f"Rendering: {record.units_done} of {record.units_total} frames are in finished segments"
        return f"{step}: {record.finished + 1} of {record.scheduled}"

    async def _keep_memo(self) -> None:
        """Writes the record into the memo after every task that changed it, once for all its changes."""
        seen = -1
        while True:
            await workflow.wait_condition(lambda: self._board.version != seen)  # noqa: B023 - read before it changes
            seen = self._board.version
            self._publish()

    def _publish(self) -> None:
        workflow.upsert_memo({SNAPSHOT_MEMO: self._board.snapshot()})
        workflow.set_current_details(self._board.markdown())

    def _failure(self, error: Exception) -> ApplicationError:
        """The one failure that closes the execution, with a `JobError` for clients."""
        step = self._board.running_step
        job_error = _job_error(error, step)
        self._board.stop("failed", job_error.message, job_error.attempt, workflow.now())
        return ApplicationError(job_error.message, job_error, type=job_error.code, non_retryable=True)


async def _all(jobs: list[Coroutine[Any, Any, Result]], *, beside: asyncio.Task[Sound] | None = None) -> list[Result]:
    """The results in order. The first failure, of a job or of the task beside them, cancels the others."""
    tasks = [asyncio.create_task(job) for job in jobs]
    watched: list[asyncio.Task[Any]] = [*tasks, *([beside] if beside else [])]
    try:
        await workflow.wait(watched, return_when=asyncio.FIRST_EXCEPTION)
        for task in watched:  # a list: the order of what is done here is part of the history
            if task.done():
                task.result()
        return [task.result() for task in tasks]
    except (Exception, asyncio.CancelledError):
        for task in watched:
            task.cancel()
        await workflow.wait(watched, timeout=CANCEL_GRACE_SECONDS)
        raise


def _job_error(error: BaseException, step: StageName | None) -> JobError:
    if isinstance(error, PicturelockError):
        return error.describe(step)
    cause = error.cause if isinstance(error, ActivityError) else error
    if isinstance(cause, ApplicationError) and cause.details:
        return JobError.model_validate(cause.details[0])
    if isinstance(cause, TemporalTimeoutError):
        if cause.type == TimeoutType.HEARTBEAT:
            return WorkerLost(f"the worker of step {step} was not heard of any more").describe(step)
        return DeadlineExceeded(f"step {step} took longer than it may").describe(step)
    return InternalError(f"{type(cause).__name__}: {cause}").describe(step)
