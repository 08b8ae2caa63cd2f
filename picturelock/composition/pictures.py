"""The pictures of scenes, ready to move: stills at the size their motion needs, clips cut, cards with their text."""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import cv2

from picturelock.composition import cards
from picturelock.composition.clips import cut_clip
from picturelock.models import ArtifactRef, Model, Motion, Scene, ScenePicture, Script, TextLayer, VideoFormat, Visual
from picturelock.render import i420, motion, stills
from picturelock.script.markdown import plain_text
from picturelock.store.hashing import cache_key
from picturelock.store.scratch import workspace
from picturelock.store.store import Store
from picturelock.text.ass import TextBlock, draw_mask
from picturelock.text.fonts import drawable_text

VERSION: Final = "7"
Colors = tuple[tuple[int, int, int], tuple[int, int, int]]
Advance = Callable[[float], None]


class _StoredPicture(Model):
    picture: ScenePicture


@dataclass(slots=True)
class Notes:
    """What there is to tell of a composition: warnings, and how many pictures were found and how many made."""

    warnings: list[str] = field(default_factory=list)
    found: int = 0
    made: int = 0


@dataclass(frozen=True, slots=True)
class PictureMaker:
    """Makes (or finds) the pictures of one script."""

    script: Script
    video: VideoFormat
    store: Store
    scratch: Path
    notes: Notes
    _masks: dict[TextBlock, asyncio.Task[tuple[ArtifactRef, int]]] = field(init=False, default_factory=dict)
    """Masks that are drawn or being drawn: the film's title is the same on all of its cards."""

    async def make(self, index: int, scene: Scene, frames: int, advance: Advance) -> ScenePicture:
        """The picture of scene `index`, which lasts so many frames. `advance` is told what share is done.

        Raises:
            AssetMissing, AssetUnreadable: a picture that was asked for cannot be shown.
            GlyphMissing, InvalidScript: a title cannot be drawn.
        """
        visual = scene.visual or Visual()
        if visual.kind == "clip":
            movement = motion.chosen(visual.motion, index, moves_itself=True)
            path = f"script.scenes[{index}].visual"
            ref, cut = await cut_clip(visual, path, frames, self.video.fps, self.store, advance)
            return ScenePicture(source=ref, clip=cut, motion=movement, description="clip")
        return await self._still(index, scene, visual, advance)

    async def _still(self, index: int, scene: Scene, visual: Visual, advance: Advance) -> ScenePicture:
        title, kicker = "", ""
        if visual.kind == "card":
            title, replaced = drawable_text(cards.headline(scene))
            kicker, more = drawable_text(plain_text(self.script.title))
            self.notes.warnings += [*replaced, *more]
        movement = motion.chosen(
            "zoom-in" if visual.kind == "card" and visual.motion == "auto" else visual.motion, index
        )
        if visual.kind == "color":
            movement = "none"
        colors = self._colors(visual, index)
        size = f"{self.video.width}x{self.video.height} {self.script.language}"
        key = cache_key(VERSION, visual.model_dump_json(), title, kicker, movement, size, str(colors), str(index))
        stored = await self.store.recall("picture", key, _StoredPicture)
        if stored is not None and await self._complete(stored.picture):
            self.notes.found += 1
            return stored.picture
        source = await self._drawn(visual, movement, colors, index)
        advance(0.5)
        layers = await self._text_layers(title, kicker, advance) if title else []
        description = f"{visual.kind} {title!r}" if title else visual.kind
        picture = ScenePicture(source=source, motion=movement, layers=layers, description=description)
        await self.store.remember("picture", key, _StoredPicture(picture=picture))
        self.notes.made += 1
        return picture

    async def _complete(self, picture: ScenePicture) -> bool:
        refs = [picture.source, *(layer.mask for layer in picture.layers)]
        return all([await self.store.has(ref) for ref in refs])

    def _colors(self, visual: Visual, index: int) -> Colors:
        given = [tuple(int(color[at : at + 2], 16) for at in (1, 3, 5)) for color in visual.colors]
        own = cards.palette(self.script, index)
        first = (given[0][0], given[0][1], given[0][2]) if given else own[0]
        second = (given[-1][0], given[-1][1], given[-1][2]) if given else own[1]
        return first, second

    async def _drawn(self, visual: Visual, movement: Motion, colors: Colors, index: int) -> ArtifactRef:
        width, height = motion.still_size(self.video.width, self.video.height, movement)
        if visual.kind == "image":
            _, ref = await self.store.asset(visual.asset_id or "")
            with workspace(self.scratch, "picture") as folder:
                picture = await stills.load_rgb(await self.store.local(ref, folder), (width, height), folder)
                drawn = await asyncio.to_thread(_prepare_image, picture, width, height, visual.fit, movement)
        else:
            lights = visual.kind == "card"
            drawn = await asyncio.to_thread(_prepare_gradient, colors, width, height, seed=index, lights=lights)
        return await self.store.put_bytes(drawn, "application/x-npy")

    async def _text_layers(self, title: str, kicker: str, advance: Advance) -> list[TextLayer]:
        layers: list[TextLayer] = []
        placed = cards.layout_text(title, kicker, self.script.language, (self.video.width, self.video.height))
        for text in placed:
            if text.block not in self._masks:
                self._masks[text.block] = asyncio.create_task(self._mask(text.block))
            ref, width = await self._masks[text.block]
            left = text.x - width if text.from_right else text.x
            x, y = max(0, left) // 2 * 2, text.y // 2 * 2
            layers.append(TextLayer(mask=ref, x=x, y=y, color=text.color, opacity=text.opacity))
            advance(0.5 + 0.5 * len(layers) / len(placed))
        return layers

    async def _mask(self, block: TextBlock) -> tuple[ArtifactRef, int]:
        """A text's stored mask, and its width."""
        mask = await draw_mask(block, self.scratch)
        png = bytes(cv2.imencode(".png", mask)[1])
        return await self.store.put_bytes(png, "image/png"), mask.shape[1]


def _prepare_image(picture: i420.RGB, width: int, height: int, fit: str, movement: Motion) -> bytes:
    fitted = stills.fit(picture, width, height, fit, inset=motion.contained_inset(movement))
    return i420.pack(i420.from_rgb(fitted))


def _prepare_gradient(colors: Colors, width: int, height: int, *, seed: int, lights: bool) -> bytes:
    digest = hashlib.sha256(repr((colors, seed)).encode()).digest()
    picture = cards.gradient(*colors, width, height, seed=int.from_bytes(digest[:4], "big"), lights=lights)
    return i420.pack(i420.from_rgb(picture))
