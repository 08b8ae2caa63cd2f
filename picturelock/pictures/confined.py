"""Pictures of strangers as the rest of the product sees them: decoded by a confined program, never in this process.

Example:
    >>> import asyncio
    >>> from tempfile import NamedTemporaryFile
    >>> with NamedTemporaryFile() as file:
    ...     _ = file.write(b"no picture"), file.flush()
    ...     asyncio.run(inspect(Path(file.name))) is None
    True
"""

import json
import os
import sys
from pathlib import Path
from typing import Any, Final

from picturelock.concurrency import Turns
from picturelock.errors import AssetUnreadable, DiskFull
from picturelock.ffmpeg.confinement import PICTURE, confined
from picturelock.ffmpeg.process import capture, redact
from picturelock.pictures import decoder

_SECONDS: Final = 30.0
_AT_ONCE: Final = max(2, os.cpu_count() or 1)
"""Pictures that are decoded at once in a process: each may take the memory of `confinement.PICTURE`."""

_TURNS: Final = Turns(_AT_ONCE)


async def inspect(path: Path) -> decoder.Picture | None:
    """What a picture is, found by decoding all of it; None when the file is no picture.

    Raises:
        AssetUnreadable: damaged, animated, too large, or of a format that is not supported.
    """
    found = (await _ask("inspect", str(path)))["picture"]
    return decoder.Picture(**found) if found else None


async def decode_rgb(path: Path, at_least: tuple[int, int], output: Path) -> tuple[int, int]:
    """Writes the picture's rows of sRGB, upright, transparent parts on white; returns its width and height.

    Large JPEGs are decoded near `at_least` (width, height). Raises AssetUnreadable.
    """
    width, height = (await _ask("rgb", str(path), str(output), *map(str, at_least)))["size"]
    return width, height


async def decode_rgba(path: Path, output: Path) -> tuple[int, int]:
    """Writes the picture's rows with their transparency, upright; returns its width and height.

    Raises:
        AssetUnreadable: it cannot be decoded.
    """
    width, height = (await _ask("rgba", str(path), str(output)))["size"]
    return width, height


async def _ask(*arguments: str) -> dict[str, Any]:
    command = confined([sys.executable, "-I", decoder.__file__, *arguments], PICTURE)
    try:
        async with _TURNS.turn():
            code, stdout, stderr = await capture(command, _SECONDS)
    except TimeoutError as error:
        raise AssetUnreadable("the picture could not be decoded in half a minute") from error
    said = stderr.decode(errors="replace")
    if "No space left on device" in said:
        raise DiskFull("there is no room to decode a picture")
    if code != 0:
        text = "the picture takes more memory or time to decode than a picture may"
        raise AssetUnreadable(text, detail=redact(said[-500:]) or None)
    answer: dict[str, Any] = json.loads(stdout)
    if "refused" in answer:
        raise AssetUnreadable(answer["refused"])
    return answer
