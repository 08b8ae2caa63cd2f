"""What is known of a film, put together from the store. Nothing of it is a job's state: the files never change."""

from collections import OrderedDict
from typing import Final, TypeVar

from picturelock.concurrency import gather_limited
from picturelock.jobs.strip import FilmView
from picturelock.models import (
    ArtifactRef,
    ExportResult,
    Model,
    RenderedSegment,
    Segments,
    Sound,
    Timeline,
)
from picturelock.models.strip import FilmRecord
from picturelock.store.store import LOOKUPS, Store

AnyModel = TypeVar("AnyModel", bound=Model)
_KEPT: Final = 2_000
"""Files that are kept as they were read: the lists of some films' batches, and their timelines."""


class _Plan(Model):
    """What the strip needs of a plan."""

    timeline: Timeline


class _Manifest(Model):
    """What the strip needs of a manifest."""

    segments: list[RenderedSegment]
    sound: Sound


class FilmViews:
    """The films of one store. All methods raise StoreUnavailable, ArtifactLost."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read: OrderedDict[str, Model] = OrderedDict()

    async def in_the_making(self, record: FilmRecord) -> FilmView:
        """A film as far as its workflow knows it."""
        if record.plan is None:
            return FilmView()
        plan = await self._model(record.plan, _Plan)
        refs = [batch.made for batch in record.batches if batch.made is not None]
        made = await gather_limited(*(self._model(ref, Segments) for ref in refs), limit=LOOKUPS)
        rendered = {segment.id: segment for segments in made for segment in segments.segments}
        if record.sound is None and record.draft is not None:
            return FilmView(plan.timeline, rendered, record.batches, record.draft, record.draft_seconds)
        return FilmView(plan.timeline, rendered, record.batches, record.sound)

    async def published(self, result: ExportResult) -> FilmView:
        """A film that is verified and published."""
        named = {artifact.name: artifact for artifact in result.artifacts}
        if not {"manifest.json", "timeline.json"} <= named.keys():
            return FilmView(film=result.film)
        manifest = await self._model(named["manifest.json"], _Manifest)
        rendered = {segment.id: segment for segment in manifest.segments}
        timeline = await self._model(named["timeline.json"], Timeline)
        return FilmView(timeline, rendered, (), manifest.sound.artifact, film=result.film)

    async def _model(self, ref: ArtifactRef, model: type[AnyModel]) -> AnyModel:
        kept = self._read.get(ref.sha256)
        if isinstance(kept, model):
            self._read.move_to_end(ref.sha256)
            return kept
        read = await self._store.get_model(ref, model)
        self._read[ref.sha256] = read
        if len(self._read) > _KEPT:
            self._read.popitem(last=False)
        return read
