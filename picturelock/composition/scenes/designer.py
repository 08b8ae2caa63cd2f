"""Designs scenes: what is drawn over a scene's picture, and when each part of it appears."""

import asyncio
from dataclasses import dataclass
from typing import Final

import cv2

from picturelock.composition.scenes.reveals import Clock, Moment, card_moment, moments
from picturelock.composition.scenes.typesetter import VERSION as LAYOUT_VERSION
from picturelock.composition.scenes.typesetter import DrawnPart, LayoutKind, Page, Role, Typesetter
from picturelock.ffmpeg.tools import tool_versions
from picturelock.models import ArtifactRef, ExportRequest, Layer, Model, Scene, Script, VideoFormat
from picturelock.models.request import CaptionStyle
from picturelock.presets import resolve
from picturelock.render.i420 import RGB
from picturelock.reporting import Report
from picturelock.script.plain import plain_text
from picturelock.script.spoken import headline_of, spoken_text
from picturelock.store.hashing import cache_key
from picturelock.store.store import Store
from picturelock.text.ass import CaptionLook
from picturelock.themes import Theme, theme_of

_DRAWN_WITH: Final = (
    "typst", "manimgx-fonts", "manimgx-fonts-cjk", "fontpkg-inter", "fontpkg-jetbrains-mono",
    "fontpkg-playfair-display", "fontpkg-space-grotesk",
)  # fmt: skip
_LOGO_GAP: Final = 0.05
_TOLD: Final = 8
"""One scene in so many is told of while they are laid out: each takes a twentieth of a second."""

_DRAWN: Final = frozenset({"list", "quote", "number", "code", "table", "chart", "formula"})


class StoredPart(Model):
    """A drawn part as it is stored: which it is, its place in the frame, its pixels (RGBA, PNG)."""

    role: Role
    block: int | None
    index: int
    x: int
    y: int
    image: ArtifactRef


class _StoredPage(Model):
    parts: list[StoredPart]


def headline(scene: Scene) -> str:
    """What a card says: the scene's title, or the beginning of what is spoken."""
    if scene.title and (title := plain_text(scene.title)):
        return title
    return headline_of(spoken_text(scene))


def is_designed(scene: Scene) -> bool:
    """Whether the scene has blocks that are drawn."""
    return any(block.kind in _DRAWN for block in scene.blocks)


def _layer(part: StoredPart, moment: Moment) -> Layer:
    return Layer(
        image=part.image,
        x=part.x,
        y=part.y,
        enter_frame=moment.enter_frame,
        enter=moment.enter,
        enter_frames=moment.enter_frames,
        leave_frame=moment.leave_frame,
        levels=list(moment.levels),
    )


