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
from picturelock.render.motion import Mover, eased
from picturelock.render.overlays import Overlay, TimedOverlay

cv2.setNumThreads(1)  # a segment is one thread's work; slots are what uses the cores

_EDGE: Final = 0.12
"""How wide the soft edge of a wipe is, as a share of the whole."""

_CLOUD_EDGE: Final = 0.6
"""The same of a dissolve: most of the picture is on its way at any time."""

_TEXT_SHARE: Final = 0.45
"""Which share of a transition texts take to leave, and again to come."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One scene, ready to be drawn at any of its frames. `mover` gives what a frame shows."""

    mover: Callable[[int], Mover]
    overlays: tuple[TimedOverlay, ...]
    scene_frames: int
    close: Callable[[], None] = lambda: None
    drift: tuple[float, float] | None = None
    """The part of its way that it moves evenly; None: all of it, eased at both ends."""

    @classmethod
    def still(
        cls,
        picture: Bytes2D,
        motion: Motion,
        overlays: tuple[TimedOverlay, ...],
        scene_frames: int,
        drift: tuple[float, float] | None = None,
    ) -> "Picture":
        """A scene that shows one still (I420)."""
        mover = Mover(views(picture), motion)
        return cls(lambda _: mover, overlays, scene_frames, drift=drift)

    def draw(self, frame: int, out: Bytes2D) -> None:
        """Draws the scene's frame number `frame` (from 0)."""
        self.draw_ground(frame, out)
        self.draw_overlays(frame, out)

    def draw_ground(self, frame: int, out: Bytes2D) -> None:
        """Draws what lies under the scene's texts."""
        share = frame / max(1, self.scene_frames - 1)
        phase = eased(share) if self.drift is None else self.drift[0] + (self.drift[1] - self.drift[0]) * share
        self.mover(frame).draw(phase, views(out))

    def draw_overlays(self, frame: int, out: Bytes2D, opacity: float = 1.0) -> None:
        """Draws the scene's texts over a frame."""
        target = views(out)
        for overlay in self.overlays:
            overlay.over(frame, target, opacity)


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
    Texts are never over one another: those that leave have gone before those that come begin.
    """
    mix = _MIXERS[kind]
    scratch: list[Bytes2D] = []

    def draw(number: int, out: Bytes2D) -> None:
        if not scratch:
            scratch.append(np.empty_like(out))
        share = (number + 1) / (frames + 1)
        leaving[0].draw_ground(leaving[1] + number, out)
        coming[0].draw_ground(coming[1] + number, scratch[0])
        mix(share, views(out), views(scratch[0]))
        leaving[0].draw_overlays(leaving[1] + number, out, 1 - share / _TEXT_SHARE)
        coming[0].draw_overlays(coming[1] + number, out, (share - 1) / _TEXT_SHARE + 1)
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
    """The next scene grows out of large soft patches; the same patches at every size of the picture."""
    for plane, other in zip(out, coming, strict=True):
        cloud = _cloud(plane.shape[1], plane.shape[0])
        _blend(plane, other, np.clip((share * (1 + _CLOUD_EDGE) - cloud) / _CLOUD_EDGE, 0, 1))


def _blend(plane: Bytes2D, other: Bytes2D, mask: npt.NDArray[np.float32]) -> None:
    mask = np.ascontiguousarray(mask, np.float32)
    plane[:] = cv2.blendLinear(plane, other, 1 - mask, mask)


_CLOUDS: dict[tuple[int, int], npt.NDArray[np.float32]] = {}


def _cloud(width: int, height: int) -> npt.NDArray[np.float32]:
    """Smooth noise with evenly distributed values from 0 to 1."""
    if (width, height) not in _CLOUDS:
        rng = np.random.default_rng(20)
        noise = cv2.resize(rng.random((4, 7), np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
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
