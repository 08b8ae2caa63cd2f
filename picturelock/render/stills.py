"""Uploaded pictures, decoded once and brought to the size and colours that their motion needs."""

import io
import warnings
from typing import Final

import cv2
import numpy as np
from PIL import Image, ImageCms, ImageOps

from picturelock.errors import AssetUnreadable
from picturelock.render.i420 import RGB
from picturelock.store.identify import DAMAGE

_BACKDROP: Final = (255, 255, 255)
_ORIENTATION: Final = 0x0112
_TURNED: Final = {5, 6, 7, 8}
"""EXIF orientations that exchange width and height."""


def load_rgb(data: bytes, at_least: tuple[int, int]) -> RGB:
    """The picture as sRGB, upright, transparent parts on white. Large JPEGs are decoded near `at_least` (w, h).

    Raises:
        AssetUnreadable: it cannot be decoded.
    """
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(data)) as image:
            turned = image.getexif().get(_ORIENTATION) in _TURNED
            image.draft(image.mode, at_least[::-1] if turned else at_least)
            upright = ImageOps.exif_transpose(image)
            return np.asarray(_to_srgb(upright), np.uint8)
    except DAMAGE as error:
        raise AssetUnreadable(f"the picture is damaged: {error}") from error


def load_rgba(data: bytes) -> RGB:
    """The picture with its transparency, shape (height, width, 4), upright. Raises AssetUnreadable."""
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(data)) as image:
            return np.asarray(_eight_bit(ImageOps.exif_transpose(image)).convert("RGBA"), np.uint8)
    except DAMAGE as error:
        raise AssetUnreadable(f"the picture is damaged: {error}") from error


def _to_srgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    image = _eight_bit(image)
    if image.mode in {"RGBA", "LA", "PA", "P"} or "transparency" in image.info:
        image = image.convert("RGBA")
        backdrop = Image.new("RGBA", image.size, (*_BACKDROP, 255))
        image = Image.alpha_composite(backdrop, image).convert("RGB")
    if profile and image.mode in {"RGB", "CMYK"}:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            return image.convert("RGB")
        return converted or image.convert("RGB")
    return image.convert("RGB")


def _eight_bit(image: Image.Image) -> Image.Image:
    """Deeper greys brought to 8 bits. 32-bit pictures say nothing of their range and are refused."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image, np.float32) / 257).astype(np.uint8))
    if image.mode in {"I", "F"}:
        raise AssetUnreadable("pictures with 32 bits a channel are not supported; save it with 8 or 16 bits")
    return image


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
