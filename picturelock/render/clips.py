"""Film clips as pictures: counted once, then read frame by frame on the film's own grid.

Frame n of the grid is what the clip shows n / fps seconds after its container's beginning, whatever its own frame rate;
`origin` is the first one that it has. A reader may begin anywhere: it seeks to the key frame before and lets ffmpeg's
`fps` and `trim` filters find the same grid again, so that segments which begin in the middle of a clip join without a
doubled or a lost frame.
"""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from picturelock.errors import AssetUnreadable, RenderFailed
from picturelock.ffmpeg import confinement, runner
from picturelock.ffmpeg.foreign import foreign_input
from picturelock.ffmpeg.frame_reader import FrameReader
from picturelock.ffmpeg.probe import ProbedStream, probe
from picturelock.ffmpeg.runner import Progress
from picturelock.models import ClipCut
from picturelock.render.i420 import Bytes2D

_HDR: Final = frozenset({"smpte2084", "arib-std-b67"})
_TONE_MAP: Final = (
    "zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0,"
    "zscale=t=bt709:m=bt709:r=tv,format=yuv420p"
)
"""HDR to SDR; 203 nits is the reference white of ITU-R BT.2408."""

_HD_HEIGHT: Final = 720
_FIRST_FRAME: Final = re.compile(r"^0,[^,]*,\s*(-?\d+),", re.MULTILINE)
_BACK_SECONDS: Final = 0.5
_BACK_UNKNOWN_SECONDS: Final = 5.0
_REORDERED: Final = 17
_KEPT_BYTES: Final = 100_000_000


@dataclass(frozen=True, slots=True)
class ClipFile:
    """A clip on disk, and what its pictures have to go through before they are scaled."""

    path: Path
    demuxer: str
    stream: int
    back_seconds: float
    filters: tuple[str, ...]
    matrix: str
    full_range: bool

    @classmethod
    async def open(cls, path: Path) -> "ClipFile":
        """Probes a clip. Raises AssetUnreadable."""
        probed = await probe(path)
        video = probed.first("video")
        if video is None or not video.width or not video.height:
            raise AssetUnreadable("the clip has no pictures")
        # A picture may be coded up to 16 pictures away from where it is shown: the seek must land before all of them.
        back = max(_BACK_SECONDS, _REORDERED / video.frame_rate) if video.frame_rate > 0 else _BACK_UNKNOWN_SECONDS
        full_range = video.color_range == "pc"
        return cls(path, probed.demuxer, video.index, back, _before_scaling(video), _matrix(video), full_range)

    async def origin(self, fps: int) -> int:
        """The grid's frame at which the clip's pictures begin. Raises AssetUnreadable."""
        try:
            done = await runner.run(
                ["-v", "error", *self.source(0, fps), "-vf", f"fps={fps}:round=near", "-fps_mode", "passthrough",
                 "-frames:v", "1", "-f", "framehash", "-"],
                stall_seconds=60,
                read_stdout=True,
                limits=confinement.DECODER,
            )  # fmt: skip
        except RenderFailed as error:
            raise AssetUnreadable("the clip is damaged", detail=error.detail) from error
        match = _FIRST_FRAME.search(done.stdout.decode())
        if match is None:
            raise AssetUnreadable("the clip has no pictures")
        return int(match.group(1))

    async def count(self, cut: ClipCut, fps: int, stall_seconds: float, on_progress: Callable[[Progress], None]) -> int:
        """How many frames of the grid the clip really has from the cut's first one on, at most `cut.frames`.

        Raises:
            AssetUnreadable: the clip is damaged, or ends before the cut begins.
        """
        try:
            done = await runner.run(
                ["-v", "error", "-xerror", *self.source(cut.first, fps), "-vf", _grid(cut.first, fps),
                 "-fps_mode", "passthrough", "-frames:v", str(cut.frames), "-f", "null", "-"],
                stall_seconds=stall_seconds,
                on_progress=on_progress,
                limits=confinement.DECODER,
            )  # fmt: skip
        except RenderFailed as error:
            raise AssetUnreadable("the clip is damaged", detail=error.detail) from error
        if done.progress.frame == 0:
            raise AssetUnreadable(f"the clip ends before {cut.first / fps:.1f} s")
        return done.progress.frame

    def source(self, first: int, fps: int) -> list[str]:
        """Ffmpeg's arguments that read the clip from the key frame before a grid frame on, with its times kept."""
        seconds = max(0.0, first / fps - self.back_seconds)
        seek = ["-noaccurate_seek", "-ss", f"{seconds:.3f}", "-copyts", "-start_at_zero"]
        opened = foreign_input(self.path, self.demuxer)
        return ["-threads", "1", *seek, *opened, "-map", f"0:{self.stream}", "-filter_threads", "1"]

    def filter_chain(self, first: int, fps: int, size: tuple[int, int], fit: str, inset: float = 1.0) -> str:
        """The filters from the decoder to frames of the wanted size in bt709, limited range.

        A contained clip is `inset` times smaller than it could be, so that motion leaves all of it in the frame.
        """
        width, height = size
        convert = (
            f"in_color_matrix={self.matrix}:in_range={'pc' if self.full_range else 'tv'}"
            ":out_color_matrix=bt709:out_range=tv"
        )
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
        return ",".join([_grid(first, fps), *self.filters, scaled, "format=yuv420p"])


