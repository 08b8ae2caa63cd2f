"""Contact sheets: the same moments of films before and after, to look at in a review."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from picturelock.ffmpeg import runner
from picturelock.ffmpeg.probe import probe
from picturelock.render.i420 import RGB, rgb_of_bytes

_MOMENTS: Final = 8
_WIDTH, _HEIGHT = 240, 136
_MARGIN, _HEAD = 8, 26
_GROUND, _TEXT = (32, 26, 24), (245, 238, 235)
"""Blue, green, red."""


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A film's moments, and what is written over them."""

    title: str
    pictures: Sequence[RGB]


async def row_of(title: str, film: Path) -> SheetRow:
    """Evenly spaced moments of a film; none of a file without pictures. Raises AssetUnreadable, RenderFailed."""
    probed = await probe(film)
    if probed.first("video") is None:
        return SheetRow(title, [])
    seconds = probed.format.duration or 0.0
    moments = [seconds * (index + 0.5) / _MOMENTS for index in range(_MOMENTS)]
    return SheetRow(title, [await _picture(film, moment) for moment in moments])


async def _picture(film: Path, seconds: float) -> RGB:
    scale = f"scale={_WIDTH}:{_HEIGHT}:force_original_aspect_ratio=decrease,pad={_WIDTH}:{_HEIGHT}:-1:-1"
    done = await runner.run(
        ["-v", "error", "-ss", f"{seconds:.3f}", "-i", str(film), "-frames:v", "1", "-vf", scale, "-f", "rawvideo",
         "-pix_fmt", "rgb24", "pipe:1"],
        stall_seconds=60,
        read_stdout=True,
    )  # fmt: skip
    return rgb_of_bytes(done.stdout, _WIDTH, _HEIGHT)


def write_sheet(rows: Sequence[SheetRow], path: Path) -> None:
    """Writes the rows as one picture, one below the other; the file's name says whether as PNG or JPEG."""
    height = _HEAD + _HEIGHT + _MARGIN
    size = (_MARGIN + height * max(1, len(rows)), _MARGIN + _MOMENTS * (_WIDTH + _MARGIN), 3)
    sheet = np.full(size, _GROUND, np.uint8)
    for number, row in enumerate(rows):
        top = _MARGIN + number * height
        title = row.title.encode("ascii", "replace").decode()
        cv2.putText(sheet, title, (_MARGIN, top + 16), cv2.FONT_HERSHEY_SIMPLEX, 0.55, _TEXT, 1, cv2.LINE_AA)
        for index, picture in enumerate(row.pictures):
            left = _MARGIN + index * (_WIDTH + _MARGIN)
            sheet[top + _HEAD : top + _HEAD + _HEIGHT, left : left + _WIDTH] = picture[:, :, ::-1]
    if not cv2.imwrite(str(path), sheet):
        raise OSError(f"{path}: the sheet cannot be written")
