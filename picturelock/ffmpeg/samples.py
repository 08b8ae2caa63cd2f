"""Samples in and out of files: 48 kHz WAV, trimming to the voice, resampling by ffmpeg."""

import io
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from picturelock.errors import AssetUnreadable, RenderFailed
from picturelock.ffmpeg import confinement, runner
from picturelock.ffmpeg.foreign import foreign_input
from picturelock.ffmpeg.probe import probe
from picturelock.models import SAMPLE_RATE

Mono = npt.NDArray[np.float32]
Stereo = npt.NDArray[np.float32]
_GATE_DB: Final = -45.0
_WINDOW: Final = SAMPLE_RATE // 200
_PIECE: Final = 10_000
LEAD_IN_SECONDS: Final = 0.015
LEAD_OUT_SECONDS: Final = 0.08


def decimated(samples: Mono, factor: int, taps: int = 96) -> Mono:
    """Every so-many-th sample, after a low-pass at the new half rate (a Hann-windowed sinc)."""
    at = np.arange(taps + 1) - taps / 2
    kernel = np.sinc(at * 0.92 / factor) * np.hanning(taps + 1)
    low = np.convolve(samples, (kernel / kernel.sum()).astype(np.float32), mode="same")
    return np.asarray(low[::factor], np.float32)


async def resample(samples: Mono, rate: int, wanted: int = SAMPLE_RATE) -> Mono:
    """Mono samples at another rate, 48 kHz unless said otherwise."""
    if rate == wanted:
        return samples
    data = samples.astype("<f4").tobytes()

    def write(descriptor: int) -> None:
        with open(descriptor, "wb", closefd=False) as pipe:
            pipe.write(data)

    return await _decode(["-f", "f32le", "-ar", str(rate), "-ac", "1", "-i", "pipe:0"], write, wanted)


async def decode_file(path: Path, max_seconds: float) -> Mono:
    """The first audio stream of a stranger's file as 48 kHz mono, of at most so many seconds.

    Raises:
        AssetUnreadable: it cannot be decoded to its end.
    """
    demuxer = (await probe(path)).demuxer
    try:
        source = ["-xerror", "-t", f"{max_seconds:.3f}", *foreign_input(path, demuxer), "-map", "0:a:0"]
        return await _decode(source, None, SAMPLE_RATE, confinement.DECODER)
    except RenderFailed as error:
        raise AssetUnreadable("the recording cannot be decoded", detail=error.detail) from error


async def _decode(
    source: list[str], feed: runner.Feed | None, rate: int, limits: confinement.Limits | None = None
) -> Mono:
    target = ["-ac", "1", "-ar", str(rate), "-f", "f32le", "pipe:1"]
    done = await runner.run(
        ["-v", "error", *source, *target], stall_seconds=120, feed=feed, read_stdout=True, limits=limits
    )
    return np.frombuffer(done.stdout, "<f4").astype(np.float32, copy=False)


def voiced_span(samples: Mono) -> tuple[int, int]:
    """First and last sample of the voice, with a few milliseconds before and after. (0, 0) for silence."""
    count = len(samples) // _WINDOW
    if count == 0:
        return (0, len(samples)) if np.any(samples) else (0, 0)
    windows = samples[: count * _WINDOW].reshape(count, _WINDOW)
    # A piece at a time: half an hour takes 345 MB, and its squares would take as much again.
    pieces = (windows[first : first + _PIECE] for first in range(0, count, _PIECE))
    level = np.sqrt(np.concatenate([np.mean(piece**2, axis=1) for piece in pieces]))
    loudest = float(level.max())
    if loudest <= 1e-5:
        return 0, 0
    active = np.flatnonzero(level > loudest * 10 ** (_GATE_DB / 20))
    start = max(0, int(active[0]) * _WINDOW - round(LEAD_IN_SECONDS * SAMPLE_RATE))
    end = min(len(samples), (int(active[-1]) + 1) * _WINDOW + round(LEAD_OUT_SECONDS * SAMPLE_RATE))
    return start, end


def faded(samples: Mono, milliseconds: float = 4.0) -> Mono:
    """The samples with short ramps at both ends, so that a cut does not click."""
    length = min(len(samples) // 2, round(milliseconds / 1000 * SAMPLE_RATE))
    if length == 0:
        return samples
    result = samples.copy()
    ramp = np.linspace(0, 1, length, dtype=np.float32)
    result[:length] *= ramp
    result[-length:] *= ramp[::-1]
    return result


def to_wav(samples: Mono) -> bytes:
    """16-bit mono WAV at 48 kHz."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(SAMPLE_RATE)
        for first in range(0, len(samples), _PIECE * _WINDOW):
            piece = samples[first : first + _PIECE * _WINDOW]
            wav.writeframes((np.clip(piece, -1, 1) * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def read_stereo(path: Path, chunk: int = 1 << 16) -> Iterator[Stereo]:
    """The samples of one of our own WAV files in chunks of shape (n, 2); a mono file sounds the same in both ears."""
    with wave.open(str(path), "rb") as wav:
        while data := wav.readframes(chunk):
            samples = np.frombuffer(data, "<i2").reshape(-1, wav.getnchannels()).astype(np.float32) / np.float32(32768)
            yield samples if samples.shape[1] == 2 else np.repeat(samples, 2, axis=1)


async def extract_stereo(path: Path, demuxer: str, start_seconds: float, samples: int, output: Path) -> None:
    """Writes a stretch of a film's own sound as 48 kHz stereo WAV of exactly so many samples, its ends faded.

    Sound that begins late, or has gaps, keeps its places beside the picture.

    Raises:
        AssetUnreadable: the sound is damaged.
    """
    seconds = samples / SAMPLE_RATE
    fade = min(0.02, seconds / 4)
    graph = (
        f"aresample={SAMPLE_RATE}:async=1:first_pts=0,aformat=channel_layouts=stereo,apad=whole_len={samples},"
        f"atrim=end_sample={samples},afade=t=in:d={fade:.4f},afade=t=out:st={seconds - fade:.4f}:d={fade:.4f}"
    )
    try:
        await runner.run(
            ["-v", "error", "-xerror", "-ss", f"{start_seconds:.6f}", "-t", f"{seconds:.6f}",
             *foreign_input(path, demuxer),
             "-map", "0:a:0", "-af", graph, "-c:a", "pcm_s16le", str(output)],
            stall_seconds=120,
            limits=confinement.DECODER,
        )  # fmt: skip
    except RenderFailed as error:
        raise AssetUnreadable("the clip's sound is damaged", detail=error.detail) from error
