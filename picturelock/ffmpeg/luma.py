"""The luma of a film's pictures, small, as strict decoding gives it: what a picture looks like to whoever checks it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from picturelock.ffmpeg import runner

_STALL_SECONDS: Final = 300.0
_KEY_FRAME: Final = re.compile(r"pts_time:([\d.]+)\s*\n[^\n]*YAVG=([\d.]+)")


async def decode_luma(
    path: Path, size: tuple[int, int], stall_seconds: float = _STALL_SECONDS
) -> npt.NDArray[np.uint8]:
    """Every picture of a file, in order: limited-range luma of shape (pictures, height, width), area-scaled.

    Raises:
        RenderFailed: it does not decode.
        RenderStalled: the decoder stands still for `stall_seconds`.
    """
    width, height = size
    graph = f"scale={width}:{height}:flags=area:in_range=tv:out_range=tv,format=gray"
    done = await runner.run(
        ["-v", "error", "-xerror", "-i", str(path), "-vf", graph, "-f", "rawvideo", "pipe:1"],
        stall_seconds=stall_seconds,
        read_stdout=True,
    )
    pictures = len(done.stdout) // (width * height)
    return np.frombuffer(done.stdout, np.uint8, pictures * width * height).reshape(pictures, height, width)


class KeyFrames(NamedTuple):
    """Mean luma of each key frame by its frame number, and what the decoder said."""

    luma: dict[int, float]
    stderr: str


async def key_frame_luma(path: Path, fps: int, on_progress: Callable[[runner.Progress], None]) -> KeyFrames:
    """Decodes the key frames alone, strictly. Raises like `decode_luma`."""
    # An area-scaled picture has the picture's mean; statistics of 1080p would cost most of the gate's time.
    graph = "scale=96:54:flags=area,signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-"
    done = await runner.run(
        ["-v", "error", "-xerror", "-skip_frame", "nokey", "-i", str(path), "-map", "0:v:0", "-vf", graph,
         "-fps_mode", "passthrough", "-f", "null", "-"],
        stall_seconds=_STALL_SECONDS,
        on_progress=on_progress,
        read_stdout=True,
    )  # fmt: skip
    readings = _KEY_FRAME.findall(done.stdout.decode())
    return KeyFrames({round(float(time) * fps): float(value) for time, value in readings}, done.stderr.strip())
