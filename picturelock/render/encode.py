"""Encodes a segment from drawn frames, so that segments join without re-encoding."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import ffmpeg

from picturelock.ffmpeg import runner
from picturelock.models import Cue, VideoFormat
from picturelock.models.request import CaptionStyle
from picturelock.render.encoders import encoding
from picturelock.render.frames import Draw, feed
from picturelock.text.ass import caption_document, check_fonts

VERSION: Final = "6"
"""Part of every segment's key; raise it when the same spec would give other bytes."""

FrameProgress = Callable[[int, int], None]
"""Told how many frames of a segment are drawn, and how many are encoded."""


async def encode_segment(  # noqa: PLR0913 - everything a segment is made of
    draw: Draw,
    frames: int,
    video: VideoFormat,
    cues: list[Cue],
    captions: CaptionStyle | None,
    language: str,
    output: Path,
    *,
    encoder: str,
    environment: dict[str, str],
    stall_seconds: float,
    on_progress: FrameProgress,
) -> None:
    """Draws and encodes `frames` frames into the MP4 file `output`. `on_progress` is told frames drawn and encoded.

    Raises:
        RenderFailed, RenderStalled, DiskFull: see `picturelock.ffmpeg.runner.run`.
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
    how = encoding(video, encoder)
    for name, argument in how.filters:
        stream = stream.filter(name, *([argument] if argument else []))
    timescale = video.fps * 512
    target = stream.output(
        str(output),
        format="mp4",
        movie_timescale=timescale,
        video_track_timescale=timescale,
        **how.options,
    )
    drawn = 0

    def count(number: int) -> None:
        nonlocal drawn
        drawn = number

    done = await runner.run(
        ["-v", "info", *how.program, *target.get_args()],
        stall_seconds=stall_seconds,
        feed=feed(draw, frames, video.width, video.height, count),
        on_progress=lambda progress: on_progress(drawn, progress.frame),
        environment=environment,
    )
    check_fonts(done.stderr)
