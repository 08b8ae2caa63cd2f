"""What is behind cards: a wide picture in the theme's colours, of which each scene shows a moving part."""

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from picturelock.render.i420 import RGB
from picturelock.themes import Theme, rgb_of

VERSION: Final = "1"
Relief = npt.NDArray[np.float32]
"""How much lighter each pixel is, in shares of the theme's relief; shape (height, width)."""

WIDE: Final = 2
"""How many frames wide the picture is."""

DRIFT: Final = 0.022
"""How far the picture moves in a second, as a share of the frame's width."""


def panorama(theme: Theme, width: int, height: int) -> RGB:
    """The background of a theme's cards for frames of (width, height); shape (height, 2 * width, 3)."""
    wide = WIDE * width
    across = np.linspace(-1, 1, wide, dtype=np.float32)[None, :]
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    share = np.clip(0.72 * down + 0.28 * across * across, 0, 1)
    rng = np.random.default_rng(11)
    lift = _PATTERNS[theme.pattern](rng, wide, height) * np.float32(theme.relief if theme.dark else -theme.relief)
    return _between(rgb_of(theme.backgrounds[0]), rgb_of(theme.backgrounds[1]), share, lift)


def gradient(first: tuple[int, int, int], second: tuple[int, int, int], width: int, height: int) -> RGB:
    """A diagonal gradient of two colours, dithered so that no bands show."""
    across = np.linspace(0, 0.45, width, dtype=np.float32)[None, :]
    down = np.linspace(0, 0.55, height, dtype=np.float32)[:, None]
    return _between(first, second, across + down, np.zeros((1, 1), np.float32))


def _between(first: tuple[int, int, int], second: tuple[int, int, int], share: Relief, lift: Relief) -> RGB:
    dither = np.random.default_rng(11).random(share.shape, np.float32) - 0.5
    channels = [
        cv2.addWeighted(share, float(there - here), lift + dither, 1, float(here), dtype=cv2.CV_8U)
        for here, there in zip(first, second, strict=True)
    ]
    return np.asarray(cv2.merge(channels), np.uint8)


def _circles(rng: np.random.Generator, width: int, height: int) -> Relief:
    """Soft discs of several sizes, each lighter where it overlaps another."""
    small = np.zeros((height // 2, width // 2), np.float32)
    for _ in range(26):
        radius = int(rng.uniform(0.07, 0.34) * small.shape[0])
        center = int(rng.uniform(0, 1) * small.shape[1]), int(rng.uniform(-0.1, 1.1) * small.shape[0])
        layer = np.zeros_like(small)
        cv2.circle(layer, center, radius, float(rng.uniform(0.35, 0.6)), -1, cv2.LINE_AA)
        small += layer
    return _grown(np.clip(small, 0, 1), width, height)


def _waves(rng: np.random.Generator, width: int, height: int) -> Relief:
    """Hills, one behind the other."""
    x = np.arange(width, dtype=np.float32)[None, :] / height
    y = np.arange(height, dtype=np.float32)[:, None] / height
    relief = np.zeros((height, width), np.float32)
    for hill in range(7):
        slow, quick = rng.uniform(3.0, 4.5), rng.uniform(7.0, 10.0)
        line = 0.12 + hill * 0.14 + 0.1 * np.sin(x * slow + rng.uniform(0, 6)) + 0.035 * np.sin(x * quick + hill)
        relief += np.clip((y - line) * height / 3, 0, 1).astype(np.float32) * np.float32(0.5 if hill % 2 else -0.5)
    return np.asarray(np.clip(relief - float(relief.min()), 0, 1), np.float32)


def _grid(_rng: np.random.Generator, width: int, height: int) -> Relief:
    """Fine lines, every fourth one stronger."""
    relief = np.zeros((height, width), np.float32)
    step, thin = height / 15, max(1, round(height / 540))
    for number in range(int(width / step) + 1):
        place = round(number * step)
        relief[:, place : place + thin * (2 if number % 4 == 0 else 1)] = 1.0 if number % 4 == 0 else 0.6
    for number in range(16):
        place = round(number * step)
        relief[place : place + thin] = np.maximum(relief[place : place + thin], 1.0 if number % 4 == 0 else 0.6)
    return relief


def _bands(rng: np.random.Generator, width: int, height: int) -> Relief:
    """Slanted bands of different widths."""
    relief = np.zeros((height, width), np.float32)
    place = -float(height)
    while place < width:
        wide = float(rng.uniform(0.08, 0.3)) * height
        corners = [
            (place + height * 0.5, 0.0),
            (place + wide + height * 0.5, 0.0),
            (place + wide, height),
            (place, height),
        ]
        cv2.fillConvexPoly(relief, np.array(corners, np.int32), float(rng.uniform(0.25, 1.0)), cv2.LINE_AA)
        place += wide * float(rng.uniform(1.2, 2.4))
    return relief


def _paper(rng: np.random.Generator, width: int, height: int) -> Relief:
    """The mottled grain of paper, coarse enough to be seen."""
    relief = np.zeros((height, width), np.float32)
    for cells, weight in ((7, 0.5), (22, 0.8)):
        noise = rng.random((cells, cells * width // height), np.float32)
        relief += weight * cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(relief / 1.3, 0, 1), np.float32)


def _dots(_rng: np.random.Generator, width: int, height: int) -> Relief:
    """A lattice of dots, larger towards the foot."""
    relief = np.zeros((height, width), np.float32)
    step = height / 13
    for row in range(14):
        for column in range(int(width / step) + 2):
            x = (column + 0.5 * (row % 2)) * step
            radius = step * (0.1 + 0.016 * row)
            cv2.circle(relief, (round(x * 8), round(row * step * 8)), round(radius * 8), 1.0, -1, cv2.LINE_AA, 3)
    return relief


def _grown(small: Relief, width: int, height: int) -> Relief:
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


_PATTERNS: Final = {
    "circles": _circles, "waves": _waves, "grid": _grid, "bands": _bands, "paper": _paper, "dots": _dots,
}  # fmt: skip
