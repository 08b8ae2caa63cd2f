"""Finds a hardware encoder that can be trusted with a whole film, by trying each one on a few frames.

A trial is what a film is: two segments, encoded apart, joined by stream copy, decoded strictly, and compared frame by
frame with what was drawn. An encoder that is listed, or even opens, has not shown any of that.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from picturelock.errors import PicturelockError
from picturelock.ffmpeg import runner
from picturelock.ffmpeg.concat import SegmentFile, concat_list
from picturelock.ffmpeg.luma import decode_luma
from picturelock.ffmpeg.packets import read_packets
from picturelock.models import SegmentSpec, VideoFormat
from picturelock.render.encode import EncoderRun, encode_segment
from picturelock.render.encoders import HARDWARE
from picturelock.render.i420 import Bytes2D, views
from picturelock.store.scratch import workspace

_FRAMES: Final = 12
_SIZE: Final = (64, 36)
"""Frames are compared at this size (width, height)."""

_TOLERANCE: Final = 8.0
_STALL_SECONDS: Final = 10.0
_TRIAL_SECONDS: Final = 25.0


@dataclass(frozen=True, slots=True)
class Trial:
    """How an encoder did; `failure` is empty when it can be used."""

    encoder: str
    failure: str = ""


async def try_encoders(
    video: VideoFormat, scratch: Path, report: Callable[[str], None] = lambda _: None
) -> list[Trial]:
    """Tries the hardware encoders of the format's codec in order, up to the first that can be used.

    `report` is told each encoder before its trial, which no driver can keep for longer than a stall.
    """
    trials: list[Trial] = []
    for encoder in HARDWARE[video.codec]:
        report(encoder)
        trials.append(Trial(encoder, await _failure(encoder, video, scratch)))
        if not trials[-1].failure:
            break
    return trials


async def _failure(encoder: str, video: VideoFormat, scratch: Path) -> str:
    try:
        async with asyncio.timeout(_TRIAL_SECONDS):
            return await _try(encoder, video, scratch)
    except TimeoutError:
        return f"its trial was not over in {_TRIAL_SECONDS:.0f} s"
    except PicturelockError as error:
        return error.message
    except OSError as error:
        return f"{type(error).__name__}: {error.strerror}"


async def _try(encoder: str, video: VideoFormat, scratch: Path) -> str:
    """What is wrong with an encoder; nothing, where it can be used."""
    with workspace(scratch, "trial") as folder:
        segments = [await _segment(encoder, video, folder, number) for number in range(2)]
        headers = {(await read_packets(segment.path)).extradata for segment in segments}
        if len(headers) != 1:
            return "its segments do not have one set of headers"
        film = await _joined(segments, video.fps, folder)
        return _compare(await decode_luma(film, _SIZE, _STALL_SECONDS))


async def _segment(encoder: str, video: VideoFormat, folder: Path, number: int) -> SegmentFile:
    path = folder / f"{number}.mp4"
    spec = SegmentSpec(
        format=video, frames=_FRAMES, layers=[], transition="none", captions=None, cues=[], encoder=encoder
    )

    def draw(frame: int, out: Bytes2D) -> None:
        _pattern(number * _FRAMES + frame, out)

    await encode_segment(draw, spec, path, EncoderRun(environment={}, stall_seconds=_STALL_SECONDS))
    return SegmentFile(path, _FRAMES)


def _pattern(frame: int, out: Bytes2D) -> None:
    """A slope that becomes brighter, and a dark band that moves down: every frame is like no other."""
    planes = views(out)
    height, width = planes.y.shape
    slope = np.linspace(40, 120, width, dtype=np.float32)[None, :] + 3 * frame
    planes.y[:] = np.broadcast_to(slope, (height, width)).astype(np.uint8)
    band = height * frame // (2 * _FRAMES)
    planes.y[band : band + height // 8] = 24
    planes.u[:], planes.v[:] = 110, 150


async def _joined(segments: list[SegmentFile], fps: int, folder: Path) -> Path:
    film = folder / "film.mp4"
    source = ["-f", "concat", "-safe", "0", "-auto_convert", "0", "-i", str(concat_list(segments, fps, film))]
    await runner.run(["-v", "error", "-xerror", *source, "-c", "copy", str(film)], stall_seconds=_STALL_SECONDS)
    return film


def _compare(decoded: npt.NDArray[np.uint8]) -> str:
    """What is wrong with decoded frames beside the drawn ones; nothing, where they are the same."""
    if len(decoded) != 2 * _FRAMES:
        return f"{len(decoded)} of {2 * _FRAMES} frames came back"
    drawn = np.empty((480, 640), np.uint8)
    for number, picture in enumerate(decoded):
        _pattern(number, drawn)
        small = cv2.resize(views(drawn).y, _SIZE, interpolation=cv2.INTER_AREA).astype(np.float32)
        difference = float(np.mean(np.abs(picture - small)))
        if difference > _TOLERANCE:
            return f"frame {number} differs by {difference:.1f} from what was drawn"
    return ""
