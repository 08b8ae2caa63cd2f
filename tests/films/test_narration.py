"""Words of recordings: found where they can be, spread where they cannot, and a warning that says which and why."""

import sys

import numpy as np
import pytest

from tests.films.studio import HEARD_RATE, Body, Studio

pytestmark = pytest.mark.slow

TEXT = "The tide comes in twice a day and goes out again."


def film(recording: str, language: str = "en") -> Body:
    scene = {"narration": TEXT, "narrationAssetId": recording}
    return {"script": {"language": language, "scenes": [scene]}, "video": {"preset": "podcast"}}


async def warnings(studio: Studio, body: Body) -> list[str]:
    return (await studio.planned(body)).composition.warnings


async def test_a_recording_that_does_not_say_the_words_is_told(studio: Studio, assets: dict[str, str]) -> None:
    [warning] = await warnings(studio, film(assets["low"]))
    assert warning.startswith("scene 1: the recording does not clearly say")
    [narration] = await studio.narrations(film(assets["low"]))
    assert (narration.timing, narration.unaligned) == ("proportional", "not-found")


async def test_other_languages_are_spread_without_a_word(studio: Studio, assets: dict[str, str]) -> None:
    assert await warnings(studio, film(assets["low"], "sv")) == []
    [narration] = await studio.narrations(film(assets["low"], "sv"))
    assert (narration.timing, narration.unaligned) == ("proportional", None)


async def test_a_worker_without_an_aligner_says_so_and_its_times_are_no_others(
    assets: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)  # as if it were not installed
    without = Studio()
    [warning] = await warnings(without, film(assets["low"]))
    assert "pocketsphinx is not installed" in warning
    [narration] = await without.narrations(film(assets["low"]))
    assert (narration.timing, narration.unaligned) == ("proportional", "not-installed")
    monkeypatch.undo()
    [again] = await Studio().narrations(film(assets["low"]))
    assert again.unaligned == "not-found", "what a worker without an aligner has made is found by no other"


async def test_a_quiet_recording_and_a_loud_one_are_heard_alike(studio: Studio, assets: dict[str, str]) -> None:
    scenes = [{"narration": "Hum.", "narrationAssetId": assets[name]} for name in ("low", "quiet")]
    body: Body = {"script": {"language": "sv", "scenes": scenes}, "video": {"preset": "podcast"}}
    heard, timeline = await studio.heard(body), (await studio.planned(body)).plan.timeline
    levels = []
    for scene in timeline.scenes:
        frames = scene.speech_start_frame, scene.speech_start_frame + scene.speech_frames
        start, end = (frame * HEARD_RATE // timeline.fps for frame in frames)
        levels.append(float(np.sqrt(np.mean(heard[start + 800 : end - 800] ** 2))))
    assert 20 * abs(np.log10(levels[0] / levels[1])) < 1.0
