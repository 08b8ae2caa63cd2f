"""What a script wishes to see, turned into assets: looked for or made once, then found again like every upload."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from picturelock.assets import take_in
from picturelock.errors import PictureFailed, PictureUnavailable
from picturelock.models import ArtifactRef, Attribution, Model, Scene, Script, Visual
from picturelock.models.script import PictureSource
from picturelock.scratch import workspace
from picturelock.scripting.markdown import plain_text
from picturelock.storage import Store, cache_key
from picturelock.visuals.source import VisualSource, Wanted, require

_VERSION: Final = "1"
_QUERY_CHARACTERS: Final = 100
Report = Callable[[int], None]


class _Provided(Model):
    asset_id: str
    artifact: ArtifactRef
    attribution: Attribution


@dataclass(slots=True)
class Provider:
    """Fills in the pictures of one script, for frames of one size."""

    available: dict[PictureSource, VisualSource]
    pictures: PictureSource
    size: tuple[int, int]
    store: Store
    scratch: Path
    max_bytes: int
    attributions: list[Attribution] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    _asked: Counter[tuple[str, str]] = field(default_factory=Counter)

    async def fill(self, script: Script, report: Report) -> Script:
        """The script with an asset for every picture that is looked for or made. `report(scene)` before each.

        Raises:
            NotOffered: this installation has no source of what was asked for.
            PictureUnavailable, PictureFailed: a picture that was asked for is not to be had, or not now.
        """
        scenes: list[Scene] = []
        for index, scene in enumerate(script.scenes):
            report(index)
            visual = await self._visual(scene, index, script)
            scenes.append(scene if visual is scene.visual else scene.model_copy(update={"visual": visual}))
        return script.model_copy(update={"scenes": scenes})

    async def _visual(self, scene: Scene, index: int, script: Script) -> Visual | None:
        visual = scene.visual
        if visual is None:
            return await self._unasked(scene, index, script)
        wish = visual.query or visual.prompt
        if wish is None:
            return visual
        kind: PictureSource = "stock" if visual.query else "generated"
        field_name = "query" if visual.query else "prompt"
        source = require(self.available, kind, f"script.scenes[{index}].visual.{field_name}")
        asset_id = await self._provided(source, "clip" if visual.kind == "clip" else "image", wish, index)
        return visual.model_copy(update={"asset_id": asset_id, "query": None, "prompt": None})

    async def _unasked(self, scene: Scene, index: int, script: Script) -> Visual | None:
        """The picture of a scene that names none. Only `auto` may end at a card, and says so."""
        kind = self.pictures
        if kind == "auto":
            kind = next((one for one in ("stock", "generated") if one in self.available), "card")
        if kind == "card":
            return None
        source = require(self.available, kind, "pictures")
        try:
            asset_id = await self._provided(source, "image", _wish(scene, script), index)
        except PictureUnavailable as error:
            if self.pictures != "auto":
                raise
            self.warnings.append(f"scene {index + 1} shows a title card: {error.message}")
            return None
        return Visual(kind="image", asset_id=asset_id)

    async def _provided(self, source: VisualSource, kind: str, text: str, index: int) -> str:
        ordinal = self._asked[kind, text]
        self._asked[kind, text] += 1
        width, height = self.size
        wanted = Wanted.model_validate(
            {"kind": kind, "text": text, "width": width, "height": height, "ordinal": ordinal}
        )
        key = cache_key(_VERSION, source.name, source.version, wanted.model_dump_json())
        known = await self.store.recall("visual", key, _Provided)
        if known is None or not await self.store.has(known.artifact):
            known = await self._fetched(source, wanted)
            await self.store.remember("visual", key, known)
        self.attributions.append(
            known.attribution.model_copy(update={"scene_index": index, "asset_id": known.asset_id})
        )
        return known.asset_id

    async def _fetched(self, source: VisualSource, wanted: Wanted) -> _Provided:
        with workspace(self.scratch, "visual") as folder:
            path = folder / "file"
            attribution = await source.fetch(wanted, path, self.max_bytes)
            asset = await take_in(path, self.store)
        if asset.kind != wanted.kind:
            raise PictureFailed(f"{source.name} delivered a file of kind {asset.kind!r}; {wanted.kind!r} is needed")
        _, artifact = await self.store.asset(asset.asset_id)
        return _Provided(asset_id=asset.asset_id, artifact=artifact, attribution=attribution)


def _wish(scene: Scene, script: Script) -> str:
    """What a scene without a wish of its own should show: its title, else the beginning of what is spoken."""
    title = plain_text(scene.title) if scene.title else ""
    topic = plain_text(script.title)
    wish = f"{title or plain_text(scene.narration)}"
    if title and topic and topic.casefold() not in title.casefold():
        wish = f"{title} {topic}"
    return wish if len(wish) <= _QUERY_CHARACTERS else wish[:_QUERY_CHARACTERS].rsplit(" ", 1)[0]
