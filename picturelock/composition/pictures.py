"""The pictures of scenes, ready to move: stills at the size their motion needs, clips cut, what is drawn over them."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from picturelock.composition.clips import cut_clip
from picturelock.composition.scenes import backgrounds
from picturelock.composition.scenes.designer import SceneDesigner, is_designed
from picturelock.composition.scenes.reveals import Clock
from picturelock.models import ArtifactRef, Layer, Model, Motion, Scene, ScenePicture, VideoFormat, Visual
from picturelock.render import i420, motion, stills
from picturelock.script.spoken import spoken_text
from picturelock.store.hashing import cache_key
from picturelock.store.scratch import workspace
from picturelock.store.store import Store
from picturelock.themes import Theme, rgb_of

VERSION: Final = "10"
Advance = Callable[[float], None]
RGBColor = tuple[int, int, int]

_SHADE: Final = 0.8
"""How much of the theme's ground lies over a picture that has blocks drawn on it."""


_LOGO: Final = (0.42, 0.2)
"""How large a logo is at the most: shares of the frame's width and of its shorter side."""

_FOOT: Final = (0.66, 0.98)
"""Where captions may stand, in shares of the height."""

_BRIGHT: Final = 125
"""A luma at which white letters have a contrast of about 4:1 only."""


class _StoredStill(Model):
    source: ArtifactRef
    bright: bool


@dataclass(slots=True)
class Notes:
    """What there is to tell of a composition: warnings, and how many pictures were found and how many made.

    `missing` has the places in the film of pictures that would have to be made, where a store is only looked at.
    """

    warnings: list[str] = field(default_factory=list)
    found: int = 0
    made: int = 0
    missing: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class PictureMaker:
    """Makes (or finds) the pictures of one script."""

    designer: SceneDesigner
    video: VideoFormat
    store: Store
    scratch: Path
    notes: Notes
    _stills: dict[str, asyncio.Task[tuple[_StoredStill, bool]]] = field(init=False, default_factory=dict)
    """Stills that are there or being made: the background is the same for all cards."""

    async def make(self, index: int, scene: Scene, clock: Clock, advance: Advance, *, opening: bool) -> ScenePicture:
        """The picture of scene `index`. `advance` is told what share is done.

        Raises:
            AssetMissing, AssetUnreadable: a picture that was asked for cannot be shown.
            GlyphMissing, InvalidScript: what is drawn over it cannot be drawn, or does not fit.
        """
        visual = scene.visual or Visual()
        layers, drawn = await self.designer.layers(scene, index, clock, opening=opening)
        shaded = is_designed(scene) and visual.kind != "card"
        advance(0.3)
        if visual.kind == "clip":
            movement = motion.chosen(visual.motion, "", moves_itself=True)
            path = f"script.scenes[{index}].visual"
            ref, cut = await cut_clip(visual, path, clock.frames, self.video.fps, self.store, advance)
            shade = [await self._shade()] if shaded else []
            return ScenePicture(source=ref, clip=cut, motion=movement, layers=[*shade, *layers], description="clip")
        drift: tuple[float, float] | None = None
        if visual.kind == "card" and visual.motion == "auto":
            movement, drift = "pan-right", self._drift(scene, clock)
            still, made = await self._still("background", self._panorama, themed=True)
        else:
            movement = "none" if visual.kind == "color" else motion.chosen(visual.motion, _shown(visual, scene))
            what = f"{visual.model_dump_json(exclude={'alt'})} {movement} {shaded}"
            themed = shaded or visual.kind == "card" or (visual.kind == "color" and not visual.colors)
            draw = partial(self._drawn, visual, movement, shaded=shaded)
            still, made = await self._still(what, draw, themed=themed)
        self.notes.made += int(made or drawn)
        self.notes.found += int(not (made or drawn))
        return ScenePicture(
            source=still.source,
            motion=movement,
            drift=drift,
            layers=layers,
            bright=still.bright,
            description=visual.kind,
        )

    async def card(self, title: str, subtitle: str, clock: Clock, logo: str | None) -> ScenePicture:
        """A card before or after the scenes. Raises GlyphMissing, InvalidScript, AssetMissing, AssetUnreadable."""
        picture = await self._logo(logo) if logo else None
        layers = await self.designer.centred(title, subtitle, clock, picture)
        still, _ = await self._still("background", self._panorama, themed=True)
        drift = self._way(title, clock)
        return ScenePicture(
            source=still.source,
            motion="pan-right",
            drift=drift,
            layers=layers,
            bright=still.bright,
            description="title",
        )

    async def _logo(self, asset_id: str) -> i420.RGB:
        """A logo at the size of cards, with its transparency; even sides."""
        _, ref = await self.store.asset(asset_id)
        with workspace(self.scratch, "logo") as folder:
            rgba = await stills.load_rgba(await self.store.local(ref, folder), folder)
            scale = min(
                _LOGO[0] * self.video.width / rgba.shape[1],
                _LOGO[1] * min(self.video.width, self.video.height) / rgba.shape[0],
            )
            size = [max(2, 2 * round(side * scale / 2)) for side in (rgba.shape[1], rgba.shape[0])]
            return np.asarray(cv2.resize(rgba, size, interpolation=cv2.INTER_AREA), np.uint8)

    def _drift(self, scene: Scene, clock: Clock) -> tuple[float, float]:
        """Which part of the background a scene shows: a place of its own, and as far as its time takes it."""
        return self._way(scene.title or spoken_text(scene), clock)

    def _way(self, what: str, clock: Clock) -> tuple[float, float]:
        way = min(1.0, backgrounds.DRIFT * clock.frames / self.video.fps)
        seed = hashlib.sha256(what.encode()).digest()[0] / 255
        start = round(seed * (1 - way), 6)
        return start, round(start + way, 6)

    async def _still(
        self, what: str, make: Callable[[], Awaitable[i420.Bytes2D]], *, themed: bool
    ) -> tuple[_StoredStill, bool]:
        """A stored still, and whether it was made just now. One that is not `themed` is the same in every theme."""
        size = f"{self.video.width}x{self.video.height}"
        key = cache_key(VERSION, backgrounds.VERSION, what, size, repr(self.designer.theme) if themed else "")
        if key not in self._stills:
            self._stills[key] = asyncio.create_task(self._found_or_made(key, make))
        return await self._stills[key]

    async def _found_or_made(self, key: str, make: Callable[[], Awaitable[i420.Bytes2D]]) -> tuple[_StoredStill, bool]:
        stored = await self.store.recall("picture", key, _StoredStill)
        if stored is not None and await self.store.has(stored.source):
            return stored, False
        self.store.may_make("picture")
        frame = await make()
        source = await self.store.put_bytes(await asyncio.to_thread(i420.pack, frame), "application/x-npy")
        made = _StoredStill(source=source, bright=_is_bright(frame))
        await self.store.remember("picture", key, made)
        return made, True

    async def _panorama(self) -> i420.Bytes2D:
        def drawn() -> i420.Bytes2D:
            wide = backgrounds.panorama(self.designer.theme, self.video.width, self.video.height)
            return i420.from_rgb(wide)

        return await asyncio.to_thread(drawn)

    async def _drawn(self, visual: Visual, movement: Motion, *, shaded: bool) -> i420.Bytes2D:
        size = motion.still_size(self.video.width, self.video.height, movement)
        shade = rgb_of(self.designer.theme.backgrounds[1]) if shaded else None
        if visual.kind == "image":
            _, ref = await self.store.asset(visual.asset_id or "")
            with workspace(self.scratch, "picture") as folder:
                picture = await stills.load_rgb(await self.store.local(ref, folder), size, folder)
                return await asyncio.to_thread(_prepare_image, picture, size, visual, movement, shade)
        if visual.kind == "card":
            return await asyncio.to_thread(_prepare_card, self.designer.theme, size)
        colors = [rgb_of(color) for color in visual.colors or self.designer.theme.backgrounds]
        return await asyncio.to_thread(_prepare_gradient, colors, size, shade)

    async def _shade(self) -> Layer:
        """The theme's ground over a whole clip that has blocks drawn on it."""
        red, green, blue = rgb_of(self.designer.theme.backgrounds[1])
        bgra = np.full((self.video.height, self.video.width, 4), (blue, green, red, round(255 * _SHADE)), np.uint8)
        ref = await self.store.put_bytes(bytes(cv2.imencode(".png", bgra)[1]), "image/png")
        return Layer(image=ref, x=0, y=0)


