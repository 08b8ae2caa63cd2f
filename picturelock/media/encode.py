"""Encodes a segment from drawn frames, so that segments join without re-encoding.

One thread an encoder and a closed GOP: x264's output depends on its threads, and the segment's hash on its output.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import ffmpeg

from picturelock.media import ffmpeg as runner
from picturelock.media.frames import Draw, feed
from picturelock.media.text import caption_document, check_fonts
from picturelock.models import Cue, VideoFormat
from picturelock.models.request import CaptionStyle

GOP_SECONDS: Final = 5
ENCODERS: Final = {"h264": "libx264", "h265": "libx265", "vp9": "libvpx-vp9", "av1": "libsvtav1"}
_AV1_PRESETS: Final = {"realtime": 10, "good": 8, "best": 5}
VERSION: Final = "2"
"""Part of every segment's key; raise it when the same spec would give other bytes."""

FrameProgress = Callable[[int, int], None]
"""Told how many frames of a segment are drawn, and how many are encoded."""

_TAGS: Final = {
    "color_primaries": "bt709",
    "color_trc": "bt709",
    "colorspace": "bt709",
    "color_range": "tv",
}


def encoder_options(video: VideoFormat) -> dict[str, str | int]:
    """The options of the encoder for a format, as ffmpeg's output options."""
    options: dict[str, str | int] = {
        "c:v": ENCODERS[video.codec],
        "crf": video.crf,
        "g": video.fps * GOP_SECONDS,
        "threads": 1,
        "pix_fmt": "yuv420p",
        **_TAGS,
    }
    if video.codec == "h264":
        options |= {
            "preset": video.encoder_preset,
            "profile:v": "high",
            "x264-params": "stitchable=1:open-gop=0",
        }
    elif video.codec == "h265":
        parameters = "open-gop=0:pools=none:frame-threads=1:repeat-headers=0:log-level=error"
        options |= {"preset": video.encoder_preset, "tag:v": "hvc1", "x265-params": parameters}
    elif video.codec == "av1":
        options |= {"preset": _AV1_PRESETS[video.encoder_preset], "svtav1-params": "lp=1"}
    else:
        options |= {"deadline": video.encoder_preset, "cpu-used": 5, "b:v": 0, "row-mt": 0}
    return options


async def encode_segment(  # noqa: PLR0913 - everything a segment is made of
    draw: Draw,
    frames: int,
    video: VideoFormat,
    cues: list[Cue],
    captions: CaptionStyle | None,
    language: str,
    output: Path,
    *,
    environment: dict[str, str],
    stall_seconds: float,
    on_progress: FrameProgress,
) -> None:
    """Draws and encodes `frames` frames into the MP4 file `output`. `on_progress` is told frames drawn and encoded.

    Raises:
        RenderFailed, RenderStalled, DiskFull: see `picturelock.media.ffmpeg.run`.
        GlyphMissing: libass had no font for a sign.
    """
    stream = ffmpeg.input(
        "pipe:0", format="rawvideo", pix_fmt="yuv420p", s=f"{video.width}x{video.height}", framerate=video.fps
    )
    stream = stream.filter("setparams", range="tv", color_primaries="bt709", color_trc="bt709", colorspace="bt709")
    if captions and cues:
        script = output.with_suffix(".ass")
        script.write_text(
            caption_document(cues, captions, (video.width, video.height), video.fps, language), encoding="utf-8"
        )
        stream = stream.filter("ass", filename=str(script))
    timescale = video.fps * 512
    target = stream.output(
        str(output),
        format="mp4",
        movie_timescale=timescale,
        video_track_timescale=timescale,
        **encoder_options(video),
    )
    drawn = 0

    def count(number: int) -> None:
        nonlocal drawn
        drawn = number

    done = await runner.run(
        ["-v", "info", *target.get_args()],
        stall_seconds=stall_seconds,
        feed=feed(draw, frames, video.width, video.height, count),
        on_progress=lambda progress: on_progress(drawn, progress.frame),
        environment=environment,
    )
    check_fonts(done.stderr)
