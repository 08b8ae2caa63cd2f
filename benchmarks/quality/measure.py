"""Measurements on a finished film, each made apart from the code that made the film."""

import html
import json
import re
import subprocess
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.quality.films import Film
from picturelock.composition.captions import to_srt, to_vtt
from picturelock.ffmpeg.tools import ffmpeg_path, ffprobe_path
from picturelock.models import Cue
from picturelock.script.words import is_wide
from picturelock.store.store import Store
from picturelock.text.ass import CaptionLook, text_width
from picturelock.text.fonts import drawable_text

Samples = npt.NDArray[np.float32]
RATE = 48_000
SILENCE_DB = -50.0
"""What lies so far below a narration's peak is silence."""

_SEARCH_SECONDS = 0.25
_CLOCK = re.compile(r"(\d+):(\d\d):(\d\d)[.,](\d{3})")
_SUMMARY = re.compile(r"I:\s+(-?[\d.]+) LUFS.*?Peak:\s+(-?[\d.]+) dBFS", re.DOTALL)


def probe(path: Path) -> dict[str, Any]:
    """What ffprobe says, packets of the picture included."""
    command = [ffprobe_path(), "-v", "error", "-show_streams", "-show_format", "-of", "json", str(path)]
    found: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return found


def sound_of(path: Path) -> Samples:
    """All sound as 48 kHz mono."""
    command = [ffmpeg_path(), "-v", "error", "-i", str(path), "-map", "0:a:0", "-ac", "1", "-ar", f"{RATE}"]
    done = subprocess.run([*command, "-f", "f32le", "-"], capture_output=True, check=True)
    return np.frombuffer(done.stdout, "<f4")


def loudness_of(path: Path) -> tuple[float, float]:
    """Integrated loudness (LUFS) and true peak (dBTP) of a file as it is delivered."""
    command = [ffmpeg_path(), "-v", "info", "-i", str(path), "-map", "0:a:0", "-af", "ebur128=peak=true:framelog=quiet"]
    done = subprocess.run([*command, "-f", "null", "-"], capture_output=True, text=True, check=True)
    found = _SUMMARY.search(done.stderr[done.stderr.rfind("Summary:") :])
    assert found is not None
    return float(found[1]), float(found[2])


def duration_error_frames(film: Film) -> float:
    """How far the probed length of the picture is from the timeline's, in frames."""
    timeline = film.made.plan.timeline
    picture = next(one for one in probe(film.made.film)["streams"] if one["codec_type"] == "video")
    seconds = float(picture.get("duration") or probe(film.made.film)["format"]["duration"])
    return abs(seconds - timeline.duration_seconds) * timeline.fps


@dataclass(frozen=True)
class Sync:
    """How far each scene's speech is from its planned frame, and how long a narration is silent first (seconds)."""

    offsets: list[float]
    leads: list[float]


async def sync_of(film: Film, store: Store) -> Sync:
    """Cross-correlates the film's sound with every narration around its planned place."""
    heard = sound_of(film.made.film)
    offsets, leads = [], []
    for cue in film.made.plan.timeline.audio.speech:
        narration = sound_of(await store.local(cue.audio))
        around = round(_SEARCH_SECONDS * RATE)
        start = max(0, cue.start_sample - around)
        window = heard[start : cue.start_sample + len(narration) + around]
        size = 1 << (len(window) + len(narration) - 1).bit_length()
        match = np.fft.irfft(np.fft.rfft(window, size) * np.conj(np.fft.rfft(narration, size)), size)
        reach = len(window) - len(narration) + 1
        offsets.append((start + int(np.argmax(match[:reach])) - cue.start_sample) / RATE)
        leads.append(float(np.argmax(np.abs(narration) > np.abs(narration).max() * 10 ** (SILENCE_DB / 20))) / RATE)
    return Sync(offsets, leads)


@dataclass(frozen=True)
class CaptionFacts:
    """The worst of a film's captions."""

    lines: int
    characters: int
    wide: int
    width_share: float
    shortest_seconds: float
    overlaps: int
    differences: int
    missing_glyphs: int


