"""Sub-pixel motion on stills: which part of the picture a frame shows.

The still is larger than the frame by `MARGIN`; every frame samples a rectangle of it bilinearly. ffmpeg's zoompan
rounds that rectangle to whole pixels (0.46 px RMS of jitter); an affine warp of the planes does not.
"""

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np

from picturelock.media.planes import Bytes2D, Planes
from picturelock.models import Motion

MARGIN: Final = 1.12
"""How much larger than the frame a moving still is."""

AUTO: Final[tuple[Motion, ...]] = ("zoom-in", "pan-right", "zoom-out", "pan-left")

_PATHS: Final[dict[Motion, Callable[[float], tuple[float, float, float]]]] = {
    # phase 0..1 -> (zoom 1..MARGIN, x -1..1, y -1..1): x and y as shares of the free way to each side
    "none": lambda _: (1.0, 0.0, 0.0),
    "zoom-in": lambda phase: (MARGIN**phase, 0.0, 0.0),
    "zoom-out": lambda phase: (MARGIN ** (1 - phase), 0.0, 0.0),
    "pan-right": lambda phase: (MARGIN, 2 * phase - 1, 0.0),
    "pan-left": lambda phase: (MARGIN, 1 - 2 * phase, 0.0),
    "pan-down": lambda phase: (MARGIN, 0.0, 2 * phase - 1),
    "pan-up": lambda phase: (MARGIN, 0.0, 1 - 2 * phase),
}


def chosen(motion: Motion, scene_index: int, *, moves_itself: bool = False) -> Motion:
    """`auto` made definite: always the same for the same place in the film; what moves itself is left alone."""
    if motion == "auto" and moves_itself:
        return "none"
    return AUTO[scene_index % len(AUTO)] if motion == "auto" else motion


def still_size(width: int, height: int, motion: Motion) -> tuple[int, int]:
    """The size of the still that `motion` needs in a frame of (width, height); even sides."""
    if motion == "none":
        return width, height
    return 2 * round(width * MARGIN / 2), 2 * round(height * MARGIN / 2)


def contained_inset(motion: Motion) -> float:
    """How much smaller than the still a picture must be, so that all of it stays in the frame throughout."""
    if motion == "none":
        return 1.0
    return MARGIN if motion.startswith("zoom") else MARGIN / (2 - MARGIN)


def draw(still: Planes, motion: Motion, phase: float, out: Planes) -> None:
    """Draws the still into `out` at `phase` (0 = the scene's first frame, 1 = its last)."""
    if motion == "none" and (still.width, still.height) == (out.width, out.height):
        for source, target in zip(still.each(), out.each(), strict=True):
            target[:] = source
        return
    zoom, x, y = _PATHS[motion](min(1.0, max(0.0, phase)))
    for source, target in zip(still.each(), out.each(), strict=True):
        _warp(source, target, zoom, x, y)


def _warp(source: Bytes2D, target: Bytes2D, zoom: float, x: float, y: float) -> None:
    """Samples the rectangle of `source` that is 1/zoom of it, at (x, y) of its free way.

    Pixel centres lie at half-integers: target pixel i shows source position left + (i + 0.5) * scale - 0.5.
    """
    (height, width), (target_height, target_width) = source.shape, target.shape
    crop_width, crop_height = width / zoom, height / zoom
    left = (width - crop_width) / 2 * (1 + x)
    top = (height - crop_height) / 2 * (1 + y)
    scale_x, scale_y = crop_width / target_width, crop_height / target_height
    matrix = np.array(
        [[scale_x, 0.0, left + 0.5 * scale_x - 0.5], [0.0, scale_y, top + 0.5 * scale_y - 0.5]], np.float64
    )
    cv2.warpAffine(
        source,
        matrix,
        (target_width, target_height),
        dst=target,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
