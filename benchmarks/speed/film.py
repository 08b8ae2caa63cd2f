"""The film of the comparison: ten photographs that move, cross-fades, burnt captions, ten recorded narrations."""

import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.inputs import save_photograph
from picturelock.composition.layout import segment_spec
from picturelock.ffmpeg import runner
from picturelock.ffmpeg.samples import resample, to_wav
from picturelock.models import CaptionSpec, ExportRequest, RenderPlan, Voice
from picturelock.render.frames import feed
from picturelock.render.segment import drawer
from picturelock.speech.hibari import HibariEngine
from picturelock.text.ass import caption_document
from picturelock.text.fonts import font_environment
from tests.film_maker import FilmMaker, quiet

NARRATIONS = (
    "Twice a day the sea breathes in, and twice a day it breathes out again over the beach.",
    "The Moon is far away, and still it pulls at every drop of water in the wide ocean.",
    "On the side that faces the Moon, the water rises in a hill that nobody can see.",
    "There is a second hill on the far side of the Earth, where the Moon pulls the least.",
    "The Earth turns beneath both hills once a day, and carries all the coasts along.",
    "That is why most harbours see two high tides and two low ones between two mornings.",
    "When Sun, Moon and Earth stand in line, their pulls add up, and the tide runs high.",
    "Seven days later they stand at right angles, and the water hardly moves at all.",
    "Fishermen have read this clock for longer than anybody has been able to write.",
    "The next time you walk along the shore at night, look up, and think of the tide.",
)
CHANGED = "Sailors have told the hour by it for longer than there have been any clocks."
TITLE = "The clock of the sea"


@dataclass(frozen=True)
class Inputs:
    """Files that every contender gets."""

    folder: Path
    photographs: list[Path]
    narrations: list[Path]
    changed: Path

    @classmethod
    async def make(cls, folder: Path) -> "Inputs":
        folder.mkdir(parents=True, exist_ok=True)
        photographs = [save_photograph(folder / f"{number}.jpg", number) for number in range(len(NARRATIONS))]
        spoken = [await _spoken(folder / f"{number}.wav", text) for number, text in enumerate(NARRATIONS)]
        return cls(folder, photographs, spoken, await _spoken(folder / "changed.wav", CHANGED))


async def _spoken(path: Path, text: str) -> Path:
    speech = await HibariEngine().speak(text, Voice(), quiet)
    path.write_bytes(to_wav(await resample(speech.samples, speech.sample_rate)))
    return path


def request(photographs: list[str], narrations: list[str], texts: tuple[str, ...] = NARRATIONS) -> dict[str, Any]:
    """The export, by asset ids."""
    scenes = [
        {
            "narration": text,
            "narrationAssetId": narration,
            "visual": {"kind": "image", "assetId": photograph, "motion": "zoom-in"},
        }
        for text, narration, photograph in zip(texts, narrations, photographs, strict=True)
    ]
    return {"script": {"title": TITLE, "scenes": scenes}}


@dataclass(frozen=True)
class Paper:
    """The film on paper, for the contenders: the same frames, captions and places of speech."""

    plan: RenderPlan
    captions: Path
    raw: Path

    @property
    def seconds(self) -> float:
        return self.plan.timeline.duration_seconds


async def on_paper(inputs: Inputs) -> Paper:
    """Lays the film out and writes its captions, and its raw frames for the encoder alone."""
    studio = FilmMaker(inputs.folder / "studio")
    photographs = [await studio.upload(path) for path in inputs.photographs]
    narrations = [await studio.upload(path) for path in inputs.narrations]
    plan, _ = await studio.plan(ExportRequest.model_validate(request(photographs, narrations)))
    video = plan.format
    captions = inputs.folder / "captions.ass"
    document = caption_document(
        plan.timeline.cues, CaptionSpec(), (video.width, video.height), video.fps, plan.language
    )
    captions.write_text(document, encoding="utf-8")
    return Paper(plan, captions, await raw_frames(studio, plan, inputs.folder / "frames.yuv"))


async def raw_frames(studio: FilmMaker, plan: RenderPlan, path: Path) -> Path:
    """All frames of a film as they come to the encoder, captions included, in one file."""
    path.unlink(missing_ok=True)
    for segment in plan.timeline.segments:
        await _draw(studio, plan, segment.id, path)
    return path


async def _draw(studio: FilmMaker, plan: RenderPlan, segment_id: str, raw: Path) -> None:
    """Appends a segment's frames."""
    spec = segment_spec(plan, next(one for one in plan.timeline.segments if one.id == segment_id))
    video = plan.format
    script = raw.with_suffix(".ass")
    size = (video.width, video.height)
    script.write_text(caption_document(spec.cues, CaptionSpec(), size, video.fps, spec.language), encoding="utf-8")
    source = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{size[0]}x{size[1]}", "-r", f"{video.fps}"]
    piece = raw.with_suffix(".part")
    async with drawer(spec, studio.store, studio.scratch) as draw:
        await runner.run(
            ["-v", "error", *source, "-i", "pipe:0", "-vf", f"ass={script}", "-f", "rawvideo", str(piece)],
            stall_seconds=60,
            feed=feed(draw, spec.frames, *size, quiet),
            environment=font_environment(studio.scratch),
        )
    with raw.open("ab") as whole, piece.open("rb") as part:
        while block := part.read(1 << 24):
            whole.write(block)
    piece.unlink()


def placed_speech(paper: Paper, inputs: Inputs, path: Path) -> Path:
    """All narrations at their places in one WAV file, for contenders that have no better way."""
    audio = paper.plan.timeline.audio
    track = np.zeros(audio.total_samples, np.int16)
    for cue, narration in zip(audio.speech, inputs.narrations, strict=True):
        with wave.open(str(narration)) as wav:
            samples = np.frombuffer(wav.readframes(wav.getnframes()), np.int16)
        part = track[cue.start_sample : cue.start_sample + len(samples)]
        part[:] = samples[: len(part)]
    with wave.open(str(path), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(48_000)
        wav.writeframes(track.tobytes())
    return path
