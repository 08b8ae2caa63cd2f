"""The films that are measured: 1 to 30 scenes, all shapes and transitions, stills and clips, with and without music."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.inputs import save_clip, save_music, save_photograph
from picturelock.models import ExportRequest
from picturelock.script.intake import read_request
from tests.film_maker import FilmMaker, Produced

ROOT = Path(__file__).parents[2]
LINES = (
    "Twice a day the sea breathes in.", "Twice a day it breathes out again.", "The beach is left washed and new.",
    "The moon pulls at every drop of water.", "The water rises in a long and low hill.",
    "A second hill stands on the far side.", "Between the hills the water is low.",
    "The earth turns beneath both hills once a day.", "Most coasts see two high tides.",
    "When the moon is full, the tide runs high.", "A week later the tide is gentle.",
    "Fishermen have known this for a very long time.", "They read the water like a clock.",
    "Small crabs follow the edge of the sea.", "Birds wait for the mud to appear.",
    "In some bays the water climbs higher than a house.", "In others it hardly moves at all.",
    "The shape of the coast decides.", "A narrow bay squeezes the wave.", "An open shore lets it spread.",
    "Ships wait outside for enough depth.", "Old harbours had gates of oak.", "They closed when the tide turned.",
    "Today we build turbines under water.", "They turn slowly in the current.", "The moon pays for the power.",
    "Every year it drifts a little further away.", "One day the tides will be smaller.",
    "Nobody alive will notice.", "Walk along the shore tonight, and look up.",
)  # fmt: skip


@dataclass(frozen=True)
class Film:
    """One film of the matrix."""

    name: str
    made: Produced


@dataclass(frozen=True)
class Inputs:
    """Asset ids of the generated inputs."""

    photographs: list[str]
    upright: str
    clip: str
    music: str

    @classmethod
    async def make(cls, studio: FilmMaker, folder: Path) -> "Inputs":
        folder.mkdir(parents=True, exist_ok=True)
        stills = [save_photograph(folder / f"{seed}.jpg", seed) for seed in range(4)]
        upright = save_photograph(folder / "upright.jpg", 9, 1200, 1800)
        return cls(
            photographs=[await studio.upload(path) for path in stills],
            upright=await studio.upload(upright),
            clip=await studio.upload(save_clip(folder / "clip.mp4")),
            music=await studio.upload(save_music(folder / "music.wav")),
        )


def _scenes(count: int, visuals: list[dict[str, Any] | None], first: int = 0) -> list[dict[str, Any]]:
    return [
        {"narration": LINES[(first + number) % len(LINES)], "visual": visuals[number % len(visuals)]}
        for number in range(count)
    ]


def _image(asset: str, motion: str = "auto", fit: str = "cover") -> dict[str, Any]:
    return {"kind": "image", "assetId": asset, "motion": motion, "fit": fit}


def requests(inputs: Inputs) -> dict[str, dict[str, Any]]:
    """The matrix: name -> request."""
    first, second, third, fourth = inputs.photographs
    clip = {"kind": "clip", "assetId": inputs.clip, "startSeconds": 0.5}
    music = {"assetId": inputs.music, "gainDb": -16}
    small: dict[str, Any] = {"encoderPreset": "superfast"}
    return {
        "1 scene, one word, 16:9": {
            "script": {"scenes": [{"narration": "Go."}]},
            "video": {**small, "preset": "preview"},
        },
        "2 scenes, 9:16, slide, music": {
            "script": {"scenes": _scenes(2, [_image(inputs.upright, "pan-up"), _image(first, "zoom-in", "contain")])},
            "video": {**small, "preset": "instagram-story", "width": 540, "height": 960},
            "transition": {"kind": "slide", "durationSeconds": 0.6},
            "music": music,
        },
        "3 scenes, 1:1, wipe, clips, music, boxed": {
            "script": {"scenes": _scenes(3, [_image(second, "pan-left"), clip, _image(third, "zoom-out")], 3)},
            "video": {**small, "preset": "facebook", "width": 720, "height": 720},
            "transition": {"kind": "wipe", "durationSeconds": 0.5},
            "music": music,
            "captions": {"style": "boxed"},
        },
        "3 scenes, 4:5, dissolve, karaoke, H.265": {
            "script": {"scenes": _scenes(3, [_image(fourth, "pan-down"), _image(inputs.upright), clip], 6)},
            "video": {"preset": "instagram-feed", "width": 480, "height": 600, "codec": "h265"},
            "transition": {"kind": "dissolve", "durationSeconds": 1.0},
            "captions": {"style": "karaoke"},
        },
        "2 scenes, cuts, 60 fps, VP9": {
            "script": {"scenes": _scenes(2, [_image(first), {"kind": "gradient"}], 9)},
            "video": {"preset": "webm", "width": 640, "height": 360, "fps": 60},
            "transition": {"kind": "none"},
        },
        "2 scenes, 25 fps, AV1, fade of 3 s": {
            "script": {"scenes": _scenes(2, [_image(second), None], 12)},
            "video": {"preset": "preview", "width": 640, "height": 360, "fps": 25, "codec": "av1"},
            "transition": {"kind": "fade", "durationSeconds": 3.0},
        },
        "30 scenes, 16:9, fade, music": {
            "script": {
                "title": "Tides",
                "scenes": _scenes(30, [None, _image(first), _image(second), clip, _image(third), _image(fourth)]),
            },
            "video": {**small, "preset": "preview", "width": 640, "height": 360},
            "music": music,
        },
    }


async def main_film(studio: FilmMaker) -> Film:
    """The example of the README at the default preset."""
    folder = ROOT / "examples"
    source = (folder / "tides.md").read_text().replace("(moon.jpg)", f"({await studio.upload(folder / 'moon.jpg')})")
    request = read_request(json.dumps({"script": source}).encode())
    return Film("examples/tides.md, 1080p", await studio.produce(request))


async def matrix(studio: FilmMaker, inputs: Inputs) -> AsyncIterator[Film]:
    """Makes the films one after another."""
    for name, request in requests(inputs).items():
        yield Film(name, await studio.produce(ExportRequest.model_validate(request)))
