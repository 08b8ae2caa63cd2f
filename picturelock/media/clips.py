"""Film clips as pictures: counted once, then read frame by frame on the film's own grid.

Frame n of the grid is what the clip shows at n / fps seconds, whatever its own frame rate. A reader may begin anywhere:
it seeks to the key frame before and lets ffmpeg's `fps` and `trim` filters find the same grid again, so that segments
which begin in the middle of a clip join without a doubled or a lost frame.
"""

import contextlib
import select
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from picturelock.errors import AssetUnreadable, RenderFailed
from picturelock.media import ffmpeg as runner
from picturelock.media.ffmpeg import Progress, die_with_parent
from picturelock.media.planes import Bytes2D
from picturelock.media.probe import ProbedStream, probe
from picturelock.media.tools import ffmpeg_path
from picturelock.models import ClipCut

_HDR: Final = frozenset({"smpte2084", "arib-std-b67"})
_TONE_MAP: Final = (
    "zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0,"
    "zscale=t=bt709:m=bt709:r=tv,format=yuv420p"
)
"""HDR to SDR; 203 nits is the reference white of ITU-R BT.2408."""

_HD_HEIGHT: Final = 720
_BACK_SECONDS: Final = 0.5
_READ_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class ClipFile:
    """A clip on disk, and what its pictures have to go through before they are scaled."""

    path: Path
    filters: tuple[str, ...]
    matrix: str
    full_range: bool

    @classmethod
    async def open(cls, path: Path) -> "ClipFile":
        """Probes a clip. Raises AssetUnreadable."""
        video = (await probe(path)).first("video")
        if video is None or not video.width or not video.height:
            raise AssetUnreadable("the clip has no pictures")
        return cls(path, _before_scaling(video), _matrix(video), video.color_range == "pc")

    async def count(self, cut: ClipCut, fps: int, stall_seconds: float, on_progress: Callable[[Progress], None]) -> int:
        """How many frames of the grid the clip really has from the cut's first one on, at most `cut.frames`.

        Raises:
            AssetUnreadable: the clip is damaged, or ends before the cut begins.
        """
        grid = f"fps={fps}:round=near,trim=start_pts={cut.first}:end_pts={cut.first + cut.frames}"
        try:
            done = await runner.run(
                ["-v", "error", "-xerror", *_seek(cut.first, fps), "-i", f"file:{self.path}", "-map", "0:v:0",
                 "-vf", grid, "-fps_mode", "passthrough", "-frames:v", str(cut.frames), "-f", "null", "-"],
                stall_seconds=stall_seconds,
                on_progress=on_progress,
            )  # fmt: skip
        except RenderFailed as error:
            raise AssetUnreadable("the clip is damaged", detail=error.detail) from error
        if done.progress.frame == 0:
            raise AssetUnreadable(f"the clip ends before {cut.first / fps:.1f} s")
        return done.progress.frame

    def filter_chain(self, first: int, fps: int, size: tuple[int, int], fit: str, inset: float = 1.0) -> str:
        """The filters from the decoder to frames of the wanted size in bt709, limited range.

        A contained clip is `inset` times smaller than it could be, so that motion leaves all of it in the frame.
        """
        width, height = size
        convert = (
            f"in_color_matrix={self.matrix}:in_range={'pc' if self.full_range else 'tv'}"
            ":out_color_matrix=bt709:out_range=tv"
        )
        grid = f"fps={fps}:round=near,trim=start_pts={first},setpts=PTS-STARTPTS"
        scaled = f"scale={width}:{height}:flags=bicubic+accurate_rnd:{convert}"
        if fit == "cover":
            scaled += f":force_original_aspect_ratio=increase,crop={width}:{height}"
        elif fit == "contain":
            inner = f"scale={2 * round(width / inset / 2)}:{2 * round(height / inset / 2)}"
            small = scaled.replace(f"scale={width}:{height}", inner)
            small += ":force_original_aspect_ratio=decrease:force_divisible_by=2"
            behind = f"{scaled}:force_original_aspect_ratio=increase,crop={width}:{height}"
            scaled = (
                f"split[a][b];[a]{behind},gblur=sigma={width / 40:.1f},eq=brightness=-0.08[back];"
                f"[b]{small}[front];[back][front]overlay=(W-w)/2:(H-h)/2"
            )
        return ",".join([grid, *self.filters, scaled, "format=yuv420p"])


