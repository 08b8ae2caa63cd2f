"""What a script wishes to see, turned into assets: looked for or made once, then found again like every upload."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from picturelock.composition.visuals.source import Received, VisualSource, Wanted, require
from picturelock.concurrency import gather_limited
from picturelock.errors import AssetUnreadable, PictureUnavailable
from picturelock.models import ArtifactRef, Attribution, Model, Scene, Script, Visual
from picturelock.models.script import PictureSource
from picturelock.reporting import Report
from picturelock.script.plain import plain_text
from picturelock.script.spoken import spoken_text
from picturelock.store.assets import ingest
from picturelock.store.hashing import cache_key
from picturelock.store.lookup import NotMade
from picturelock.store.scratch import workspace
from picturelock.store.store import Store

_VERSION: Final = "1"
_QUERY_CHARACTERS: Final = 100
_AT_ONCE: Final = 4


class _Provided(Model):
    asset_id: str
    artifact: ArtifactRef
    attribution: Attribution


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is asked of a source. An `optional` one may end at a card."""

    source: VisualSource
    kind: Literal["image", "clip"]
    text: str
    optional: bool = False


@dataclass(slots=True)
class PictureProvider:
    """Fills in the pictures of one script, for frames of one size."""

    available: Mapping[PictureSource, VisualSource]
    pictures: PictureSource
    size: tuple[int, int]
    store: Store
    scratch: Path
    max_bytes: int
    attributions: list[Attribution] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    missing: set[int] = field(default_factory=set)
    """Scenes whose picture would have to be fetched, where a store is only looked at."""

    async def fill(self, script: Script, report: Report) -> Script:
        """The script with an asset for every picture that is looked for or made, several at once.

        `report(share, message)` is told with every stretch of a file that arrives.

        Raises:
            NotOffered: this installation has no source of what was asked for.
            PictureUnavailable, PictureFailed: a picture that was asked for cannot be found or made, or not now.
        """
        wishes = [self._wish(scene, index, script) for index, scene in enumerate(script.scenes)]
        asked = Counter[tuple[str, str]]()
        done = 0

        async def provide(index: int, wish: _Wish, ordinal: int) -> _Provided | None:
            nonlocal done
            try:
                provided = await self._provided(wish, index, ordinal, lambda message: report(done / total, message))
            except NotMade:
                provided = None
                self.missing.add(index)
            done += 1
            return provided

        wanted = [(index, wish) for index, wish in enumerate(wishes) if wish is not None]
        total = len(wanted)
        work = []
        for index, wish in wanted:
            work.append(provide(index, wish, asked[wish.kind, wish.text]))
            asked[wish.kind, wish.text] += 1
        pictures = dict(zip((index for index, _ in wanted), await gather_limited(*work, limit=_AT_ONCE), strict=True))
        scenes = [self._with_picture(scene, index, pictures.get(index)) for index, scene in enumerate(script.scenes)]
        return script.model_copy(update={"scenes": scenes})

    def _wish(self, scene: Scene, index: int, script: Script) -> "_Wish | None":
        """What a scene wishes to see; None where its picture is there or drawn."""
        visual, path = scene.visual, f"script.scenes[{index}].visual"
        if visual is None:
            kind = self.pictures
            if kind == "auto":
                kind = next((source for source in ("stock", "generated") if source in self.available), "card")
            if kind == "card":
                return None
            source = require(self.available, kind, "pictures")
            return _Wish(source, "image", _subject(scene, script), optional=self.pictures == "auto")
        if visual.query:
            source = require(self.available, "stock", f"{path}.query")
            return _Wish(source, "clip" if visual.kind == "clip" else "image", visual.query)
        if visual.prompt:
            return _Wish(require(self.available, "generated", f"{path}.prompt"), "image", visual.prompt)
        return None

    def _with_picture(self, scene: Scene, index: int, provided: "_Provided | None") -> Scene:
        if provided is None:
            return scene
        attribution = provided.attribution.model_copy(update={"scene_index": index, "asset_id": provided.asset_id})
        self.attributions.append(attribution)
        update = {"asset_id": provided.asset_id, "query": None, "prompt": None}
        visual = (
            scene.visual.model_copy(update=update)
            if scene.visual
            else Visual(kind="image", asset_id=attribution.asset_id)
        )
        return scene.model_copy(update={"visual": visual})

    async def _provided(
        self, wish: "_Wish", index: int, ordinal: int, report: Callable[[str], None]
    ) -> "_Provided | None":
        """The picture, found again or fetched; None where nobody asked for it and there is none."""
        width, height = self.size
        wanted = Wanted(kind=wish.kind, text=wish.text, width=width, height=height, ordinal=ordinal)
        key = cache_key(_VERSION, wish.source.name, wish.source.key(wanted))
        known = await self.store.recall("visual", key, _Provided)
        if known is not None and await self.store.has(known.artifact):
            return known
        self.store.may_make("visual")
        report(f"Looking for the picture of scene {index + 1}")

        def received(size: int) -> None:
            report(f"Fetching the picture of scene {index + 1} ({size / 1e6:.1f} MB)")

        try:
            provided = await self._fetched(wish.source, wanted, received)
        except PictureUnavailable as error:
            if not wish.optional:
                raise
            self.warnings.append(f"scene {index + 1} shows a title card: {error.message}")
            return None
        await self.store.remember("visual", key, provided)
        return provided

    async def _fetched(self, source: VisualSource, wanted: Wanted, received: Received) -> _Provided:
        with workspace(self.scratch, "visual") as folder:
            path = folder / "file"
            attribution = await source.fetch(wanted, path, self.max_bytes, received)
            try:
                asset = await ingest(path, self.store)
            except AssetUnreadable as error:
                raise PictureUnavailable(
                    f"{source.name} delivered something that cannot be used for {wanted.text!r}: {error.message}"
                ) from error
        if asset.kind != wanted.kind:
            raise PictureUnavailable(f"{source.name} delivered a file of kind {asset.kind!r} for {wanted.text!r}")
        _, artifact = await self.store.asset(asset.asset_id)
        return _Provided(asset_id=asset.asset_id, artifact=artifact, attribution=attribution)


def _subject(scene: Scene, script: Script) -> str:
    """What a scene without a wish of its own should show: its title, else the beginning of what is spoken."""
    title = plain_text(scene.title) if scene.title else ""
    topic = plain_text(script.title)
    wish = f"{title or spoken_text(scene)}"
    if title and topic and topic.casefold() not in title.casefold():
        wish = f"{title} {topic}"
    return wish if len(wish) <= _QUERY_CHARACTERS else wish[:_QUERY_CHARACTERS].rsplit(" ", 1)[0]
