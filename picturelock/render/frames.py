"""Draws a segment's frames: moving stills, text and watermark over them, transitions between two scenes."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from picturelock.models import Motion
from picturelock.models.request import TransitionKind
from picturelock.render.i420 import Bytes2D, Planes, new_frame, views
from picturelock.render.motion import Mover

cv2.setNumThreads(1)  # a segment is one thread's work; slots are what uses the cores

_EDGE: Final = 0.12
"""How wide the soft edge of a wipe or dissolve is, as a share of the whole."""


ThreePlanes = tuple[Bytes2D, Bytes2D, Bytes2D]
"""Y, U and V of a part of the frame."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """A picture with transparency that is laid over frames at (x, y), both even.

    Of what is there `inverse_alpha` / 255 stays, and the `premultiplied` colour is added.

    Whole numbers are enough: a value is at most one step off, where it is neither covered nor free.
    """

    x: int
    y: int
    inverse_alpha: ThreePlanes
    premultiplied: ThreePlanes

    def over(self, out: Planes) -> None:
        """Composites onto a frame; what hangs out of it is cut off."""
        layers = zip(out, self.inverse_alpha, self.premultiplied, (1, 2, 2), strict=True)
        for plane, inverse_alpha, premultiplied, subsampling in layers:
            _composite(plane, inverse_alpha, premultiplied, self.x // subsampling, self.y // subsampling)


def _composite(plane: Bytes2D, inverse_alpha: Bytes2D, premultiplied: Bytes2D, x: int, y: int) -> None:
    height = min(inverse_alpha.shape[0], plane.shape[0] - y)
    width = min(inverse_alpha.shape[1], plane.shape[1] - x)
    region = plane[y : y + height, x : x + width]
    kept = cv2.multiply(region, inverse_alpha[:height, :width], scale=1 / 255)
    cv2.add(kept, premultiplied[:height, :width], dst=region)


@dataclass(frozen=True, slots=True)
class Picture:
    """One scene, ready to be drawn at any of its frames. `mover` gives what a frame shows."""

    mover: Callable[[int], Mover]
    overlays: tuple[Overlay, ...]
    scene_frames: int
    close: Callable[[], None] = lambda: None

    @classmethod
    def still(cls, picture: Bytes2D, motion: Motion, overlays: tuple[Overlay, ...], scene_frames: int) -> "Picture":
        """A scene that shows one still (I420)."""
        mover = Mover(views(picture), motion)
        return cls(lambda _: mover, overlays, scene_frames)

    def draw(self, frame: int, out: Bytes2D) -> None:
        """Draws the scene's frame number `frame` (from 0)."""
        target = views(out)
        self.mover(frame).draw(frame / max(1, self.scene_frames - 1), target)
        for overlay in self.overlays:
            overlay.over(target)


Draw = Callable[[int, Bytes2D], None]
"""Draws the segment's frame number n into an array of shape (height * 3 / 2, width)."""


def body(picture: Picture, first_frame: int, watermark: Overlay | None) -> Draw:
    """A piece of one scene."""

    def draw(number: int, out: Bytes2D) -> None:
        picture.draw(first_frame + number, out)
        if watermark:
            watermark.over(views(out))

    return draw


def transition(
    kind: TransitionKind,
    frames: int,
    leaving: tuple[Picture, int],
    coming: tuple[Picture, int],
    watermark: Overlay | None,
) -> Draw:
    """`frames` frames in which one scene becomes another; each scene comes with the frame it starts at.

    The first frame already shows some of what comes and the last some of what leaves: neither repeats a neighbour.
    """
    mix = _MIXERS[kind]
    scratch: list[Bytes2D] = []

    def draw(number: int, out: Bytes2D) -> None:
        if not scratch:
            scratch.append(np.empty_like(out))
        leaving[0].draw(leaving[1] + number, out)
        coming[0].draw(coming[1] + number, scratch[0])
        mix((number + 1) / (frames + 1), views(out), views(scratch[0]))
        if watermark:
            watermark.over(views(out))

    return draw


def _fade(share: float, out: Planes, coming: Planes) -> None:
    for plane, other in zip(out, coming, strict=True):
        cv2.addWeighted(plane, 1 - share, other, share, 0, dst=plane)


def _slide(share: float, out: Planes, coming: Planes) -> None:
    """The next scene pushes the present one out to the left, eased at both ends."""
    eased = share * share * (3 - 2 * share)
    for plane, other in zip(out, coming, strict=True):
        width = plane.shape[1]
        way = round(width * eased) if plane is not out.y else 2 * round(width * eased / 2)
        if way:
            plane[:, : width - way] = plane[:, way:].copy()
            plane[:, width - way :] = other[:, :way]


