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

from picturelock.errors import PicturelockError
from picturelock.ffmpeg import runner
from picturelock.ffmpeg.packets import read_packets
from picturelock.finalize import mux
from picturelock.models import VideoFormat
from picturelock.render.encode import encode_segment
from picturelock.render.encoders import HARDWARE
from picturelock.render.i420 import Bytes2D, views
from picturelock.store.scratch import workspace

_FRAMES: Final = 12
_LOOK: Final = (64, 36)
"""Frames are compared at this size (width, height)."""

_TOLERANCE: Final = 8.0
_STALL_SECONDS: Final = 10.0
_TRIAL_SECONDS: Final = 25.0


@dataclass(frozen=True, slots=True)
class Trial:
    """How an encoder did; `failure` is empty when it can be used."""

    encoder: str
    failure: str = ""


async def find(video: VideoFormat, scratch: Path, report: Callable[[str], None] = lambda _: None) -> list[Trial]:
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
            return await _tried(encoder, video, scratch)
    except TimeoutError:
        return f"its trial was not over in {_TRIAL_SECONDS:.0f} s"
    except PicturelockError as error:
        return error.message
    except OSError as error:
        return f"{type(error).__name__}: {error.strerror}"


async def _tried(encoder: str, video: VideoFormat, scratch: Path) -> str:
    with workspace(scratch, "trial") as folder:
        pieces = [await _segment(encoder, video, folder, number) for number in range(2)]
        headers = {(await read_packets(piece.path)).extradata for piece in pieces}
        if len(headers) != 1:
            return "its segments do not have one set of headers"
        return _judge(await _joined(pieces, video.fps, folder))


async def _segment(encoder: str, video: VideoFormat, folder: Path, number: int) -> mux.Piece:
    path = folder / f"{number}.mp4"

    def draw(frame: int, out: Bytes2D) -> None:
        _pattern(number * _FRAMES + frame, out)

    await encode_segment(
        draw, _FRAMES, video, [], None, "en", path,
        encoder=encoder, environment={}, stall_seconds=_STALL_SECONDS, on_progress=lambda *_: None,
    )  # fmt: skip
    return mux.Piece(path, _FRAMES)


def _pattern(frame: int, out: Bytes2D) -> None:
    """A slope that becomes brighter, and a dark band that moves down: every frame is like no other."""
    planes = views(out)
    height, width = planes.y.shape
    slope = np.linspace(40, 120, width, dtype=np.float32)[None, :] + 3 * frame
    planes.y[:] = np.broadcast_to(slope, (height, width)).astype(np.uint8)
    band = height * frame // (2 * _FRAMES)
    planes.y[band : band + height // 8] = 24
    planes.u[:], planes.v[:] = 110, 150


async def _joined(pieces: list[mux.Piece], fps: int, folder: Path) -> bytes:
    """The luma of the joined segments, small, as strict decoding gives it."""
    film = folder / "film.mp4"
    listing = mux.listing(pieces, fps, film)
    source = ["-f", "concat", "-safe", "0", "-auto_convert", "0", "-i", str(listing)]
    await runner.run(["-v", "error", "-xerror", *source, "-c", "copy", str(film)], stall_seconds=_STALL_SECONDS)
    width, height = _LOOK
    look = f"scale={width}:{height}:flags=area:in_range=tv:out_range=tv,format=gray"
    done = await runner.run(
        ["-v", "error", "-xerror", "-i", str(film), "-vf", look, "-f", "rawvideo", "pipe:1"],
        stall_seconds=_STALL_SECONDS,
        read_stdout=True,
    )
    return done.stdout


def _judge(data: bytes) -> str:
    width, height = _LOOK
    count = len(data) // (width * height)
    if count != 2 * _FRAMES:
        return f"{count} of {2 * _FRAMES} frames came back"
    seen = np.frombuffer(data, np.uint8).reshape(count, height, width).astype(np.float32)
    drawn = np.empty((480, 640), np.uint8)
    for number in range(count):
        _pattern(number, drawn)
        small = cv2.resize(views(drawn).y, _LOOK, interpolation=cv2.INTER_AREA).astype(np.float32)
        off = float(np.mean(np.abs(seen[number] - small)))
        if off > _TOLERANCE:
            return f"frame {number} differs by {off:.1f} from what was drawn"
    return ""
