"""Encodes a segment from drawn frames, so that segments join without re-encoding."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import ffmpeg

from picturelock.ffmpeg import runner
from picturelock.models import SegmentSpec
from picturelock.render.encoders import encoding
from picturelock.render.frames import Draw, feed
from picturelock.text.ass import caption_document, check_fonts

VERSION: Final = "8"
"""Part of every segment's key; raise it when the same spec would give other bytes."""

FrameProgress = Callable[[int, int], None]
"""Told how many frames of a segment are drawn, and how many are encoded."""


@dataclass(frozen=True, slots=True)
class EncoderRun:
    """How ffmpeg is run for a segment: its environment, when it counts as stalled, who is told of progress."""

    environment: dict[str, str]
    stall_seconds: float
    on_progress: FrameProgress = lambda _drawn, _encoded: None


async def encode_segment(draw: Draw, spec: SegmentSpec, output: Path, run: EncoderRun) -> None:
    """Draws and encodes a segment's frames into the MP4 file `output`.

    Raises:
        RenderFailed, RenderStalled, DiskFull: see `picturelock.ffmpeg.runner.run`.
        GlyphMissing: libass had no font for a character.
    """
    video = spec.format
    stream = ffmpeg.input(
        "pipe:0", format="rawvideo", pix_fmt="yuv420p", s=f"{video.width}x{video.height}", framerate=video.fps
    )
    stream = stream.filter("setparams", range="tv", color_primaries="bt709", color_trc="bt709", colorspace="bt709")
    if spec.captions and spec.cues:
        script = output.with_suffix(".ass")
        size = (video.width, video.height)
        document = caption_document(spec.cues, spec.captions, size, video.fps, spec.language)
        script.write_text(document, encoding="utf-8")
        stream = stream.filter("ass", filename=str(script))
    encoder = encoding(video, spec.encoder)
    for name, argument in encoder.filters:
        stream = stream.filter(name, *([argument] if argument else []))
    timescale = video.fps * 512
    target = stream.output(
        str(output),
        format="mp4",
        movie_timescale=timescale,
        video_track_timescale=timescale,
        **encoder.options,
    )
    drawn = 0

    def count(number: int) -> None:
        nonlocal drawn
        drawn = number

    done = await runner.run(
        ["-v", "info", *encoder.program, *target.get_args()],
        stall_seconds=run.stall_seconds,
        feed=feed(draw, spec.frames, video.width, video.height, count),
        on_progress=lambda progress: run.on_progress(drawn, progress.frame),
        environment=run.environment,
    )
    check_fonts(done.stderr)
