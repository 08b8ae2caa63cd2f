"""Sub-pixel motion on stills: which part of the picture a frame shows.

The still is larger than the frame by `MARGIN`; every frame samples a rectangle of it bilinearly. ffmpeg's zoompan
rounds that rectangle to whole pixels (0.46 px RMS of jitter). An affine warp of the planes does not, but it takes
three times as long as the two things that are drawn here: a zoom is a resize of each quadrant, which begins at the
point that stands still, and a pan is a mean of two neighbouring pixels.
"""

import hashlib
import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from picturelock.models import Motion
from picturelock.render.i420 import Bytes2D, Planes

MARGIN: Final = 1.12
"""How much larger than the frame a moving still is."""

_SLACK: Final = 1.004
"""What stands still in a zoom lies on a pixel's edge next to the middle: up to two pixels off."""

AUTO: Final[tuple[Motion, ...]] = ("zoom-in", "pan-right", "zoom-out", "pan-left")


def chosen(motion: Motion, what: str, *, moves_itself: bool = False) -> Motion:
    """`auto` made definite: always the same for what is shown, wherever it stands; what moves itself is left alone."""
    if motion == "auto" and moves_itself:
        return "none"
    return AUTO[hashlib.sha256(what.encode()).digest()[0] % len(AUTO)] if motion == "auto" else motion


def eased(share: float) -> float:
    """How far a motion is after `share` of its time: a cubic that begins and ends at a quarter of the mean pace.

    It never stands still: sub-pixel steps that are too small to be seen would come in jerks.

    >>> eased(0.0), eased(0.5), eased(1.0)
    (0.0, 0.5, 1.0)
    """
    share = min(1.0, max(0.0, share))
    return 0.25 * share + 0.75 * share * share * (3 - 2 * share)


def still_size(width: int, height: int, motion: Motion) -> tuple[int, int]:
    """The size of the still that `motion` needs in a frame of (width, height); even sides."""
    if motion == "none":
        return width, height
    return 2 * round(width * MARGIN / 2), 2 * round(height * MARGIN / 2)


def contained_inset(motion: Motion) -> float:
    """How much smaller than the still a picture must be, so that all of it stays in the frame throughout."""
    if motion == "none":
        return 1.0
    return _SLACK * (MARGIN if motion.startswith("zoom") else MARGIN / (2 - MARGIN))


class Mover:
    """A still that is ready to be drawn at any phase of its motion (0 = the scene's first frame, 1 = its last)."""

    def __init__(self, still: Planes, motion: Motion) -> None:
        self._still = still
        self._motion = motion
        self._zoom: _Zoom | None = None

    def draw(self, phase: float, out: Planes) -> None:
        """Draws the still into `out`; see `still_size` for how large it has to be."""
        phase = min(1.0, max(0.0, phase))
        match self._motion:
            case "zoom-in":
                self._zoomed(out).draw(1 - phase, out)
            case "zoom-out":
                self._zoomed(out).draw(phase, out)
            case "pan-right" | "pan-down":
                _pan(self._still, phase, out, axis=1 if self._motion == "pan-right" else 0)
            case "pan-left" | "pan-up":
                _pan(self._still, 1 - phase, out, axis=1 if self._motion == "pan-left" else 0)
            case _:
                for source, target in zip(self._still, out, strict=True):
                    target[:] = source

    def _zoomed(self, out: Planes) -> "_Zoom":
        if self._zoom is None:
            self._zoom = _Zoom.of(self._still, out)
        return self._zoom