@dataclass(frozen=True, slots=True)
class SceneDesigner:
    """Draws (or finds) what lies over the pictures of one film's scenes."""

    theme: Theme
    kicker: str
    language: str
    video: VideoFormat
    captions: CaptionStyle
    """How captions are drawn, or would be: a film with captions and one without look alike above them."""

    store: Store

    @classmethod
    def of(cls, request: ExportRequest, script: Script, video: VideoFormat, store: Store) -> "SceneDesigner":
        """The designer of a film. Raises InvalidRequest: there is no such theme."""
        kicker = (request.brand.name if request.brand else "") or plain_text(script.title)
        theme = theme_of(request.theme, request.brand)
        return cls(theme, kicker, script.language, video, request.captions.style, store)

    @property
    def foot(self) -> int:
        """How many pixels at the foot belong to captions: two lines of them, or one of large ones."""
        width, height = self.video.width, self.video.height
        look = CaptionLook.of(width, height, self.captions)
        return look.bottom + round(look.em * (2.0 if self.captions == "pop" else 3.6))

    async def layers(self, scene: Scene, index: int, clock: Clock, *, opening: bool) -> tuple[list[Layer], bool]:
        """What lies over the picture of scene `index`, in the order of drawing, and whether it was drawn just now.

        Raises:
            InvalidScript: it does not fit the frame legibly, or a formula cannot be read.
            GlyphMissing: a character that no bundled font has.
        """
        page = self.page(scene)
        if page is None:
            return [], False
        stored, drawn = await self.draw(page, f"script.scenes[{index}]")
        times = moments(scene, stored, clock, opening=opening, brief=page.layout == "lower-third")
        return [_layer(part, moment) for part, moment in zip(stored, times, strict=True)], drawn

    async def centred(self, title: str, subtitle: str, clock: Clock, logo: RGB | None) -> list[Layer]:
        """A card of its own, before or after the scenes: its parts come one after the other. Raises like `layers`."""
        page = Page("centred", title, subtitle=subtitle, logo_height=logo.shape[0] if logo is not None else 0)
        stored, _ = await self.draw(page, "script.title")
        layers = [_layer(part, card_moment(part, clock)) for part in stored]
        if logo is None:
            return layers
        top = min(part.y for part in stored) - round(_LOGO_GAP * min(self.video.width, self.video.height))
        x = (self.video.width - logo.shape[1]) // 4 * 2
        y = max(0, top - logo.shape[0]) // 2 * 2
        mark = await self._stored(DrawnPart("rule", None, 0, x, y, logo))
        return [_layer(mark, Moment(0, "fade", clock.seconds(0.4))), *layers]

    def page(self, scene: Scene) -> Page | None:
        """What is laid out over a scene's picture; None where nothing is."""
        card = scene.visual is None or scene.visual.kind == "card"
        if card or is_designed(scene):
            layout: LayoutKind = "card"
            title = plain_text(scene.title or "") if is_designed(scene) else headline(scene)
        elif scene.title and plain_text(scene.title):
            layout, title = "lower-third", plain_text(scene.title)
        else:
            return None
        kicker = self.kicker if layout == "card" and self.kicker.casefold() != title.casefold() else ""
        return Page(layout, title, kicker, blocks=tuple(scene.blocks) if layout == "card" else ())

    async def draw(self, page: Page, field: str, *, ahead: bool = False) -> tuple[list[StoredPart], bool]:
        """The page's parts, stored, and whether they were drawn for this film. Raises like `layers`.

        What is drawn ahead, to see whether it fits, counts as made by whoever uses it first.
        """
        typesetter = Typesetter(self.video, self.language, self.theme, self.foot)
        key = _key(typesetter.input_of(page, field))
        if (found := await self._found("page", key)) is not None:
            return found, False
        parts = await self._found("page-ahead", key)
        if parts is None:
            self.store.may_make("page")
            drawn = await asyncio.to_thread(typesetter.draw, page, field)
            parts = [await self._stored(part) for part in drawn]
        await self.store.remember("page-ahead" if ahead else "page", key, _StoredPage(parts=parts))
        return parts, True

    async def _found(self, kind: str, key: str) -> list[StoredPart] | None:
        page = await self.store.recall(kind, key, _StoredPage)
        there = page is not None and all([await self.store.has(part.image) for part in page.parts])
        return page.parts if page is not None and there else None

    async def _stored(self, part: DrawnPart) -> StoredPart:
        ref = await self.store.put_bytes(await asyncio.to_thread(_png, part), "image/png")
        return StoredPart(role=part.role, block=part.block, index=part.index, x=part.x, y=part.y, image=ref)


def _key(drawn_from: str) -> str:
    """By what a page is drawn from and with: whatever does not show is no part of it."""
    versions = tool_versions()
    return cache_key(LAYOUT_VERSION, *(versions.get(name, "") for name in _DRAWN_WITH), drawn_from)


def _png(part: DrawnPart) -> bytes:
    bgra = cv2.cvtColor(part.pixels, cv2.COLOR_RGBA2BGRA)
    return bytes(cv2.imencode(".png", bgra, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1])


async def check_designs(request: ExportRequest, script: Script, store: Store, report: Report) -> None:
    """Draws everything that is laid out, before anything is spoken; composition finds what was drawn.

    Raises like `SceneDesigner.layers`.
    """
    video = resolve(request.video)
    if not video.has_picture:
        return
    designer = SceneDesigner.of(request, script, video, store)
    if request.opening:
        title = plain_text(script.title) or headline(script.scenes[0])
        brand = request.brand.name if request.brand else ""
        await designer.draw(Page("centred", title, subtitle=brand), "script.title", ahead=True)
    for index, scene in enumerate(script.scenes):
        if index % _TOLD == _TOLD - 1:
            report(index / len(script.scenes), f"Laying out scene {index + 1}")
        if page := designer.page(scene):
            await designer.draw(page, f"script.scenes[{index}]", ahead=True)
