"""Makes films by calling the domain directly, without Temporal: what the workflow does, one step after another."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from picturelock.composition.compose import Composer
from picturelock.composition.layout import segment_spec
from picturelock.composition.visuals.source import VisualSource
from picturelock.finalize.publish import Finisher, Manifest, master_sound
from picturelock.models import ExportRequest, ExportResult, Narration, RenderedSegment, RenderPlan, Sound
from picturelock.models.script import PictureSource
from picturelock.render.segment import render_segment
from picturelock.settings import settings
from picturelock.speech.engine import SpeechEngine, engines
from picturelock.speech.narrate import narrate
from picturelock.store.assets import take_in
from picturelock.store.store import Store

STALL_SECONDS = 60.0
SLOTS = 2


def quiet(*_: object) -> None:
    """A listener that does not listen."""


@dataclass(frozen=True)
class Produced:
    """A film, and everything it is made of."""

    request: ExportRequest
    plan: RenderPlan
    narrations: list[Narration]
    segments: list[RenderedSegment]
    sound: Sound
    result: ExportResult
    manifest: Manifest
    film: Path


class Studio:
    """A store, a scratch folder and voices to make films with."""

    def __init__(self, folder: Path, sources: dict[PictureSource, VisualSource] | None = None) -> None:
        self.scratch = folder / "scratch"
        self.store = Store((folder / "store").as_uri(), self.scratch)
        self.voices: dict[str, SpeechEngine] = engines(settings())
        self.sources = sources or {}

    async def upload(self, path: Path) -> str:
        """The asset id of a file."""
        return (await take_in(path, self.store)).asset_id

    async def plan(self, request: ExportRequest) -> tuple[RenderPlan, list[Narration]]:
        """The film on paper."""
        script = request.script
        assert script is not None
        narrations = [
            await narrate(scene, index, scene.voice or request.voice, script.language, self.voices, self.store)
            for index, scene in enumerate(script.scenes)
        ]
        composer = Composer(request, script, narrations, self.store, self.scratch, self.sources, 10**9)
        return (await composer.compose(quiet)).plan, narrations

    async def segments(self, plan: RenderPlan, encoder: str | None = None) -> list[RenderedSegment]:
        """All segments, as many at once as there are slots."""
        slots = asyncio.Semaphore(SLOTS)

        async def render(number: int) -> RenderedSegment:
            segment = plan.timeline.segments[number]
            spec = segment_spec(plan, segment, encoder)
            async with slots:
                return await render_segment(segment.id, spec, self.store, self.scratch, STALL_SECONDS, quiet)

        return list(await asyncio.gather(*(render(number) for number in range(len(plan.timeline.segments)))))

    async def produce(self, request: ExportRequest, encoder: str | None = None) -> Produced:
        """The finished, verified film."""
        plan, narrations = await self.plan(request)
        segments = await self.segments(plan, encoder)
        sound = await master_sound(plan, self.store, self.scratch, STALL_SECONDS, quiet)
        script = request.script
        assert script is not None
        finisher = Finisher(
            job_id="studio-film", attempt=1, correlation_id="studio", created_at=datetime.now(UTC), request=request,
            script=script, plan=plan, narrations=narrations, segments=segments, sound=sound, store=self.store,
            scratch=self.scratch,
        )  # fmt: skip
        result = await finisher.finish()
        named = next(one for one in result.artifacts if one.name == "manifest.json")
        manifest = Manifest.model_validate_json(await self.store.read(named))
        film = await self.store.local(result.film)
        return Produced(request, plan, narrations, segments, sound, result, manifest, film)
