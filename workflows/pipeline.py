"""The way of a film: script -> tts -> composition -> render (segments and sound side by side) -> finalize."""

import asyncio
from collections.abc import Collection, Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from picturelock.errors import EncoderFailed
    from picturelock.models import (
        SAMPLE_RATE,
        CachedResult,
        ExportInput,
        ExportResult,
        PlannedBatch,
        Sound,
        StageName,
    )
    from picturelock.temporal.contracts import (
        CHOOSE_ENCODER,
        COMPOSE,
        FINALIZE,
        MASTER_SOUND,
        READ_FRACTIONS,
        RENDER_BATCH,
        SPEAK_SCENE,
        WRITE_SCRIPT,
        Activity,
        BatchTask,
        ChosenEncoder,
        Composition,
        CompositionTask,
        EncoderTask,
        FinalizeTask,
        Fractions,
        NoTask,
        RenderedBatch,
        ScriptTask,
        SoundTask,
        SpeechTask,
        SpokenScene,
        WrittenScript,
    )
    from workflows.cancellation import cancel_and_wait, wait_for_end
    from workflows.failures import fraction_reached, is_cancelled, job_error
    from workflows.job_record import JobRecord
    from workflows.scheduling import stage_options, start

Task = TypeVar("Task")
Result = TypeVar("Result", bound=CachedResult)
Item = TypeVar("Item")
MAX_IN_FLIGHT: Final = 200
"""Pending activities at once; Temporal allows 2,000 and describe carries every one of them."""

CANCEL_NOTE: Final = timedelta(seconds=2)
"""How long a job that is being cancelled waits to learn how far it was."""

_FINALIZE_UNITS: Final = 100
_FINALIZE_ACTIVITY: Final = 99
"""The film's publication is all but the last unit of its step; the last is the close of the execution itself."""


