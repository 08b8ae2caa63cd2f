"""The way of a film, stage by stage; segments and sound are made side by side."""

import asyncio
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from picturelock.errors import EncoderFailed
    from picturelock.models import (
        SAMPLE_RATE,
        DraftSound,
        ExportInput,
        ExportResult,
        PlannedBatch,
        Sound,
    )
    from picturelock.models.strip import FilmBatch, FilmRecord
    from picturelock.temporal.contracts import (
        CHOOSE_ENCODER,
        COMPOSE,
        DRAFT_SOUND,
        FINALIZE,
        MASTER_SOUND,
        RENDER_BATCH,
        SPEAK_SCENE,
        WRITE_SCRIPT,
        BatchTask,
        ChosenEncoder,
        Composition,
        CompositionTask,
        EncoderTask,
        FinalizeTask,
        RenderedBatch,
        ScriptTask,
        SoundTask,
        SpeechTask,
        SpokenScene,
        WrittenScript,
    )
    from workflows.failures import is_cancelled, job_error
    from workflows.job_record import JobRecord
    from workflows.stage_activities import StageActivities

_APART_SECONDS: Final = 0.1
"""Between the scheduling of batches of one urgency and that of the next."""

_FINALIZE_UNITS: Final = 100
_FINALIZE_ACTIVITY: Final = 99
"""The film's publication is all but the last unit of its step; the last is the close of the execution itself."""


