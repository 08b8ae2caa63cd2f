"""Joins segments and sound into the film without re-encoding. Any warning at the join is an error.

A podcast has no segments; its sound gets the same title, language and chapters.
"""

from dataclasses import dataclass
from pathlib import Path

import ffmpeg

from picturelock.errors import OutputInvalid
from picturelock.ffmpeg import runner
from picturelock.finalize.chapters import Extras
from picturelock.languages import alpha3
from picturelock.models import VideoFormat


@dataclass(frozen=True, slots=True)
class Piece:
    """A segment's file and its length in frames."""

    path: Path
    frames: int


async def join(
    pieces: list[Piece], sound: Path, video: VideoFormat, title: str, language: str, extras: Extras, output: Path
) -> None:
    """Writes the film. The concat list carries each duration as frames / fps: MP4's own durations are rounded.

    Raises:
        OutputInvalid: ffmpeg warned about something.
    """
    streams = [ffmpeg.input(str(sound)).audio]
    if pieces:
        concat = ffmpeg.input(str(listing(pieces, video.fps, output)), format="concat", safe=0, auto_convert=0)
        streams.insert(0, concat.video)
    spoken = alpha3(language)
    options: dict[str, str | int] = {
        "c:a": "copy",
        "map_metadata:g": -1,
        "map_metadata:s": -1,
        "metadata:g:0": f"title={title}",
        "metadata:s:a:0": f"language={spoken}",
    }
    if pieces:
        options |= {"c:v": "copy", "disposition:v:0": "default"}
    if video.container != "webm":
        options |= {"movflags": "+faststart", "video_track_timescale": video.fps * 512}
    container = "webm" if video.container == "webm" else "mp4"
    target = ffmpeg.output(*streams, str(output), format=container, **options)
    arguments = target.get_args()
    inputs = max(at for at, one in enumerate(arguments) if one == "-i") + 2
    more, extra = extras.arguments(video, spoken, output.parent, inputs=len(streams))
    arguments = [*arguments[:inputs], *more, *arguments[inputs:-1], *extra, arguments[-1]]
    done = await runner.run(["-v", "warning", *arguments], stall_seconds=300)
    if done.stderr.strip():
        raise OutputInvalid("ffmpeg warned while joining the segments", detail=runner.redact(done.stderr))


def listing(pieces: list[Piece], fps: int, output: Path) -> Path:
    """The concat list: each file with its duration."""
    lines = ["ffconcat version 1.0"]
    for piece in pieces:
        quoted = str(piece.path).replace("'", "'\\''")
        lines += [f"file 'file:{quoted}'", f"duration {piece.frames / fps:.9f}"]
    path = output.with_suffix(".txt")
    path.write_text("\n".join(lines) + "\n")
    return path
