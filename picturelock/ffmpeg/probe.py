"""What a file is: ffprobe's answer as a typed record."""

import json
from pathlib import Path

from pydantic import BaseModel, ValidationError

from picturelock.errors import AssetUnreadable
from picturelock.ffmpeg.confinement import PROBE, confined
from picturelock.ffmpeg.foreign import BOUNDED, WHITELIST
from picturelock.ffmpeg.process import capture, redact
from picturelock.ffmpeg.tools import ffprobe_path

_TIMEOUT_SECONDS = 30
_ENTRIES = (
    "stream=index,codec_type,codec_name,profile,width,height,pix_fmt,sample_aspect_ratio,r_frame_rate,duration,"
    "sample_rate,channels,color_space,color_range,color_transfer,color_primaries"
    ":stream_disposition=attached_pic:format=format_name,duration,size"
)
"""Only what is used: a file may have megabytes of tags."""


class Disposition(BaseModel):
    """What a stream is for."""

    attached_pic: bool = False


class ProbedStream(BaseModel):
    """One stream. Numbers arrive as text and may be missing."""

    index: int = 0
    codec_type: str = ""
    codec_name: str = ""
    profile: str | int | None = None
    width: int | None = None
    height: int | None = None
    pix_fmt: str | None = None
    sample_aspect_ratio: str | None = None
    r_frame_rate: str = "0/0"
    duration: float | None = None
    sample_rate: int | None = None
    channels: int | None = None
    disposition: Disposition = Disposition()
    color_space: str | None = None
    color_range: str | None = None
    color_transfer: str | None = None
    color_primaries: str | None = None

    @property
    def frame_rate(self) -> float:
        """Frames per second; 0 when unknown."""
        above, _, below = self.r_frame_rate.partition("/")
        return float(above) / float(below) if below and float(below) else 0.0


class ProbedFormat(BaseModel):
    """The container."""

    format_name: str = ""
    duration: float | None = None
    size: int = 0


class Probe(BaseModel):
    """A probed file."""

    streams: list[ProbedStream] = []
    format: ProbedFormat = ProbedFormat()

    @property
    def demuxer(self) -> str:
        """Ffmpeg's name of the container."""
        return self.format.format_name

    def first(self, kind: str) -> ProbedStream | None:
        """The first stream of a kind (`video`, `audio`); cover art is no video."""
        streams = (stream for stream in self.streams if stream.codec_type == kind)
        return next((stream for stream in streams if not stream.disposition.attached_pic), None)


async def probe(path: Path) -> Probe:
    """Probes a file.

    Raises:
        AssetUnreadable: it is no media file.
    """
    command = [
        ffprobe_path(), "-v", "error", *WHITELIST, *BOUNDED, "-show_entries", _ENTRIES, "-of", "json", f"file:{path}",
    ]  # fmt: skip
    try:
        code, stdout, stderr = await capture(confined(command, PROBE), _TIMEOUT_SECONDS)
    except TimeoutError as error:
        raise AssetUnreadable("the file could not be probed in half a minute") from error
    if code != 0:
        said = redact(stderr.decode(errors="replace")[-500:])
        raise AssetUnreadable("the file is no picture, film or sound", detail=said)
    try:
        return Probe.model_validate(json.loads(stdout))
    except (ValidationError, ValueError) as error:
        raise AssetUnreadable("the file's properties make no sense", detail=str(error)[:500]) from error
