"""Pictures, clips and sounds to make films of: small, and the same bytes on every machine."""

import subprocess
import wave
from pathlib import Path

import numpy as np
from PIL import Image

from picturelock.ffmpeg.tools import ffmpeg_path
from tests.films.studio import HEARD_RATE, Picture


def plain(path: Path, color: tuple[int, int, int], size: tuple[int, int] = (320, 180)) -> Path:
    """A picture of one colour."""
    Image.new("RGB", size, color).save(path)
    return path


def chart(width: int = 320, height: int = 200) -> Picture:
    """A picture that looks different in every part, mirrored, turned, or brought to another shape."""
    rows, columns = np.indices((height, width))
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:, :, 0] = columns * 255 // width
    picture[:, :, 1] = rows * 255 // height
    picture[:, :, 2] = ((rows // 20 + columns // 20) % 2) * 160
    round_ = (rows - height // 3) ** 2 + (columns - width // 4) ** 2 < (height // 6) ** 2
    picture[round_] = (250, 240, 30)
    picture[height // 2 : height // 2 + 6, :] = (20, 20, 20)
    return picture


def save_chart(path: Path, width: int = 320, height: int = 200) -> Path:
    """The chart as PNG."""
    Image.fromarray(chart(width, height)).save(path)
    return path


def save_mark(path: Path) -> Path:
    """A watermark: red in its left half, green in its right half, clear around it."""
    mark = np.zeros((40, 60, 4), np.uint8)
    mark[5:35, 5:30] = (230, 30, 30, 255)
    mark[5:35, 30:55] = (30, 230, 30, 255)
    Image.fromarray(mark).save(path)
    return path


def save_seconds(path: Path, colors: list[str], size: str = "160x120", sound: str = "") -> Path:
    """A clip that shows each colour for a second, with a tone (Hz) if one is given."""
    inputs = [part for color in colors for part in ("-f", "lavfi", "-i", f"color={color}:r=24:s={size}:d=1")]
    joined = "".join(f"[{number}]" for number in range(len(colors))) + f"concat=n={len(colors)}[v]"
    audio = ["-f", "lavfi", "-i", f"sine=f={sound}:d={len(colors)}"] if sound else []
    heard = ["-map", f"{len(colors)}:a"] if sound else []
    _ffmpeg(*inputs, *audio, "-filter_complex", joined, "-map", "[v]", *heard, "-pix_fmt", "yuv420p", str(path))
    return path


def save_clip_of(path: Path, still: Path) -> Path:
    """A clip of two seconds that shows a picture."""
    _ffmpeg("-loop", "1", "-framerate", "24", "-i", str(still), "-t", "2", "-pix_fmt", "yuv420p", str(path))
    return path


def save_hdr(path: Path) -> Path:
    """A clip in HDR (PQ, BT.2020): a ramp from black to 1,000 nits."""
    ramp = "nullsrc=s=192x108:r=24:d=1,format=yuv420p10le,geq=lum='64+X*600/W':cb=512:cr=512"
    tags = "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:range=limited:log-level=error:pools=none"
    _ffmpeg(
        "-f", "lavfi", "-i", ramp, "-c:v", "libx265", "-crf", "4", "-x265-params", tags, "-tag:v", "hvc1", str(path)
    )
    return path


def save_tone(path: Path, hertz: float, seconds: float = 1.5, level: float = 12_000) -> Path:
    """A tone as WAV."""
    at = np.arange(int(seconds * HEARD_RATE)) / HEARD_RATE
    samples = (np.sin(2 * np.pi * hertz * at) * level).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(HEARD_RATE)
        file.writeframes(samples.tobytes())
    return path


def _ffmpeg(*arguments: str) -> None:
    subprocess.run([ffmpeg_path(), "-v", "error", "-y", "-threads", "1", *arguments], check=True, timeout=60)
