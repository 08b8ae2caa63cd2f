"""Uploaded pictures, decoded once and brought to the size and colours that their motion needs."""

from pathlib import Path

import cv2
import numpy as np

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


def fit(picture: RGB, width: int, height: int, mode: str, inset: float = 1.0) -> RGB:
    """The picture at (width, height): cropped to cover, contained over its own blur, or stretched.

    A contained picture is made smaller by `inset`, so that motion does not carry it out of the frame.
    """
    if mode == "stretch":
        return _resize(picture, width, height)
    cover = _cover(picture, width, height)
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


def _cover(picture: RGB, width: int, height: int) -> RGB:
    source_height, source_width = picture.shape[:2]
    scale = max(width / source_width, height / source_height)
    crop_width = max(1, min(source_width, round(width / scale)))
    crop_height = max(1, min(source_height, round(height / scale)))
    left, top = (source_width - crop_width) // 2, (source_height - crop_height) // 2
    return _resize(picture[top : top + crop_height, left : left + crop_width], width, height)


def _resize(picture: RGB, width: int, height: int) -> RGB:
    shrinking = picture.shape[1] > width or picture.shape[0] > height
    method = cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (width, height), interpolation=method), np.uint8)
