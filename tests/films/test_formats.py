"""Every codec in its container with its sound at every frame rate: encoded, joined, passed by the gate, decoded."""

import re
import subprocess
from pathlib import Path
from typing import get_args

import pytest

from picturelock.ffmpeg.tools import ffmpeg_path
from picturelock.models import VideoOptions
from picturelock.models.request import Codec
from picturelock.presets import PRESETS, resolve
from tests.films.studio import Body, Film, Studio

pytestmark = pytest.mark.slow

CODECS: tuple[Codec, ...] = get_args(Codec)
NAMES = {"h264": "h264", "h265": "hevc", "vp9": "vp9", "av1": "av1"}
RATES = (24, 25, 30, 50, 60)
SPOKEN = {
    "script": {"title": "Formats", "scenes": [{"narration": "One.", "title": "A"}, {"narration": "Two.", "title": "B"}]}
}


def test_the_frame_rates_are_those_that_are_offered() -> None:
    (offered,) = (one for one in get_args(VideoOptions.model_fields["fps"].annotation) if one is not type(None))
    assert get_args(offered) == RATES
    assert set(NAMES) == set(CODECS)


def decoded(path: Path) -> tuple[int, int]:
    """Pictures and sound packets of a film, decoded strictly."""
    done = subprocess.run(
        [ffmpeg_path(), "-v", "error", "-xerror", "-i", str(path), "-map", "0:v?", "-map", "0:a",
         "-f", "framehash", "-"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    kinds = dict(re.findall(r"^#media_type (\d+): (\w+)$", done.stdout, re.MULTILINE))
    frames = [kinds[number] for number in re.findall(r"^(\d+),", done.stdout, re.MULTILINE)]
    return frames.count("video"), frames.count("audio")


def check(film: Film, body: Body) -> None:
    """The film is what its request says, to the frame."""
    video = resolve(VideoOptions.model_validate(body["video"]))
    stream = film.stream("video")
    assert (stream["codec_name"], stream["width"], stream["height"]) == (NAMES[video.codec], video.width, video.height)
    assert stream["r_frame_rate"] == f"{video.fps}/1"
    webm = video.container == "webm"
    assert film.result.film.name == f"Formats.{video.container}"
    assert film.stream("audio")["codec_name"] == ("opus" if webm else "aac")
    assert ("matroska" if webm else "mp4") in film.probed["format"]["format_name"]
    assert [one["tags"]["title"] for one in film.probed["chapters"]] == ["A", "B"]
    assert all(one.passed for one in film.manifest.checks)
    pictures, sound = decoded(film.path)
    assert pictures == film.planned.plan.timeline.total_frames
    assert sound > 30


@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize("codec", CODECS)
async def test_a_codec_at_a_frame_rate(codec: Codec, fps: int, studio: Studio) -> None:
    body: Body = {**SPOKEN, "video": {"preset": "preview", "width": 128, "height": 128, "codec": codec, "fps": fps}}
    check(await studio.film(body), body)


@pytest.mark.parametrize("slug", [slug for slug, preset in PRESETS.items() if preset.format.has_picture])
async def test_a_preset(slug: str, studio: Studio) -> None:
    body: Body = {**SPOKEN, "video": {"preset": slug, "width": 160, "height": 128}}
    film = await studio.film(body)
    check(film, body)
    wanted = PRESETS[slug].format
    assert film.planned.plan.format == wanted.model_copy(update={"width": 160, "height": 128})
    assert abs(film.result.facts.loudness_lufs - wanted.loudness_lufs) <= 0.5


async def test_a_podcast_is_sound_with_chapters_and_a_language(studio: Studio) -> None:
    film = await studio.film({**SPOKEN, "video": {"preset": "podcast"}})
    assert [one["codec_type"] for one in film.probed["streams"] if one["codec_type"] != "data"] == ["audio"]
    assert film.stream("audio")["tags"]["language"] == "eng"
    assert [one["tags"]["title"] for one in film.probed["chapters"]] == ["A", "B"]
    assert decoded(film.path)[1] > 30


@pytest.mark.parametrize("container", ["mp4", "webm"])
async def test_a_subtitle_track_has_the_films_language(container: str, studio: Studio, assets: dict[str, str]) -> None:
    script = {
        "title": "Formats",
        "language": "sv",
        "scenes": [{"narration": "Hav.", "narrationAssetId": assets["low"]}],
    }
    codec = "vp9" if container == "webm" else "h264"
    video = {"preset": "preview", "width": 128, "height": 128, "codec": codec}
    film = await studio.film({"script": script, "video": video, "captions": {"track": True, "burnIn": False}})
    assert film.stream("subtitle")["codec_name"] == ("webvtt" if container == "webm" else "mov_text")
    assert film.stream("subtitle")["tags"]["language"] == film.stream("audio")["tags"]["language"] == "swe"
    assert "Hav." in (await studio.artifact(film, "captions.srt"))