def _seek(first: int, fps: int) -> list[str]:
    """To the key frame before; times count from the clip's first picture and are kept as they are."""
    seconds = max(0.0, first / fps - _BACK_SECONDS)
    return ["-noaccurate_seek", "-ss", f"{seconds:.3f}", "-copyts", "-start_at_zero"]


def _before_scaling(video: ProbedStream) -> tuple[str, ...]:
    found = []
    if video.sample_aspect_ratio not in {None, "1:1", "0:1", "N/A"}:
        found.append("scale=iw*sar:ih,setsar=1")
    if video.color_transfer in _HDR:
        found.append(_TONE_MAP)
    return tuple(found)


def _matrix(video: ProbedStream) -> str:
    """How the clip's colours are coded; what is not tagged is taken as players take it, by its size."""
    if video.color_transfer in _HDR:
        return "bt709"  # the tone map has converted it
    known = {"bt709": "bt709", "smpte170m": "bt601", "bt470bg": "bt601", "bt2020nc": "bt2020", "gbr": "bt709"}
    untagged = "bt709" if (video.height or 0) >= _HD_HEIGHT else "bt601"
    return known.get(video.color_space or "", untagged)


class ClipReader:
    """Reads a clip's frames, in order as quickly as they are decoded, out of order by beginning anew."""

    def __init__(self, file: ClipFile, cut: ClipCut, fps: int, size: tuple[int, int], inset: float = 1.0) -> None:
        self._file = file
        self._cut = cut
        self._fps = fps
        self._size = size
        self._inset = inset
        self._process: subprocess.Popen[bytes] | None = None
        self._at = -1
        width, height = size
        self._frame: Bytes2D = np.empty((height * 3 // 2, width), np.uint8)

    def frame(self, number: int) -> Bytes2D:
        """The picture at a scene's frame `number`; after the clip's end it begins anew, or stands still.

        Raises:
            RenderFailed: the clip cannot be read any more.
        """
        cut = self._cut
        wanted = number % cut.frames if cut.when_short == "loop" else min(number, cut.frames - 1)
        if wanted != self._at:
            if self._process is None or wanted != self._at + 1:
                self._begin(cut.first + wanted)
            self._read()
            self._at = wanted
        return self._frame

    def close(self) -> None:
        """Ends the decoder."""
        if self._process is not None:
            self._process.kill()
            if self._process.stdout:
                self._process.stdout.close()
            self._process.wait()
            self._process = None

    def _begin(self, first: int) -> None:
        self.close()
        chain = self._file.filter_chain(first, self._fps, self._size, self._cut.fit, self._inset)
        # It dies with the thread that reads it, should nobody close it.
        self._process = subprocess.Popen(
            [
                ffmpeg_path(), "-v", "quiet", "-nostdin", *_seek(first, self._fps), "-i", f"file:{self._file.path}",
                "-map", "0:v:0", "-vf", chain, "-fps_mode", "passthrough", "-threads", "1",
                "-f", "rawvideo", "-pix_fmt", "yuv420p", "pipe:1",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - nothing but one system call
        )  # fmt: skip

    def _read(self) -> None:
        stream = self._process.stdout if self._process else None
        left = memoryview(self._frame.data).cast("B")
        deadline = time.monotonic() + _READ_SECONDS
        while stream is not None and left:
            with contextlib.suppress(InterruptedError):
                ready, _, _ = select.select([stream], [], [], max(0.0, deadline - time.monotonic()))
                if not ready:
                    raise RenderFailed("the clip's decoder stands still")
                got = stream.readinto1(left)  # type: ignore[attr-defined] # a BufferedReader
                if not got:
                    raise RenderFailed("the clip ended before its time")
                left = left[got:]
