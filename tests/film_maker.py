"""Films made in this process by `picturelock.pipeline`, in a folder of their own: for tests and benchmarks."""

from dataclasses import dataclass
from pathlib import Path

from picturelock.composition.visuals.source import VisualSource
from picturelock.finalize.manifest import Manifest
from picturelock.models import ExportRequest, ExportResult, Narration, RenderedSegment, RenderPlan, Sound
from picturelock.models.script import PictureSource
from picturelock.pipeline import Pipeline, make_film
from picturelock.providers import Providers
from picturelock.settings import settings
from picturelock.store.assets import ingest
from picturelock.store.store import Store

SLOTS = 2


def quiet(*_: object) -> None:
    """A listener that does not listen."""


@dataclass(frozen=True)
class Produced:
    """A film, everything it is made of, its manifest and its file."""

    request: ExportRequest
    plan: RenderPlan
    narrations: list[Narration]
    segments: list[RenderedSegment]
    sound: Sound
    result: ExportResult
    manifest: Manifest
    film: Path


class FilmMaker:
    """A store, a scratch folder and providers to make films with."""

    def __init__(self, folder: Path, sources: dict[PictureSource, VisualSource] | None = None) -> None:
        self.scratch = folder / "scratch"
        self.store = Store((folder / "store").as_uri(), self.scratch)
        installed = Providers.from_settings(settings())
        self.providers = Providers(installed.voices, sources or {}, installed.writer)

    def pipeline(self, request: ExportRequest) -> Pipeline:
        return Pipeline(request, self.store, self.scratch, self.providers, SLOTS)

    async def upload(self, path: Path) -> str:
        """The asset id of a file."""
        return (await ingest(path, self.store)).asset_id

    async def plan(self, request: ExportRequest) -> tuple[RenderPlan, list[Narration]]:
        """The film on paper."""
        pipeline = self.pipeline(request)
        script = await pipeline.script()
        narrations = await pipeline.narrations(script)
        return (await pipeline.compose(script, narrations)).plan, narrations

    async def segments(self, plan: RenderPlan, encoder: str | None = None) -> list[RenderedSegment]:
        """All segments of a plan."""
        request = ExportRequest.model_validate({"brief": {"topic": "a plan has all that its segments need"}})
        return await self.pipeline(request).segments(plan, encoder)

    async def produce(self, request: ExportRequest, encoder: str | None = None) -> Produced:
        """The finished, verified film."""
        made = await make_film(
            request, self.store, self.scratch, providers=self.providers, slots=SLOTS, encoder=encoder
        )
        manifest = await self.store.job_record("film", "manifest.json", Manifest)
        assert manifest is not None
        return Produced(
            request, made.plan, made.narrations, made.segments, made.sound, made.result, manifest,
            await self.store.local(made.result.film),
        )  # fmt: skip