def _grid(first: int, fps: int) -> str:
    """The film's grid from a frame on."""
    return f"fps={fps}:round=near,trim=start_pts={first},setpts=PTS-STARTPTS"


def _before_scaling(video: ProbedStream) -> tuple[str, ...]:
    filters = []
    if video.sample_aspect_ratio not in {None, "1:1", "0:1", "N/A"}:
        filters.append("scale=iw*sar:ih,setsar=1")
    if video.color_transfer in _HDR:
        filters.append(_TONE_MAP)
    return tuple(filters)


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
        self._reader: FrameReader | None = None
        self._position = -1
        width, height = size
        self._thread = 0
        self._frame: Bytes2D = np.empty((height * 3 // 2, width), np.uint8)
        self._keeps = cut.when_short == "loop" and cut.frames * self._frame.nbytes <= _KEPT_BYTES
        self._kept: dict[int, Bytes2D] = {}
        """The frames of a short loop: they are decoded once, not at every round."""

    def frame(self, number: int) -> Bytes2D:
        """The picture at a scene's frame `number`; after the clip's end it begins anew, or stands still.

        Raises:
            RenderFailed: the clip cannot be read any more.
        """
        cut = self._cut
        wanted = number % cut.frames if cut.when_short == "loop" else min(number, cut.frames - 1)
        if wanted in self._kept:
            return self._kept[wanted]
        if wanted != self._position:
            reader = self._reader
            # A decoder dies with the thread that has started it.
            if reader is None or wanted != self._position + 1 or self._thread != threading.get_ident():
                reader = self._begin(cut.first + wanted)
            reader.read_into(memoryview(self._frame.data).cast("B"))
            self._position = wanted
        if self._keeps:
            self._kept[wanted] = self._frame.copy()
        return self._frame

    def close(self) -> None:
        """Ends the decoder."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _begin(self, first: int) -> FrameReader:
        """A decoder that delivers the grid's frames from one on.

        Wherever it begins, ffmpeg's `fps` and `trim` filters find the same grid again: the seek goes to the key frame
        before, with the clip's own times kept, and what comes before `first` is decoded and dropped.
        """
        self.close()
        self._thread = threading.get_ident()
        chain = self._file.filter_chain(first, self._fps, self._size, self._cut.fit, self._inset)
        self._reader = FrameReader([
            *self._file.source(first, self._fps),
            "-vf", chain, "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "yuv420p", "pipe:1",
        ])  # fmt: skip
        return self._reader