def _wipe(share: float, out: Planes, coming: Planes) -> None:
    """A soft edge moves from left to right."""
    for plane, other in zip(out, coming, strict=True):
        width = plane.shape[1]
        place = (np.arange(width, dtype=np.float32) + 0.5) / width
        mask = np.clip((share * (1 + _EDGE) - place) / _EDGE, 0, 1)
        _blend(plane, other, np.broadcast_to(mask, plane.shape))


def _dissolve(share: float, out: Planes, coming: Planes) -> None:
    """The next scene grows out of cloudy patches; the same patches at every size of the picture."""
    for plane, other in zip(out, coming, strict=True):
        cloud = _cloud(plane.shape[1], plane.shape[0])
        _blend(plane, other, np.clip((share * (1 + _EDGE * 3) - cloud) / (_EDGE * 3), 0, 1))


def _blend(plane: Bytes2D, other: Bytes2D, mask: npt.NDArray[np.float32]) -> None:
    mask = np.ascontiguousarray(mask, np.float32)
    plane[:] = cv2.blendLinear(plane, other, 1 - mask, mask)


_CLOUDS: dict[tuple[int, int], npt.NDArray[np.float32]] = {}


def _cloud(width: int, height: int) -> npt.NDArray[np.float32]:
    """Smooth noise with evenly distributed values from 0 to 1."""
    if (width, height) not in _CLOUDS:
        rng = np.random.default_rng(20)
        noise = cv2.resize(rng.random((18, 32), np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
        levels = np.sort(noise[::7, ::7].reshape(-1))
        ranks = np.searchsorted(levels, noise).astype(np.float32) / len(levels)
        _CLOUDS[(width, height)] = np.clip(ranks, 0, 1).astype(np.float32)
    return _CLOUDS[(width, height)]


_MIXERS: Final[dict[TransitionKind, Callable[[float, Planes, Planes], None]]] = {
    "none": _fade,
    "fade": _fade,
    "dissolve": _dissolve,
    "slide": _slide,
    "wipe": _wipe,
}


def color_overlay(x: int, y: int, mask: Bytes2D, yuv: tuple[int, int, int], opacity: float) -> Overlay:
    """An overlay of one colour from an 8-bit mask with even sides."""
    cover = _cover(mask, opacity)
    luma, chroma = cover[0], cover[1]
    y_value, u_value, v_value = yuv
    return _premultiplied(
        x, y, cover, (np.full_like(luma, y_value), np.full_like(chroma, u_value), np.full_like(chroma, v_value))
    )


def picture_overlay(x: int, y: int, frame: Bytes2D, mask: Bytes2D, opacity: float) -> Overlay:
    """An overlay of a picture (I420 frame) through an 8-bit mask of the same size."""
    planes = views(frame)
    return _premultiplied(x, y, _cover(mask, opacity), (planes.y, planes.u, planes.v))


def _cover(mask: Bytes2D, opacity: float) -> ThreePlanes:
    """What share of each pixel is covered, in 255ths."""
    luma = mask.astype(np.float32) * opacity
    half = cv2.resize(luma, (mask.shape[1] // 2, mask.shape[0] // 2), interpolation=cv2.INTER_AREA)
    chroma = np.rint(half).astype(np.uint8)
    return np.rint(luma).astype(np.uint8), chroma, chroma


def _premultiplied(x: int, y: int, cover: ThreePlanes, colors: ThreePlanes) -> Overlay:
    """Colours multiplied by their coverage, once for all frames."""
    luma, u, v = (cv2.multiply(color, part, scale=1 / 255) for color, part in zip(colors, cover, strict=True))
    premultiplied = np.asarray(luma, np.uint8), np.asarray(u, np.uint8), np.asarray(v, np.uint8)
    return Overlay(x, y, (255 - cover[0], 255 - cover[1], 255 - cover[2]), premultiplied)


def feed(draw: Draw, frames: int, width: int, height: int, drawn: Callable[[int], None]) -> Callable[[int], None]:
    """A writer of all frames to a pipe, for `picturelock.ffmpeg.runner.run`. `drawn` is told how many it has taken."""

    def write(descriptor: int) -> None:
        frame = new_frame(width, height)
        for number in range(frames):
            draw(number, frame)
            left = memoryview(frame.data).cast("B")
            while left:
                left = left[os.write(descriptor, left) :]
            drawn(number + 1)

    return write