def captions_of(films: list[Film]) -> CaptionFacts:
    """Measures the cues of all films, and reads both caption files back."""
    cues = [(cue, film) for film in films for cue in film.made.plan.timeline.cues]
    lines = [(line, film) for cue, film in cues for line in cue.lines]
    return CaptionFacts(
        lines=max(len(cue.lines) for cue, _ in cues),
        characters=max(len(line) for line, _ in lines if not any(map(is_wide, line))),
        wide=max((sum(map(is_wide, line)) for line, _ in lines), default=0),
        width_share=max(_width_share(line, film) for line, film in lines),
        shortest_seconds=min(cue.end_seconds - cue.start_seconds for cue, _ in cues),
        overlaps=sum(_overlaps(film.made.plan.timeline.cues) for film in films),
        differences=sum(_differences(film.made.plan.timeline.cues) for film in films),
        missing_glyphs=sum(len(drawable_text(line)[1]) for line, _ in lines),
    )


def _width_share(line: str, film: Film) -> float:
    video = film.made.plan.format
    return text_width(line, CaptionLook.of(video.width, video.height).em) / video.width


def _overlaps(cues: list[Cue]) -> int:
    return sum(one.end_seconds > two.start_seconds + 1e-6 for one, two in pairwise(cues))


def _differences(cues: list[Cue]) -> int:
    """How many cues read differently in the SRT or the VTT file."""
    wrong = 0
    for text in (to_srt(cues), to_vtt(cues).partition("\n\n")[2]):
        blocks = [block.split("\n") for block in text.strip().split("\n\n")]
        wrong += abs(len(blocks) - len(cues))
        for block, cue in zip(blocks, cues, strict=False):
            timing = next(number for number, line in enumerate(block) if "-->" in line)
            start, end = (_seconds(part) for part in block[timing].split(" --> "))
            shown = [html.unescape(line) for line in block[timing + 1 :]]
            near = abs(start - cue.start_seconds) < 0.002 and abs(end - cue.end_seconds) < 0.002
            wrong += not (near and shown == cue.lines)
    return wrong


def _seconds(clock: str) -> float:
    found = _CLOCK.search(clock if clock.count(":") == 2 else f"00:{clock}")
    assert found is not None
    hours, minutes, seconds, thousandths = (int(part) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds + thousandths / 1000


def incompatibilities(path: Path) -> list[str]:
    """What keeps a default film from playing everywhere; nothing, if all is well."""
    found = probe(path)
    video, audio = (next(one for one in found["streams"] if one["codec_type"] == kind) for kind in ("video", "audio"))
    wanted = {
        "codec_name": "h264", "profile": "High", "pix_fmt": "yuv420p", "color_space": "bt709",
        "color_primaries": "bt709", "color_transfer": "bt709", "color_range": "tv",
    }  # fmt: skip
    wrong = [f"{key} {video.get(key)}" for key, value in wanted.items() if video.get(key) != value]
    sound = {"codec_name": "aac", "profile": "LC", "sample_rate": "48000", "channels": 2}
    wrong += [f"{key} {audio.get(key)}" for key, value in sound.items() if audio.get(key) != value]
    data = path.read_bytes()
    if data.find(b"moov") > data.find(b"mdat"):
        wrong.append("moov after mdat")
    gaps = set(np.diff(np.sort(_times(path))).tolist())
    if len(gaps) != 1:
        wrong.append(f"{len(gaps)} different distances between frames")
    return wrong


def _times(path: Path) -> npt.NDArray[np.int64]:
    command = [ffprobe_path(), "-v", "error", "-select_streams", "v:0", "-show_entries", "packet=pts", "-of", "csv=p=0"]
    done = subprocess.run([*command, str(path)], capture_output=True, text=True, check=True)
    return np.array([int(line.strip(",")) for line in done.stdout.split() if line.strip(",").lstrip("-").isdigit()])
