"""The whole way of a film in one process, without Temporal.

It is what the workflow does with activities, step by step; tests and benchmarks stand on it.

    store = Store("file:///films", Path("/scratch"))
    film = await make_film(request, store, Path("/scratch"), lambda share, message: print(f"{share:.0%} {message}"))
    path = await store.local(film.result.film)
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from picturelock.composition.compose import Composed, Composer
from picturelock.composition.layout import segment_spec
from picturelock.composition.scenes.designer import check_designs
from picturelock.concurrency import gather_limited
from picturelock.finalize.publish import Finisher
from picturelock.finalize.sound import master_sound
from picturelock.jobs.stages import BY_NAME
from picturelock.models import (
    ExportRequest,
    ExportResult,
    Narration,
    RenderedSegment,
    RenderPlan,
    Script,
    Segment,
    Sound,
    StageName,
)
from picturelock.providers import Providers
from picturelock.render.segment import render_segment
from picturelock.reporting import Report, ignore
from picturelock.script.write import write_script
from picturelock.settings import settings
from picturelock.speech.narrate import narrate_scene
from picturelock.store.store import Store

_SCENES_AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True)
class Film:
    """A finished film, and everything that it is made of."""

    request: ExportRequest
    script: Script
    plan: RenderPlan
    narrations: list[Narration]
    segments: list[RenderedSegment]
    sound: Sound
    result: ExportResult


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The stages of one film. Each can be run on its own; `make_film` runs them all."""

    request: ExportRequest
    store: Store
    scratch: Path
    providers: Providers
    slots: int = 1
    """Segments that are rendered at once."""

    report: Report = ignore
    job_id: str = "film"

    async def script(self) -> Script:
        """Stage `script`."""
        script = await write_script(self.request, self.providers.writer, self._listen("script"))
        self.providers.check(self.request, script)
        await check_designs(self.request, script, self.store, self._listen("script"))
        return script

    async def narrations(self, script: Script) -> list[Narration]:
        """Stage `tts`: every scene spoken."""
        listen, done = self._listen("tts"), 0

        async def speak(index: int) -> Narration:
            nonlocal done
            narration = await narrate_scene(self.request, script, index, self.providers.voices, self.store)
            done += 1
            listen(done / len(script.scenes), f"Spoke scene {index + 1}")
            return narration

        return await gather_limited(*map(speak, range(len(script.scenes))), limit=_SCENES_AT_ONCE)

    async def compose(self, script: Script, narrations: list[Narration]) -> Composed:
        """Stage `composition`."""
        composer = Composer(
            request=self.request,
            script=script,
            narrations=narrations,
            store=self.store,
            scratch=self.scratch,
            sources=self.providers.pictures,
            max_asset_bytes=settings().max_asset_bytes,
        )
        return await composer.compose(self._listen("composition"))

    async def segments(self, plan: RenderPlan, encoder: str | None = None) -> list[RenderedSegment]:
        """Stage `render`: every segment, by one encoder (None: the codec's software encoder)."""
        listen, done = self._listen("render"), 0

        async def render(segment: Segment) -> RenderedSegment:
            nonlocal done
            spec, stall = segment_spec(plan, segment, encoder), BY_NAME["render"].stall_seconds
            rendered = await render_segment(segment.id, spec, self.store, self.scratch, stall, lambda *_: None)
            done += segment.frames
            listen(done / plan.timeline.total_frames, f"Rendered {segment.id}")
            return rendered

        return await gather_limited(*map(render, plan.timeline.segments), limit=self.slots)

    async def sound(self, plan: RenderPlan) -> Sound:
        """The rest of the stage `render`: the film's sound."""
        stall = BY_NAME["render"].stall_seconds
        return await master_sound(plan, self.store, self.scratch, stall, ignore)

    async def finish(
        self,
        script: Script,
        plan: RenderPlan,
        narrations: list[Narration],
        segments: list[RenderedSegment],
        sound: Sound,
    ) -> ExportResult:
        """Stage `finalize`: joined, verified and published."""
        finisher = Finisher(
            job_id=self.job_id,
            attempt=1,
            correlation_id="-",
            created_at=datetime.now(UTC),
            request=self.request,
            script=script,
            plan=plan,
            narrations=narrations,
            segments=segments,
            sound=sound,
            store=self.store,
            scratch=self.scratch,
            report=self._listen("finalize"),
        )
        return await finisher.finish()

    def _listen(self, stage: StageName) -> Report:
        """A listener of one stage: its share of the whole is its weight in the stage table."""
        names = list(BY_NAME)
        before = sum(BY_NAME[name].weight for name in names[: names.index(stage)])
        return lambda share, message: self.report(before + share * BY_NAME[stage].weight, message)


async def make_film(
    request: ExportRequest,
    store: Store,
    scratch: Path,
    report: Report = ignore,
    *,
    providers: Providers | None = None,
    slots: int = 1,
    encoder: str | None = None,
) -> Film:
    """Makes, verifies and publishes a film in this process.

    Args:
        request: what is to be made.
        store: where everything is looked for and kept.
        scratch: a folder for files in the making.
        report: told how far it is.
        providers: voices, pictures and writer; those of the settings where none are given.
        slots: segments that are rendered at once.
        encoder: ffmpeg's name of the encoder; None for the codec's software encoder.

    Raises:
        PicturelockError: see `picturelock.errors`; nothing is published then.
    """
    chosen = providers or Providers.from_settings(settings())
    pipeline = Pipeline(request, store, scratch, chosen, slots, report)
    script = await pipeline.script()
    narrations = await pipeline.narrations(script)
    plan = (await pipeline.compose(script, narrations)).plan
    segments = await pipeline.segments(plan, encoder)
    sound = await pipeline.sound(plan)
    result = await pipeline.finish(script, plan, narrations, segments, sound)
    return Film(request, script, plan, narrations, segments, sound, result)
