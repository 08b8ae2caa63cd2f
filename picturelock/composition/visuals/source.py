"""The protocol of sources of pictures, and those that this installation has.

A source is a class that an entry point of the group `picturelock.pictures` names (docs/plugins.md). A whole one:

    class Folder:
        name = "folder"
        kind = "stock"

        @classmethod
        def from_settings(cls, settings: Settings) -> Self | None:
            return cls()

        def key(self, wanted: Wanted) -> str:
            return wanted.text

        async def fetch(self, wanted: Wanted, target: Path, max_bytes: int, received: Received) -> Attribution:
            shutil.copy(Path("/pictures") / f"{wanted.text}.jpg", target)
            return Attribution(source=self.name)
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, Protocol, Self

from picturelock.errors import NotOffered
from picturelock.models import Attribution, Model, Script
from picturelock.models.script import PictureSource
from picturelock.plugins import PluginConflict, configured
from picturelock.settings import Settings

SourceKind = Literal["stock", "generated"]
"""Whether a source finds pictures or makes them."""

Received = Callable[[int], None]
"""Told how many bytes of a file have come."""


class Wanted(Model):
    """What a picture should show, and the frame it is for."""

    kind: Literal["image", "clip"]
    text: str
    width: int
    height: int
    ordinal: int = 0
    """How many scenes of the film have asked for just this before: each gets another picture."""

    @property
    def orientation(self) -> Literal["landscape", "portrait", "square"]:
        """The frame's shape, in the words of stock libraries."""
        ratio = self.width / self.height
        return "landscape" if ratio > 1.1 else "portrait" if ratio < 0.9 else "square"


class VisualSource(Protocol):
    """Anything that finds or makes pictures."""

    name: str
    kind: SourceKind

    @classmethod
    def from_settings(cls, settings: Settings, /) -> Self | None:
        """The source, or None where it is not configured."""
        ...

    def key(self, wanted: Wanted) -> str:
        """What determines the answer: the same key, the same picture. A preview gets its final film's pictures."""
        ...

    async def fetch(self, wanted: Wanted, target: Path, max_bytes: int, received: Received) -> Attribution:
        """Writes a picture or clip to `target` and returns whose it is. `received` is called with its bytes so far.

        Raises:
            PictureUnavailable: it has none of that.
            PictureFailed: it did not deliver; trying again may help.
        """
        ...


def sources(settings: Settings) -> dict[PictureSource, VisualSource]:
    """The configured sources: one of `stock`, one of `generated`.

    Raises:
        PluginConflict: two of a kind are configured, and the settings name none of them.
    """
    found: dict[PictureSource, VisualSource] = {}
    wanted: dict[SourceKind, str | None] = {"stock": settings.stock_source, "generated": settings.generated_source}
    for kind, name in wanted.items():
        offered = {
            key: source for key, source in configured("picturelock.pictures", settings).items() if source.kind == kind
        }
        if name is not None:
            offered = {key: source for key, source in offered.items() if key == name}
        if len(offered) > 1:
            setting = f"PICTURELOCK_{kind.upper()}_SOURCE"
            raise PluginConflict(f"{', '.join(offered)} are sources of {kind} pictures: name one in {setting}")
        for source in offered.values():
            found[kind] = source
    return found


def require(available: Mapping[PictureSource, VisualSource], asked: PictureSource, path: str) -> VisualSource:
    """The source that was asked for. Raises NotOffered, with the field that asks and the setting that is missing."""
    if asked in available:
        return available[asked]
    setting = {"stock": "PICTURELOCK_PEXELS_API_KEY", "generated": "PICTURELOCK_IMAGE_BASE_URL"}[asked]
    raise NotOffered(f"this installation has no source of {asked} pictures ({setting} is not set)", field=path)


def demands(script: Script, pictures: PictureSource) -> list[tuple[str, PictureSource]]:
    """What a film needs of sources, with the field that asks for it. `auto` asks for nothing."""
    found: list[tuple[str, PictureSource]] = []
    for index, scene in enumerate(script.scenes):
        if scene.visual is None and pictures in {"stock", "generated"}:
            found.append(("pictures", pictures))
        elif scene.visual and scene.visual.query:
            found.append((f"script.scenes[{index}].visual.query", "stock"))
        elif scene.visual and scene.visual.prompt:
            found.append((f"script.scenes[{index}].visual.prompt", "generated"))
    return found