@dataclass(frozen=True, slots=True)
class _Zoom:
    """A still in quadrants around the point that stands still, each turned so that this point is its first corner.

    `fixed` is that point's (x, y) in the frame, in chroma pixels; `widest` is how many of the still's pixels a
    frame's pixel takes when as much of the still is seen as there is around that point.
    """

    quadrants: tuple[tuple[Bytes2D, Bytes2D, Bytes2D, Bytes2D], ...]
    fixed: tuple[int, int]
    widest: float

    @classmethod
    def of(cls, still: Planes, out: Planes) -> "_Zoom":
        (x, to_x, wide), (y, to_y, high) = (_fixed_point(still.u.shape[axis], out.u.shape[axis]) for axis in (1, 0))
        quadrants = tuple(_turned(plane, x * times, y * times) for plane, times in zip(still, (2, 1, 1), strict=True))
        return cls(quadrants, (to_x, to_y), min(wide, high))

    def draw(self, share: float, out: Planes) -> None:
        """Draws the still with `share` 0 at its own size, with 1 at its widest; in between by equal ratios."""
        scale = self.widest**share
        for turned, target, times in zip(self.quadrants, out, (2, 1, 1), strict=True):
            x, y = self.fixed[0] * times, self.fixed[1] * times
            _resize(turned[0], scale, target[y:, x:], None)
            _resize(turned[1], scale, target[y:, :x], 1)
            _resize(turned[2], scale, target[:y, x:], 0)
            _resize(turned[3], scale, target[:y, :x], -1)


def _fixed_point(still: int, out: int) -> tuple[int, int, float]:
    """The pixel boundary next to the middle, in the still and in the frame, and the largest scale around it."""
    there = out // 2
    here = round(still * there / out)
    return here, there, min(here / there, (still - here) / (out - there))


def _turned(plane: Bytes2D, x: int, y: int) -> tuple[Bytes2D, Bytes2D, Bytes2D, Bytes2D]:
    across, down, both = 1, 0, -1
    return (
        plane[y:, x:],
        _mirrored(plane[y:, :x], across),
        _mirrored(plane[:y, x:], down),
        _mirrored(plane[:y, :x], both),
    )


def _mirrored(part: Bytes2D, flip_code: int) -> Bytes2D:
    return np.asarray(cv2.flip(part, flip_code), np.uint8)


def _resize(quadrant: Bytes2D, scale: float, target: Bytes2D, flip: int | None) -> None:
    """Samples a quadrant from its first corner on, `scale` of its pixels for one of the target's.

    Pixel centres lie at half-integers: target pixel i shows position (i + 0.5) * scale - 0.5.
    """
    height, width = target.shape
    # `cv2.resize` takes whole corners only. Seen from the point that stands still, each quadrant begins at one; where
    # it ends does not matter, as long as it covers the target.
    rows, columns = _taken(height, scale), _taken(width, scale)
    if (round(rows / scale), round(columns / scale)) == (rows, columns):  # `resize` would copy what is so close to 1
        first = 0.5 * scale - 0.5
        matrix = np.array([[scale, 0.0, first], [0.0, scale, first]], np.float64)
        interpolation = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        drawn = cv2.warpAffine(quadrant, matrix, (width, height), flags=interpolation, borderMode=cv2.BORDER_REPLICATE)
    else:
        taken = quadrant[:rows, :columns]
        drawn = cv2.resize(taken, None, fx=1 / scale, fy=1 / scale, interpolation=cv2.INTER_LINEAR)
    if flip is None:
        target[:] = drawn[:height, :width]
    else:
        cv2.flip(drawn[:height, :width], flip, dst=target)


def _taken(count: int, scale: float) -> int:
    """How many pixels `count` of the target are sampled from: up to the last one's neighbour.

    `resize` makes round(taken / scale) of them, which is never less than `count`.
    """
    return math.floor((count - 0.5) * scale - 0.5) + 2


def _pan(still: Planes, phase: float, out: Planes, axis: int) -> None:
    """Shows the still at its own size, at `phase` of its free way along `axis` and in the middle of the other."""
    free = [have - shown for have, shown in zip(still.u.shape, out.u.shape, strict=True)]
    for source, target, times in zip(still, out, (2, 1, 1), strict=True):
        height, width = target.shape
        across = free[1 - axis] // 2 * times
        whole, part = divmod(free[axis] * times * phase, 1)
        along = int(whole)
        top, left = (along, across) if axis == 0 else (across, along)
        near = source[top : top + height, left : left + width]
        if part == 0:
            target[:] = near
            continue
        top, left = (top + 1, left) if axis == 0 else (top, left + 1)
        far = source[top : top + height, left : left + width]
        cv2.addWeighted(near, 1 - part, far, part, 0, dst=target)