class ExportPipeline:
    """Makes one film, and notes in the job's record how far it is."""

    def __init__(self, export: ExportInput, record: JobRecord) -> None:
        self._export = export
        self._record = record
        self._slots = asyncio.Semaphore(MAX_IN_FLIGHT)
        self._begun: dict[str, workflow.ActivityHandle[Any]] = {}
        self._withdrawn: set[str] = set()

    async def produce(self) -> ExportResult:
        """The film, published. The last step stays open until the execution closes."""
        written = await self._script()
        spoken = await self._speech(written)
        composition = await self._composition(written, spoken)
        batches, sound = await self._render(composition)
        return await self._finalize(written, spoken, composition, batches, sound)

    async def cancel(self, work: Collection[asyncio.Task[Any]]) -> None:
        """Cancels work and waits a moment for it; takes note of how far it was, so that nothing shown is taken back."""
        await self._note_fractions()
        await cancel_and_wait(work)
        if not all(task.done() for task in work):  # what does not end has gone on meanwhile, and viewers have seen it
            await self._note_fractions()

    async def _note_fractions(self) -> None:
        """Takes note of how far the running activities are, before they are cancelled and Temporal forgets it."""
        try:
            read: Fractions = await workflow.execute_local_activity(
                READ_FRACTIONS.name, NoTask(), result_type=READ_FRACTIONS.result, schedule_to_close_timeout=CANCEL_NOTE
            )
        except ActivityError:
            read = Fractions()  # what is known stays; the end must not wait for the rest
        self._record.cancel(read.fractions)

    async def _script(self) -> WrittenScript:
        brought = self._export.request.script is not None
        self._record.start("script", 1, 1, "Checking the script" if brought else "Writing the script", workflow.now())
        task = ScriptTask(request=self._export.request)
        written = await self._run(WRITE_SCRIPT, task, "script")
        self._record.complete("script", f"The script has {written.scenes} scenes", workflow.now())
        return written

    async def _speech(self, written: WrittenScript) -> list[SpokenScene]:
        count = written.scenes
        self._record.start("tts", count, count, f"Speaking {count} scenes", workflow.now())

        async def speak(index: int) -> SpokenScene:
            task = SpeechTask(request=written.request, script=written.script, scene_index=index)
            return await self._run(SPEAK_SCENE, task, f"tts-{index:02d}")

        spoken = await self._all([speak(index) for index in range(count)])
        seconds = sum(scene.samples for scene in spoken) / SAMPLE_RATE
        self._record.complete("tts", f"{seconds:.1f} s of speech", workflow.now())
        return spoken

    async def _composition(self, written: WrittenScript, spoken: list[SpokenScene]) -> Composition:
        self._record.start("composition", 1, 1, "Composing the film", workflow.now())
        narrations = [scene.narration for scene in spoken]
        task = CompositionTask(request=written.request, script=written.script, narrations=narrations)
        seconds = sum(scene.samples for scene in spoken) / SAMPLE_RATE
        composition = await self._run(COMPOSE, task, "composition", seconds=seconds)
        self._record.warn("SUBSTITUTED", "composition", composition.warnings, composition.warnings_total)
        message = f"{composition.segment_count} segments, {composition.duration_seconds:.1f} s"
        self._record.complete("composition", message, workflow.now())
        return composition

    async def _render(self, composition: Composition) -> tuple[list[RenderedBatch], Sound]:
        count = composition.segment_count
        what = f"Rendering {count} segments" if count else "Mastering the sound"
        activities = len(composition.batches) + 1
        self._record.start("render", activities, composition.total_frames, what, workflow.now())
        made = await self._by_hardware(composition) if composition.hardware else None
        batches, sound = made or await self._rendered(composition, None)
        done = f"{count} segments and the sound are ready" if count else "The sound is ready"
        self._record.complete("render", done, workflow.now())
        return batches, sound

    async def _by_hardware(self, composition: Composition) -> tuple[list[RenderedBatch], Sound] | None:
        """The film by one hardware encoder, or None: then all of it is made by software, and a warning says so."""
        self._record.expect("render", 1)
        task = EncoderTask(plan=composition.plan)
        try:
            chosen = await self._run(CHOOSE_ENCODER, task, "encoder", units=0)
        except ActivityError as error:
            if is_cancelled(error):
                raise
            chosen = ChosenEncoder(failures=[job_error(error, "render").message])
        if chosen.encoder is None:
            reasons = "; ".join(chosen.failures)
            self._record.warn("SOFTWARE_ENCODER", "render", [f"no hardware encoder passed its trial: {reasons}"])
            return None
        try:
            batches, sound = await self._rendered(composition, chosen.encoder)
            if len({headers for batch in batches for headers in batch.headers}) > 1:
                raise EncoderFailed(f"{chosen.encoder}: the segments do not have one set of headers")
        except (ActivityError, EncoderFailed) as error:
            failure = job_error(error, "render")
            if failure.code != EncoderFailed.code:
                raise
            text = f"all segments are rendered again by software: {failure.message}"
            self._record.warn("SOFTWARE_ENCODER", "render", [text])
            self._record.restart_step("render", 1 + len(composition.batches))
            return None
        return batches, sound

    async def _rendered(self, composition: Composition, encoder: str | None) -> tuple[list[RenderedBatch], Sound]:
        """All segments by one encoder, and the sound beside them. The first failure ends them all."""
        mark = (
            f"-{encoder}" if encoder else ""
        )  # a cancelled activity may still be open when the one of the next encoder is scheduled

        async def render(batch: PlannedBatch) -> RenderedBatch:
            task = BatchTask(
                plan=composition.plan,
                segment_ids=batch.segment_ids,
                frames=batch.frames,
                found=batch.found,
                encoder=encoder,
            )
            return await self._run(
                RENDER_BATCH,
                task,
                batch.id + mark,
                units=batch.frames,
                seconds=composition.duration_seconds * batch.frames / composition.total_frames,
            )

        sound = asyncio.create_task(self._sound(composition, f"sound{mark}"))
        batches = await self._all([render(batch) for batch in composition.batches], beside=sound)
        return batches, await sound

    async def _sound(self, composition: Composition, activity_id: str) -> Sound:
        """The film's sound. Where there is no picture, it is all there is to wait for."""
        return await self._run(
            MASTER_SOUND,
            SoundTask(plan=composition.plan),
            activity_id,
            units=0 if composition.batches else composition.total_frames,
            seconds=composition.duration_seconds,
        )

    async def _finalize(
        self,
        written: WrittenScript,
        spoken: list[SpokenScene],
        composition: Composition,
        batches: list[RenderedBatch],
        sound: Sound,
    ) -> ExportResult:
        self._record.start("finalize", 1, _FINALIZE_UNITS, "Joining and verifying the film", workflow.now())
        task = FinalizeTask(
            attempt=self._export.attempt,
            correlation_id=self._export.correlation_id,
            created_at=self._export.created_at,
            request=written.request,
            script=written.script,
            plan=composition.plan,
            narrations=[scene.narration for scene in spoken],
            segments=[batch.segments for batch in batches],
            sound=sound,
        )
        return await self._run(
            FINALIZE, task, "finalize", units=_FINALIZE_ACTIVITY, seconds=composition.duration_seconds
        )

    async def _run(
        self, contract: Activity[Task, Result], task: Task, activity_id: str, *, units: int = 1, seconds: float = 0.0
    ) -> Result:
        """Runs one activity under a readable id and takes note of its beginning and its end.

        It counts for `units` of its step, and may take as long as the stage table allows for `seconds` of film.
        """
        step = _stage(contract)
        async with self._slots:
            await workflow.wait_condition(lambda: not self._record.pause_requested)
            self._record.scheduled(step, activity_id, units)
            handle = start(
                contract, task, stage_options(contract, seconds), summary=activity_id, activity_id=activity_id
            )
            self._begun[activity_id] = handle
            try:
                result = await handle
            except ActivityError as error:
                reached = fraction_reached(error)
                if not self._is_withdrawn(activity_id, error):
                    if reached > 0:
                        self._record.reached(activity_id, reached)
                    raise
                self._record.withdraw(step, activity_id, reached)
            else:
                self._record.finished(step, activity_id, result)
                self._record.say(self._message(step))
                return result
            finally:
                del self._begun[activity_id]
                self._withdrawn.discard(activity_id)
        return await self._run(contract, task, activity_id, units=units, seconds=seconds)

    async def withdraw(self, activity_ids: list[str]) -> None:
        """Cancels what waits for a worker, on a server that cannot pause it; it is scheduled again after the pause."""
        waiting = {activity_id: self._begun[activity_id] for activity_id in activity_ids if activity_id in self._begun}
        self._withdrawn |= waiting.keys()
        for handle in waiting.values():
            handle.cancel()
        if waiting:
            await wait_for_end(list(waiting.values()))

    def _is_withdrawn(self, activity_id: str, error: ActivityError) -> bool:
        """Whether an activity was only withdrawn, and the work as a whole is still wanted."""
        task = asyncio.current_task()
        return activity_id in self._withdrawn and is_cancelled(error) and not (task and task.cancelling())

    def _message(self, step: StageName) -> str:
        record = next(one for one in self._record.snapshot().steps if one.name == step)
        if step == "render":
            return f"Rendering: {record.units_done} of {record.units_total} frames are in finished segments"
        return f"{step}: {record.finished} of {record.planned}"

    async def _all(
        self, jobs: list[Coroutine[Any, Any, Item]], *, beside: asyncio.Task[Sound] | None = None
    ) -> list[Item]:
        """The results in order. The first failure, of a job or of the task beside them, cancels the others."""
        tasks = [asyncio.create_task(job) for job in jobs]
        watched: list[asyncio.Task[Any]] = [*tasks, *([beside] if beside else [])]
        try:
            await workflow.wait(watched, return_when=asyncio.FIRST_EXCEPTION)
            for task in watched:  # a list: the order of what is done here is part of the history
                if task.done():
                    task.result()
            return [task.result() for task in tasks]
        except asyncio.CancelledError:
            await cancel_and_wait(watched)  # whoever cancels takes note of how far they were
            raise
        except Exception:
            with suppress(asyncio.CancelledError):
                await self.cancel(watched)
            raise


def _stage(contract: Activity[Task, Result]) -> StageName:
    if contract.stage is None:
        raise TypeError(f"{contract.name} belongs to no stage")
    return contract.stage
