"""Uploaded pictures, decoded once and brought to the size and colours that their motion needs."""

from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from picturelock.pictures.confined import decode_rgb, decode_rgba
from picturelock.render.i420 import RGB


async def load_rgb(path: Path, at_least: tuple[int, int], folder: Path) -> RGB:
    """The picture as sRGB, upright, transparent parts on white. Large JPEGs are decoded near `at_least` (w, h).

    What is decoded lies in `folder`, for as long as it is used.

    Raises:
        AssetUnreadable: it cannot be decoded.
    """
    rows = folder / f"{path.name}.rgb"
    width, height = await decode_rgb(path, at_least, rows)
    return np.memmap(rows, np.uint8, "r", shape=(height, width, 3))


async def load_rgba(path: Path, folder: Path) -> RGB:
    """The picture with its transparency, shape (height, width, 4), upright. Raises AssetUnreadable."""
    rows = folder / f"{path.name}.rgba"
    width, height = await decode_rgba(path, rows)
    return np.memmap(rows, np.uint8, "r", shape=(height, width, 4))


def fit(
    picture: RGB, width: int, height: int, mode: str, inset: float = 1.0, focus: tuple[float, float] | None = None
) -> RGB:
    """The picture at (width, height): cropped to cover, contained over its own blur, or stretched.

    A contained picture is made smaller by `inset`, so that motion does not carry it out of the frame. `focus` is the
    place (x, y in shares) that a crop keeps in its middle as far as it can; None: what stands out most.
    """
    if mode == "stretch":
        return _resize(picture, width, height)
    cover = _cover(picture, width, height, focus)
    if mode == "cover":
        return cover
    small = _resize(cover, max(2, width // 16), max(2, height // 16))
    blurred = cv2.GaussianBlur(_resize(small, width, height), (0, 0), max(width, height) / 40)
    backdrop = np.asarray(blurred.astype(np.float32) * 0.6, np.uint8)
    scale = min(width / picture.shape[1], height / picture.shape[0]) / inset
    inner = _resize(picture, max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    left, top = (width - inner.shape[1]) // 2, (height - inner.shape[0]) // 2
    backdrop[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return backdrop


def _cover(picture: RGB, width: int, height: int, focus: tuple[float, float] | None) -> RGB:
    source_height, source_width = picture.shape[:2]
    scale = max(width / source_width, height / source_height)
    crop_width = max(1, min(source_width, round(width / scale)))
    crop_height = max(1, min(source_height, round(height / scale)))
    if focus is None:
        left, top = salient_crop(picture, crop_width, crop_height)
    else:
        left = min(max(0, round(focus[0] * source_width - crop_width / 2)), source_width - crop_width)
        top = min(max(0, round(focus[1] * source_height - crop_height / 2)), source_height - crop_height)
    return _resize(picture[top : top + crop_height, left : left + crop_width], width, height)


_SMALL: Final = 128
_LITTLE_CROPPED: Final = 0.94
"""Where so much of a side is kept, the middle is as good as any other place."""


def salient_crop(picture: RGB, width: int, height: int) -> tuple[int, int]:
    """Where (left, top) a crop of (width, height) holds most of what stands out of the picture.

    What stands out differs in colour from most of the picture, and is sharp; what is nearer to the middle counts a
    little more.
    """
    rows, columns = picture.shape[:2]
    middle = ((columns - width) // 2, (rows - height) // 2)
    if width >= columns * _LITTLE_CROPPED and height >= rows * _LITTLE_CROPPED:
        return middle
    scale = _SMALL / max(rows, columns)
    small = cv2.resize(
        picture, (max(2, round(columns * scale)), max(2, round(rows * scale))), interpolation=cv2.INTER_AREA
    )
    weight = _salience(np.asarray(small, np.uint8))
    across, down = weight.sum(axis=0), weight.sum(axis=1)
    return _best(across, width / columns) * columns // _STEPS, _best(down, height / rows) * rows // _STEPS


_STEPS: Final = 1_000


def _best(profile: npt.NDArray[np.float32], share: float) -> int:
    """The beginning (in thousandths) of the stretch of `share` that holds most of a profile; ties go to the middle."""
    free = 1.0 - share
    if free <= 0:
        return 0
    sums = np.concatenate([[0.0], np.cumsum(profile, dtype=np.float64)])
    places = np.linspace(0, free, 41)
    grid = np.linspace(0, 1, len(sums))
    held = np.interp(places + share, grid, sums) - np.interp(places, grid, sums)
    total = max(float(sums[-1]), 1e-9)
    held = held / total - 0.02 * np.abs(places - free / 2) / max(free, 1e-9)
    return round(float(places[int(np.argmax(held))]) * _STEPS)


def _salience(picture: RGB) -> npt.NDArray[np.float32]:
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.float32)
    typical = np.median(lab.reshape(-1, 3), axis=0)
    color = np.sqrt((((lab - typical) * np.array([0.6, 1.4, 1.4], np.float32)) ** 2).sum(axis=2))
    light = lab[:, :, 0]
    edges = np.abs(cv2.Sobel(light, cv2.CV_32F, 1, 0)) + np.abs(cv2.Sobel(light, cv2.CV_32F, 0, 1))
    sharp = cv2.GaussianBlur(edges, (0, 0), 3)
    weight = (color / max(float(color.max()), 1.0)) * (0.15 + sharp / max(float(sharp.max()), 1.0))
    return np.asarray(cv2.GaussianBlur(weight * weight, (0, 0), 2), np.float32)


def _resize(picture: RGB, width: int, height: int) -> RGB:
    shrinking = picture.shape[1] > width or picture.shape[0] > height
    method = cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (width, height), interpolation=method), np.uint8)
