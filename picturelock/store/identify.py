"""Whether a file is a picture that can be used, found by decoding all of it. Needs Pillow and nothing else."""

import struct
import warnings
from pathlib import Path
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from picturelock.errors import AssetUnreadable

MAX_PIXELS: Final = 200_000_000
MAX_SIDE: Final = 20_000
MEDIA_TYPES: Final = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
}
DAMAGE: Final = (
    OSError, SyntaxError, ValueError, EOFError, TypeError, KeyError, struct.error, Image.DecompressionBombError,
)  # fmt: skip
"""What Pillow raises for files that are not what they say."""

Image.MAX_IMAGE_PIXELS = MAX_PIXELS


def picture(path: Path) -> tuple[str, int, int] | None:
    """Media type, width and height (after EXIF orientation) of a picture, or None when the file is none.

    The whole picture is decoded: a truncated file is a picture that cannot be read, not something else.

    Raises:
        AssetUnreadable: damaged, animated, too large, or of a format that is not supported.
    """
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path) as image:
            _check(image)
            media_type = MEDIA_TYPES[image.format or ""]
            image.load()
            width, height = ImageOps.exif_transpose(image).size
    except UnidentifiedImageError:
        return None
    except DAMAGE as error:
        raise AssetUnreadable(f"the picture is damaged: {error}") from error
    return media_type, width, height


def _check(image: Image.Image) -> None:
    if image.format not in MEDIA_TYPES:
        raise AssetUnreadable(f"pictures of format {image.format} are not supported; use PNG, JPEG or WebP")
    if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":
        raise AssetUnreadable("animated pictures are not supported; upload the animation as a film or one frame as PNG")
    if image.mode in {"I", "F"} and image.format == "TIFF":
        raise AssetUnreadable("pictures with 32 bits a channel are not supported; save it with 8 or 16 bits")
    if image.width * image.height > MAX_PIXELS:
        raise AssetUnreadable(f"the picture has more than {MAX_PIXELS // 10**6} megapixels")
    if max(image.size) > MAX_SIDE:
        raise AssetUnreadable(f"the picture's longest side is {max(image.size)} pixels; at most {MAX_SIDE} can be read")
