"""Word times: within 120 ms of what can be seen in the sound, and told only where they are certain."""

import asyncio
import time

import numpy as np
import pytest

from benchmarks.words import Deviations, deviations
from picturelock.ffmpeg.samples import resample, to_wav
from picturelock.models import Scene, Voice, VoiceWish
from picturelock.speech.alignment import align, phones
from picturelock.speech.hibari import HibariEngine
from picturelock.speech.narrate import Speaker, narrate
from picturelock.store.store import Store

TEXT = "Doctor Chen paid $9.99 on May 3rd, 2024, and didn't ask why."


async def spoken(text: str) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    speech = await HibariEngine().speak(text, Voice(), lambda _: None)
    return await resample(speech.samples, speech.sample_rate)


async def test_words_begin_where_they_are_heard() -> None:
    found = await deviations()
    assert Deviations.p95(found.engine) <= 0.120
    assert Deviations.p95(found.aligned) <= 0.120
    assert abs(float(np.median(found.engine))) <= 0.040  # what is 40 ms late on average is seen as late
    assert len(found.engine) == 44


async def test_numbers_and_abbreviations_are_found_as_they_are_read() -> None:
    samples = await spoken(TEXT)
    words = await align(TEXT, samples, "en-GB")
    assert words is not None
    assert [word.text for word in words] == TEXT.split()
    starts = [word.start_seconds for word in words]
    assert starts == sorted(starts)
    assert words[-1].end_seconds <= len(samples) / 48_000 + 0.02


@pytest.mark.parametrize(
    "other",
    [
        "A completely different sentence about mountains, rivers and old trains in the north of the country.",
        TEXT * 8,
    ],
)
async def test_a_text_that_is_not_said_is_not_found(other: str) -> None:
    assert await align(other, await spoken(TEXT), "en") is None


@pytest.mark.parametrize("samples", [np.zeros(0, np.float32), np.zeros(480, np.float32), np.zeros(96_000, np.float32)])
async def test_silence_says_nothing(samples: np.ndarray[tuple[int], np.dtype[np.float32]]) -> None:
    assert await align(TEXT, samples, "en") is None


async def test_other_languages_are_left_alone() -> None:
    assert await align("Guten Tag", await spoken("Good day"), "de") is None


def test_phones_are_those_of_the_acoustic_model() -> None:
    assert phones("həlˈO") == "HH AH L OW"
    assert phones("wˈɜɹld!") == "W ER L D"


async def test_a_recording_gets_its_words_by_alignment(store: Store, tmp_path: object) -> None:
    from picturelock.models import Asset

    ref = await store.put_bytes(to_wav(await spoken(TEXT)), "audio/wav")
    asset = Asset(
        asset_id=f"sha256-{ref.sha256}", kind="audio", media_type="audio/wav", size_bytes=ref.size_bytes,
        duration_seconds=3,
    )  # fmt: skip
    await store.put_asset(asset)
    scene = Scene(narration=TEXT, narration_asset_id=asset.asset_id)
    assert (await narrate(scene, 0, Speaker(VoiceWish(), "en"), {}, store)).timing == "aligned"
    assert (await narrate(scene, 0, Speaker(VoiceWish(), "fr"), {}, store)).timing == "proportional"


async def test_the_event_loop_goes_on_meanwhile() -> None:
    text = " ".join(f"Sentence number {number} says that the tide comes in and goes out." for number in range(12))
    samples = await spoken(text)
    gaps: list[float] = []

    async def tick() -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(0.01)
            gaps.append(time.monotonic() - last)
            last = time.monotonic()

    ticking = asyncio.create_task(tick())
    assert await align(text, samples, "en") is not None
    ticking.cancel()
    assert len(gaps) > 5  # in one call it would have stood still from beginning to end
