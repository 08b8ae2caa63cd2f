"""Joins segments and sound into the film without re-encoding. Any warning at the join is an error.

A podcast has no segments; its sound gets the same title, language and chapters.
"""

from pathlib import Path

import ffmpeg

from picturelock.errors import OutputInvalid
from picturelock.ffmpeg import runner
from picturelock.ffmpeg.concat import SegmentFile, concat_list
from picturelock.ffmpeg.process import redact
from picturelock.finalize.chapters import ChaptersAndSubtitles
from picturelock.languages import alpha3
from picturelock.models import VideoFormat


async def mux(
    segments: list[SegmentFile],
    sound: Path,
    video: VideoFormat,
    title: str,
    language: str,
    tracks: ChaptersAndSubtitles,
    output: Path,
) -> None:
    """Writes the film. The concat list carries each duration as frames / fps: MP4's own durations are rounded.

    Raises:
        OutputInvalid: ffmpeg warned about something.
    """
    streams = [ffmpeg.input(str(sound)).audio]
    if segments:
        concat = ffmpeg.input(str(concat_list(segments, video.fps, output)), format="concat", safe=0, auto_convert=0)
        streams.insert(0, concat.video)
    spoken = alpha3(language)
    options: dict[str, str | int] = {
        "c:a": "copy",
        "map_metadata:g": -1,
        "map_metadata:s": -1,
        "metadata:g:0": f"title={title}",
        "metadata:s:a:0": f"language={spoken}",
    }
    if segments:
        options |= {"c:v": "copy", "disposition:v:0": "default"}
    if video.container != "webm":
        options |= {"movflags": "+faststart", "video_track_timescale": video.fps * 512}
    container = "webm" if video.container == "webm" else "mp4"
    target = ffmpeg.output(*streams, str(output), format=container, **options)
    arguments = target.get_args()
    inputs = max(index for index, argument in enumerate(arguments) if argument == "-i") + 2
    more, extra = tracks.arguments(video, spoken, output.parent, inputs=len(streams))
    arguments = [*arguments[:inputs], *more, *arguments[inputs:-1], *extra, arguments[-1]]
    done = await runner.run(["-v", "warning", *arguments], stall_seconds=300)
    if done.stderr.strip():
        raise OutputInvalid("ffmpeg warned while joining the segments", detail=redact(done.stderr))
