"""Finds out what a picture is, and decodes it: a program of its own, which needs Pillow and nothing of ours.

    python -I decoder.py inspect PICTURE
    python -I decoder.py rgb PICTURE OUTPUT WIDTH HEIGHT
    python -I decoder.py rgba PICTURE OUTPUT

It answers with one JSON object on standard output. A decoder is where a stranger's file may do harm, so it runs under
limits and without secrets (`picturelock.pictures.confined`), never in the API or a worker. What it decodes goes into
OUTPUT as bare rows of pixels, a band at a time: of a picture there is one whole copy in memory, seldom two.
"""

import io
import json
import struct
import sys
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageCms,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

MAX_PIXELS: Final = 50_000_000
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
_READERS: Final = (
    JpegImagePlugin.JpegImageFile, PngImagePlugin.PngImageFile, WebPImagePlugin.WebPImageFile,
    GifImagePlugin.GifImageFile, BmpImagePlugin.BmpImageFile, TiffImagePlugin.TiffImageFile,
)  # fmt: skip
_FORMATS: Final = tuple(reader.format for reader in _READERS)
"""The only ones that are tried. MPO is a JPEG with more JPEGs behind it."""

_DAMAGE: Final = (
    OSError, SyntaxError, ValueError, EOFError, TypeError, KeyError, IndexError, struct.error,
)  # fmt: skip
"""What Pillow raises for files that are not what they say."""

_BACKDROP: Final = (255, 255, 255)
_ORIENTATION: Final = 0x0112
_TURNED: Final = {5, 6, 7, 8}
"""EXIF orientations that exchange width and height."""

_BAND_ROWS: Final = 512
_TOO_LARGE: Final = f"the picture has more than {MAX_PIXELS // 10**6} megapixels"
Image.MAX_IMAGE_PIXELS = MAX_PIXELS


class Refused(Exception):
    """The picture cannot be used; the message says why, to whoever has sent it."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's media type and size, after its EXIF orientation."""

    media_type: str
    width: int
    height: int


def inspect(path: Path) -> Picture | None:
    """What a picture is, or None when the file is none.

    The whole picture is decoded: a truncated file is a picture that cannot be read, not something else.

    Raises:
        Refused: damaged, animated, too large, or of a format that is not supported.
    """
    try:
        with _opened(path) as image:
            image.load()
            turned = image.getexif().get(_ORIENTATION) in _TURNED
            width, height = image.size[::-1] if turned else image.size
            return Picture(MEDIA_TYPES[image.format or ""], width, height)
    except UnidentifiedImageError:
        return None
    except _DAMAGE as error:
        raise Refused(f"the picture is damaged: {_first_line(error)}") from error


def write_rgb(path: Path, output: Path, at_least: tuple[int, int]) -> tuple[int, int]:
    """Writes the picture as sRGB, upright, transparent parts on white; returns its width and height.

    Large JPEGs are decoded near `at_least` (width, height). Raises Refused like `inspect`.
    """
    try:
        with _opened(path) as image:
            turned = image.getexif().get(_ORIENTATION) in _TURNED
            image.draft(image.mode, at_least[::-1] if turned else at_least)
            upright = ImageOps.exif_transpose(image)
            return _write(upright, output, _to_srgb)
    except _DAMAGE as error:
        raise Refused(f"the picture is damaged: {_first_line(error)}") from error


def write_rgba(path: Path, output: Path) -> tuple[int, int]:
    """Writes the picture with its transparency, upright; returns its width and height. Raises Refused."""
    try:
        with _opened(path) as image:
            upright = ImageOps.exif_transpose(image)
            return _write(upright, output, lambda band: _eight_bit(band).convert("RGBA"))
    except _DAMAGE as error:
        raise Refused(f"the picture is damaged: {_first_line(error)}") from error


def _opened(path: Path) -> Image.Image:
    try:
        with warnings.catch_warnings(action="ignore"):
            image = Image.open(path, formats=_FORMATS)
    except Image.DecompressionBombError as error:
        raise Refused(_TOO_LARGE) from error
    try:
        _check(image)
    except BaseException:
        image.close()
        raise
    return image


def _check(image: Image.Image) -> None:
    if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":
        raise Refused("animated pictures are not supported; upload the animation as a film or one frame as PNG")
    if image.mode in {"I", "F"} and image.format == "TIFF":
        raise Refused("pictures with 32 bits a channel are not supported; save it with 8 or 16 bits")
    if image.width * image.height > MAX_PIXELS:
        raise Refused(_TOO_LARGE)
    if max(image.size) > MAX_SIDE:
        raise Refused(f"the picture's longest side is {max(image.size)} pixels; at most {MAX_SIDE} can be read")
    # Pillow undoes this packing in Python, byte by byte: a small file could take minutes.
    if any(tile[0] == "bmp_rle" for tile in getattr(image, "tile", ())):
        raise Refused("packed BMP is not supported; save it as PNG")


def _write(image: Image.Image, output: Path, convert: Any) -> tuple[int, int]:  # noqa: ANN401 - a function of images
    with output.open("wb") as file:
        for band in _bands(image):
            file.write(convert(band).tobytes())
    return image.size


def _bands(image: Image.Image) -> Iterator[Image.Image]:
    for top in range(0, image.height, _BAND_ROWS):
        yield image.crop((0, top, image.width, min(top + _BAND_ROWS, image.height)))


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
        import numpy as np  # noqa: PLC0415 - a tenth of a second that few pictures need

        return Image.fromarray((np.asarray(image, np.float32) / 257).astype(np.uint8))
    if image.mode in {"I", "F"}:
        raise Refused("pictures with 32 bits a channel are not supported; save it with 8 or 16 bits")
    return image


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0][:200]


def main(arguments: list[str]) -> dict[str, Any]:
    """Does what the command line asks for; the answer."""
    what, path, *rest = arguments
    try:
        match what, rest:
            case "inspect", []:
                found = inspect(Path(path))
                return {"picture": asdict(found) if found else None}
            case "rgb", [output, width, height]:
                return {"size": write_rgb(Path(path), Path(output), (int(width), int(height)))}
            case "rgba", [output]:
                return {"size": write_rgba(Path(path), Path(output))}
    except UnidentifiedImageError:
        return {"refused": "the file is no picture that is supported"}
    except Refused as error:
        return {"refused": str(error)}
    except MemoryError:
        return {"refused": "the picture takes more memory to decode than a picture may"}
    raise ValueError(f"unknown: {arguments}")


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1:])))
