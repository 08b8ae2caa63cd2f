"""Inputs for benchmarks, generated: pictures as detailed as photographs, moving clips, music. Same seed, same bytes."""

import subprocess
import wave
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from picturelock.ffmpeg.tools import ffmpeg_path

RGB = npt.NDArray[np.uint8]
_SKIES = ((44, 62, 110), (96, 60, 88), (30, 80, 96), (120, 76, 48), (60, 74, 92))


def fractal(rng: np.random.Generator, width: int, height: int, octaves: int = 7) -> npt.NDArray[np.float32]:
    """Noise with detail at every scale, 0 to 1."""
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        size = (min(width, 4 * 2**octave * width // height + 2), min(height, 4 * 2**octave + 2))
        layer = rng.random((size[1], size[0]), np.float32)
        total += np.asarray(cv2.resize(layer, (width, height), interpolation=cv2.INTER_CUBIC), np.float32) / 1.8**octave
    return np.asarray((total - total.min()) / (np.ptp(total) + 1e-6), np.float32)


def landscape(seed: int, width: int = 2560, height: int = 1440) -> RGB:
    """A sky, ridges behind each other in haze, water: with the grain of a photograph."""
    rng = np.random.default_rng(seed)
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    sky = np.asarray(_SKIES[seed % len(_SKIES)], np.float32)
    picture = sky * (1 - down) + (sky * 0.5 + np.asarray((150, 130, 110), np.float32)) * down
    picture = picture + fractal(rng, width, height)[:, :, None] * 50 * (1 - down)
    rows = np.arange(height, dtype=np.float32)[:, None]
    for ridge in range(4):
        slope = fractal(rng, width, height, 6)[height // 2]
        line = height * (0.52 + 0.13 * ridge) - height * 0.42 * slope / (1 + 0.5 * ridge)
        cover = np.clip((rows - line[None, :]) / 2, 0, 1)[:, :, None]
        shade = sky * (0.75 - 0.17 * ridge) + np.asarray((12, 26, 18), np.float32) * ridge
        texture = (fractal(rng, width, height, 9)[:, :, None] - 0.5) * (60 + 24 * ridge)
        picture = picture * (1 - cover) + (shade + texture) * cover
    picture += rng.normal(0, 2.2, (height, width, 1)).astype(np.float32)
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


def save_photograph(path: Path, seed: int, width: int = 2560, height: int = 1440) -> Path:
    """A JPEG of a landscape."""
    cv2.imwrite(str(path), landscape(seed, width, height)[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])
    return path


def save_clip(path: Path, seconds: float = 4.0, size: str = "1280x720", rate: int = 25) -> Path:
    """A camera that flies along a landscape."""
    still = save_photograph(path.with_suffix(".still.jpg"), 11, 2400, 900)
    width, height = size.split("x")
    flight = f"crop={width}:{height}:x='20+t*180':y='60+20*sin(t*2)',noise=alls=5:allf=t,format=yuv420p"
    source = ("-loop", "1", "-framerate", f"{rate}", "-i", str(still), "-t", f"{seconds}")
    _ffmpeg(*source, "-vf", flight, "-preset", "veryfast", str(path))
    return path


def save_music(path: Path, seconds: float = 12.0) -> Path:
    """Slow chords in stereo."""
    rate = 48_000
    at = np.arange(int(seconds * rate), dtype=np.float64) / rate
    chords = ((220.0, 277.2, 329.6), (196.0, 246.9, 293.7), (174.6, 220.0, 261.6), (164.8, 207.7, 246.9))
    left, right = np.zeros_like(at), np.zeros_like(at)
    for number, chord in enumerate(chords):
        begin = number * seconds / 4
        shape = np.clip((at - begin) * 2, 0, 1) * np.exp(-np.clip(at - begin, 0, None) / 2.5) * (at >= begin)
        for voice, tone in enumerate(chord):
            sound = shape * np.sin(2 * np.pi * tone * at + voice) / 6
            left += sound * (1 - 0.25 * voice)
            right += sound * (0.5 + 0.25 * voice)
    both = (np.stack([left, right], axis=1) * 32_000).astype("<i2")
    with wave.open(str(path), "wb") as wav:
        wav.setnchannels(2)
        wav.setsampwidth(2)
        wav.setframerate(rate)
        wav.writeframes(both.tobytes())
    return path


def _ffmpeg(*arguments: str) -> None:
    subprocess.run([ffmpeg_path(), "-v", "error", "-y", *arguments], check=True)
