"""What others do for the same film: one hand-written ffmpeg command, MoviePy, and the encoder alone."""

import os
import subprocess
from pathlib import Path
from typing import Literal

from benchmarks.speed.film import Inputs, Paper
from picturelock.ffmpeg.tools import ffmpeg_path
from picturelock.models import VideoFormat
from picturelock.render.motion import MARGIN
from picturelock.text.fonts import font_environment

X264 = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-profile:v", "high", "-pix_fmt", "yuv420p"]
COLOR = "out_color_matrix=bt709:out_range=tv"
TAGS = ["-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", "-color_range", "tv"]
MOVIEPY = Path(__file__).parents[2] / ".moviepy-venv" / "bin" / "python"
Moving = Literal["perspective", "zoompan"]


def hand_written(inputs: Inputs, paper: Paper, how: Moving, speech: Path, output: Path) -> None:
    """Ten pictures decoded once each, motion, cross-fades, captions, loudness, one pass: as one command."""
    timeline = paper.plan.timeline
    graph = [_moving(number, scene.frames, how) for number, scene in enumerate(timeline.scenes)]
    last = "v0"
    for number, scene in enumerate(timeline.scenes[1:], start=1):
        overlap = timeline.scenes[number - 1].start_frame + timeline.scenes[number - 1].frames - scene.start_frame
        offset, length = scene.start_frame / timeline.fps, overlap / timeline.fps
        graph.append(f"[{last}][v{number}]xfade=transition=fade:duration={length:.4f}:offset={offset:.4f}[x{number}]")
        last = f"x{number}"
    graph.append(f"[{last}]ass={paper.captions}[video]")
    graph.append(f"[{len(timeline.scenes)}:a]loudnorm=I=-16:TP=-1.5,aformat=channel_layouts=stereo[sound]")
    sources = [part for path in [*inputs.photographs, speech] for part in ("-i", str(path))]
    command = [ffmpeg_path(), "-v", "error", "-y", *sources, "-filter_complex", ";".join(graph)]
    command += [
        "-map",
        "[video]",
        "-map",
        "[sound]",
        *X264,
        *TAGS,
        "-c:a",
        "aac",
        "-aac_coder",
        "fast",
        "-b:a",
        "192k",
        "-ar",
        "48000",
    ]
    _run([*command, "-movflags", "+faststart", str(output)], font_environment(inputs.folder))


def _moving(number: int, frames: int, how: Moving) -> str:
    """One picture, decoded once, converted to bt709 and moved for so many frames."""
    end = f"setsar=1,fps=30,settb=1/30,setpts=N[v{number}]"
    if how == "zoompan":
        zoom = f"zoompan=z='1+{MARGIN - 1:.2f}*on/{frames}':d={frames}:s=1920x1080:fps=30"
        return f"[{number}:v]scale=2560:1440:{COLOR},format=yuv420p,{zoom}:x='iw/2-iw/zoom/2':y='ih/2-ih/zoom/2',{end}"
    inset = f"(1-1/pow({MARGIN},on/{frames}))/2"
    corners = (f"W*{inset}", f"H*{inset}", f"W-W*{inset}", f"H*{inset}", f"W*{inset}", f"H-H*{inset}")
    names = ("x0", "y0", "x1", "y1", "x2", "y2", "x3", "y3")
    values = (*corners, f"W-W*{inset}", f"H-H*{inset}")
    places = ":".join(f"{name}='{value}'" for name, value in zip(names, values, strict=True))
    once = f"scale=1920:1080:{COLOR},format=yuv420p,loop=loop={frames - 1}:size=1:start=0,setpts=N/30/TB"
    return f"[{number}:v]{once},perspective={places}:interpolation=linear:sense=source:eval=frame,{end}"


def encoder_alone(raw: Path, video: VideoFormat, output: Path) -> None:
    """The floor: the same raw frames into the same encoder, with all cores and nothing else."""
    source = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{video.width}x{video.height}", "-r", f"{video.fps}"]
    _run([ffmpeg_path(), "-v", "error", "-y", *source, "-i", str(raw), *X264, *TAGS, str(output)], {})


def moviepy(inputs: Inputs, paper: Paper, speech: Path, output: Path) -> None:
    """MoviePy in a process and an environment of its own (it needs an older Pillow), as its users write it."""
    scenes = [f"{scene.start_frame}:{scene.frames}" for scene in paper.plan.timeline.scenes]
    script = Path(__file__).with_name("with_moviepy.py")
    command = [str(MOVIEPY), str(script), str(speech), str(output)]
    photographs = [str(path) for path in inputs.photographs]
    _run([*command, ",".join(scenes), *photographs], {"IMAGEIO_FFMPEG_EXE": ffmpeg_path()})


def _run(command: list[str], environment: dict[str, str]) -> None:
    subprocess.run(command, check=True, env={**os.environ, **environment})
