"""Loudness after ITU-R BS.1770 / EBU R 128, by ffmpeg's ebur128 filter."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from picturelock.ffmpeg import confinement, runner
from picturelock.ffmpeg.foreign import foreign_input
from picturelock.models import SAMPLE_RATE

SILENCE_LUFS: Final = -70.0
_INTEGRATED: Final = re.compile(r"I:\s+(-?[\d.]+|-inf|nan) LUFS")
_PEAK: Final = re.compile(r"Peak:\s+(-?[\d.]+|-inf|nan) dBFS")


@dataclass(frozen=True, slots=True)
class Loudness:
    """Integrated loudness (LUFS) and true peak (dBTP). Silence reads -70."""

    integrated: float
    true_peak: float


def parse(stderr: str) -> Loudness:
    """The summary that ebur128 writes at the end of a run."""
    summary = stderr[stderr.rfind("Summary:") :]
    return Loudness(_number(_INTEGRATED, summary), _number(_PEAK, summary))


def _number(pattern: re.Pattern[str], text: str) -> float:
    values = pattern.findall(text)
    return max(float(values[-1]), SILENCE_LUFS) if values and values[-1] not in {"-inf", "nan"} else SILENCE_LUFS


async def integrated_of_mono(samples: npt.NDArray[np.float32]) -> float:
    """Integrated loudness (LUFS) of 48 kHz mono samples as they sound from two loudspeakers: 3 LU more than mono."""
    data = memoryview(samples.astype("<f4", copy=False).data).cast("B")

    def write(descriptor: int) -> None:
        with open(descriptor, "wb", closefd=False) as pipe:
            pipe.write(data)

    graph = "pan=stereo|c0=c0|c1=c0,ebur128=framelog=quiet"
    source = ["-f", "f32le", "-ar", str(SAMPLE_RATE), "-ac", "1", "-i", "pipe:0"]
    done = await runner.run(["-v", "info", *source, "-af", graph, "-f", "null", "-"], stall_seconds=120, feed=write)
    return parse(done.stderr).integrated


async def measure(
    path: Path,
    on_progress: Callable[[runner.Progress], None] | None = None,
    *,
    repeats: int = 0,
    demuxer: str | None = None,
) -> Loudness:
    """Measures the first audio stream of a file, decoded strictly: a damaged stream raises RenderFailed.

    A stranger's file is opened by its `demuxer`; what we have made needs none. `repeats` plays the file again: the
    meter needs 0.4 s, and very short music is looped in the film too.
    """
    opened = foreign_input(path, demuxer) if demuxer else ["-i", str(path)]
    source = ["-xerror", "-stream_loop", str(repeats), *opened, "-map", "0:a:0"]
    done = await runner.run(
        ["-v", "info", *source, "-af", "ebur128=peak=true:framelog=quiet", "-f", "null", "-"],
        stall_seconds=300,
        on_progress=on_progress,
        limits=confinement.DECODER if demuxer else None,
    )
    return parse(done.stderr)