def _is_bright(frame: i420.Bytes2D) -> bool:
    """Whether a good part of the frame's foot is too bright for white letters."""
    luma = i420.views(frame).y
    foot = luma[int(_FOOT[0] * luma.shape[0]) : int(_FOOT[1] * luma.shape[0]) : 4, ::4]
    return float(np.quantile(foot, 0.75)) > _BRIGHT


def _shown(visual: Visual, scene: Scene) -> str:
    """What decides how a picture moves: itself, wherever its scene stands."""
    return visual.asset_id or scene.title or spoken_text(scene)


def _prepare_image(
    picture: i420.RGB, size: tuple[int, int], visual: Visual, movement: Motion, shade: RGBColor | None
) -> i420.Bytes2D:
    focus = (visual.focus.x, visual.focus.y) if visual.focus else None
    fitted = stills.fit(picture, *size, visual.fit, inset=motion.contained_inset(movement), focus=focus)
    return i420.from_rgb(_shaded(fitted, shade))


def _prepare_card(theme: Theme, size: tuple[int, int]) -> i420.Bytes2D:
    wide = backgrounds.panorama(theme, *size)
    return i420.from_rgb(np.ascontiguousarray(wide[:, : size[0]]))


def _prepare_gradient(colors: list[RGBColor], size: tuple[int, int], shade: RGBColor | None) -> i420.Bytes2D:
    picture = backgrounds.gradient(colors[0], colors[-1], *size)
    return i420.from_rgb(_shaded(picture, shade))


def _shaded(picture: i420.RGB, shade: RGBColor | None) -> i420.RGB:
    if shade is None:
        return picture
    mixed = picture.astype(np.float32) * (1 - _SHADE) + np.array(shade, np.float32) * _SHADE
    return np.asarray(np.rint(mixed), np.uint8)