class ExportPipeline:
    """Makes one film, and notes in the job's record how far it is."""

    def __init__(self, export: ExportInput, record: JobRecord, activities: StageActivities) -> None:
        self._export = export
        self._record = record
        self._activities = activities
        self._composed: Composition | None = None
        self._mark = ""

    async def produce(self) -> ExportResult:
        """The film, published. The last step stays open until the execution closes."""
        written = await self._script()
        spoken = await self._speech(written)
        composition = await self._composition(written, spoken)
        batches, sound = await self._render(composition)
        return await self._finalize(written, spoken, composition, batches, sound)

    def film(self) -> FilmRecord:
        """What is known of the film so far."""
        if self._composed is None:
            return FilmRecord()
        sound = self._record.made(f"sound{self._mark}")
        draft = self._record.made(f"draft-sound{self._mark}")
        return FilmRecord(
            plan=self._composed.plan,
            batches=[self._film_batch(batch) for batch in self._composed.batches],
            sound=sound.artifact if isinstance(sound, Sound) else None,
            draft=draft.artifact if isinstance(draft, DraftSound) else None,
            draft_seconds=draft.seconds if isinstance(draft, DraftSound) else 0.0,
        )

    def _film_batch(self, batch: PlannedBatch) -> FilmBatch:
        activity_id = batch.id + self._mark
        made = self._record.made(activity_id)
        return FilmBatch(
            activity_id=activity_id,
            segment_ids=batch.segment_ids,
            frames=batch.frames,
            made=made.segments if isinstance(made, RenderedBatch) else None,
            failed=self._record.has_failed(activity_id),
        )

    async def _script(self) -> WrittenScript:
        brought = self._export.request.script is not None
        self._record.start("script", 1, 1, "Checking the script" if brought else "Writing the script", workflow.now())
        task = ScriptTask(request=self._export.request)
        written = await self._activities.run(WRITE_SCRIPT, task, "script")
        self._record.complete("script", f"The script has {written.scenes} scenes", workflow.now())
        return written

    async def _speech(self, written: WrittenScript) -> list[SpokenScene]:
        count = written.scenes
        self._record.start("tts", count, count, f"Speaking {count} scenes", workflow.now())

        async def speak(index: int) -> SpokenScene:
            task = SpeechTask(request=written.request, script=written.script, scene_index=index)
            return await self._activities.run(SPEAK_SCENE, task, f"tts-{index:02d}")

        spoken = await self._activities.run_all([speak(index) for index in range(count)])
        seconds = sum(scene.samples for scene in spoken) / SAMPLE_RATE
        self._record.complete("tts", f"{seconds:.1f} s of speech", workflow.now())
        return spoken

    async def _composition(self, written: WrittenScript, spoken: list[SpokenScene]) -> Composition:
        self._record.start("composition", 1, 1, "Composing the film", workflow.now())
        narrations = [scene.narration for scene in spoken]
        task = CompositionTask(request=written.request, script=written.script, narrations=narrations)
        seconds = sum(scene.samples for scene in spoken) / SAMPLE_RATE
        composition = await self._activities.run(COMPOSE, task, "composition", seconds=seconds)
        self._composed = composition
        self._record.warn("SUBSTITUTED", "composition", composition.warnings, composition.warnings_total)
        message = f"{composition.segment_count} segments, {composition.duration_seconds:.1f} s"
        self._record.complete("composition", message, workflow.now())
        return composition

    async def _render(self, composition: Composition) -> tuple[list[RenderedBatch], Sound]:
        count = composition.segment_count
        what = f"Rendering {count} segments" if count else "Mastering the sound"
        activities = len(composition.batches) + 1 + int(composition.wants_draft)
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
            chosen = await self._activities.run(CHOOSE_ENCODER, task, "encoder", units=0)
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
            self._record.restart_step("render", 1 + len(composition.batches) + int(composition.wants_draft))
            return None
        return batches, sound

    async def _rendered(self, composition: Composition, encoder: str | None) -> tuple[list[RenderedBatch], Sound]:
        """All segments by one encoder, and the sound beside them. The first failure ends them all."""
        # A cancelled activity may still be open when the one of the next encoder is scheduled.
        mark = self._mark = f"-{encoder}" if encoder else ""
        urgencies = sorted({batch.urgency for batch in composition.batches}, reverse=True)
        begun = 0

        async def begin() -> None:
            """Lets the less urgent batches go: what is scheduled at once comes to the workers in any order."""
            nonlocal begun
            for _ in urgencies[1:]:
                await workflow.sleep(_APART_SECONDS)
                begun += 1

        async def render(batch: PlannedBatch) -> RenderedBatch:
            place = urgencies.index(batch.urgency)
            if place:
                await workflow.wait_condition(lambda: begun >= place)
            task = BatchTask(
                plan=composition.plan,
                segment_ids=batch.segment_ids,
                frames=batch.frames,
                found=batch.found,
                encoder=encoder,
            )
            return await self._activities.run(
                RENDER_BATCH,
                task,
                batch.id + mark,
                units=batch.frames,
                seconds=composition.duration_seconds * batch.frames / composition.total_frames,
                urgency=batch.urgency,
            )

        draft = asyncio.create_task(self._draft(composition, f"draft-sound{mark}"))
        sound = asyncio.create_task(self._sound(composition, f"sound{mark}", after=draft))
        beginning = asyncio.create_task(begin())
        renders = [render(batch) for batch in composition.batches]
        batches = await self._activities.run_all(renders, beside=[sound, beginning, draft])
        return batches, await sound

    async def _sound(self, composition: Composition, activity_id: str, after: asyncio.Task[None]) -> Sound:
        """The film's sound, after its draft. Where there is no picture, it is all there is to wait for."""
        if composition.wants_draft:
            await after
        return await self._activities.run(
            MASTER_SOUND,
            SoundTask(plan=composition.plan),
            activity_id,
            units=0 if composition.batches else composition.total_frames,
            seconds=composition.duration_seconds,
        )

    async def _draft(self, composition: Composition, activity_id: str) -> None:
        """What the preview sounds like until the sound is mastered."""
        if composition.wants_draft:
            await self._activities.run(DRAFT_SOUND, SoundTask(plan=composition.plan), activity_id, units=0)

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
        return await self._activities.run(
            FINALIZE, task, "finalize", units=_FINALIZE_ACTIVITY, seconds=composition.duration_seconds
        )
