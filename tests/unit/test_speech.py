"""Voices: the real built-in one, and one behind HTTP."""

import io
import json
import wave
from collections.abc import Callable

import numpy as np
import pytest

from picturelock.errors import PicturelockError, SpeechFailed, VoiceUnavailable
from picturelock.ffmpeg.samples import LEAD_IN_SECONDS, voiced_span
from picturelock.models import SAMPLE_RATE, Narration, Scene, VoiceWish
from picturelock.settings import Settings
from picturelock.speech.engine import SpeechEngine, choose, engines
from picturelock.speech.hibari import HibariEngine
from picturelock.speech.narrate import Speaker, narrate
from picturelock.store.store import Store
from tests.servers import FakeServer, Reply

TEXT = "The Moon is 384,400 km away. It costs $9.99, and Dr. Smith doesn't mind!"


def wav_bytes(seconds: float, rate: int = 24_000, channels: int = 1) -> bytes:
    tone = (np.sin(np.arange(int(seconds * rate)) * 0.1) * 9_000).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.repeat(tone, channels).tobytes())
    return buffer.getvalue()


ALLOY = Speaker(VoiceWish(engine="openai", voice="alloy"), "en")


async def spoken(text: str, store: Store, **scene: object) -> Narration:
    said = Scene(narration=text, **scene)  # type: ignore[arg-type]
    return await narrate(said, 0, Speaker(VoiceWish(), "en"), {"hibari": HibariEngine()}, store)


async def test_a_scene_is_spoken_trimmed_and_measured(store: Store) -> None:
    narration = await spoken(TEXT, store)
    with wave.open(str(await store.local(narration.audio))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getnframes()) == (SAMPLE_RATE, 1, narration.samples)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / np.float32(32768)
    assert voiced_span(samples)[0] <= (LEAD_IN_SECONDS + 0.01) * SAMPLE_RATE
    assert -40 < narration.loudness_lufs < -10
    assert narration.timing == "engine"


async def test_words_are_the_written_ones_in_order_within_the_audio(store: Store) -> None:
    narration = await spoken(TEXT, store)
    assert [word.text for word in narration.words] == TEXT.split()
    starts = [word.start_seconds for word in narration.words]
    assert starts == sorted(starts)
    assert all(0 <= word.start_seconds <= word.end_seconds <= narration.duration_seconds for word in narration.words)
    assert narration.words[5].text == "away."
    pause = narration.words[6].start_seconds - narration.words[5].end_seconds
    assert pause > 0.1  # the full stop is heard


async def test_the_same_text_is_spoken_once_and_alike(store: Store, tmp_path: object) -> None:
    first = await spoken("Again and again.", store)
    second = await spoken("Again and **again**.", store)
    assert (first.cached, second.cached) == (False, True)
    assert first.audio == second.audio


@pytest.mark.parametrize(
    "text", ["The number " + "9" * 60, "It is 1" + ",000" * 13 + " big.", "Say " + "a" * 300 + " now."]
)
async def test_what_the_voice_would_stumble_over_is_said_in_parts(text: str, store: Store) -> None:
    narration = await spoken(text, store)
    assert [word.text for word in narration.words] == text.split()
    assert narration.duration_seconds > 8


async def test_one_word_is_enough(store: Store) -> None:
    narration = await spoken("Hello.", store)
    assert narration.duration_seconds > 0.2
    assert narration.loudness_lufs > -40


@pytest.mark.parametrize("text", ["月亮很远", "مرحبا بالعالم", "Привет"])
async def test_other_scripts_are_refused_never_misread(text: str, store: Store) -> None:
    with pytest.raises(VoiceUnavailable):
        await spoken(text, store)


def test_a_language_without_a_voice_is_refused_with_the_list() -> None:
    available: dict[str, SpeechEngine] = {"hibari": HibariEngine()}
    with pytest.raises(VoiceUnavailable, match=r"'de-AT'; installed: en$"):
        choose(available, VoiceWish(), "de-AT")
    with pytest.raises(VoiceUnavailable, match="there is no voice \\*/nobody; hibari/heart"):
        choose(available, VoiceWish(voice="nobody"), "en")
    assert choose(available, VoiceWish(), "en-GB")[0].name == "hibari"


def remote(server: FakeServer, languages: str = "de") -> dict[str, SpeechEngine]:
    return engines(Settings(speech_base_url=server.url, speech_voices="alloy", speech_languages=languages))


async def test_a_voice_behind_http(fake_server: Callable[[list[Reply]], FakeServer], store: Store) -> None:
    server = fake_server([Reply(200, wav_bytes(2, 22_050, 2), "audio/wav")])
    available = remote(server)
    voice = VoiceWish(engine="openai", voice="alloy", speed=1.25)
    narration = await narrate(Scene(narration="Guten Tag zusammen."), 3, Speaker(voice, "de"), available, store)
    assert abs(narration.duration_seconds - 2) < 0.05
    assert narration.timing == "proportional"
    assert [word.text for word in narration.words] == ["Guten", "Tag", "zusammen."]
    sent = json.loads(server.requests[0].body)
    assert (sent["voice"], sent["speed"], sent["input"]) == ("alloy", 1.25, "Guten Tag zusammen.")


@pytest.mark.parametrize(
    ("reply", "error", "outage"),
    [
        (Reply(503, {}), SpeechFailed, True),
        (Reply(200, b"not a wav", "audio/wav"), SpeechFailed, False),
        (Reply(400, {"error": "no such voice"}), VoiceUnavailable, False),
        (Reply(200, wav_bytes(1)[:44], "audio/wav"), SpeechFailed, False),
    ],
)
async def test_a_bad_answer_has_a_code(
    reply: Reply,
    error: type[PicturelockError],
    outage: bool,
    fake_server: Callable[[list[Reply]], FakeServer],
    store: Store,
) -> None:
    available = remote(fake_server([reply]), "*")
    with pytest.raises(error) as caught:
        await narrate(
            Scene(narration="Hello there."),
            0,
            ALLOY,
            available,
            store,
        )
    assert caught.value.outage is outage


async def test_an_endpoint_that_nobody_serves_is_away(store: Store) -> None:
    away = Settings(speech_base_url="http://127.0.0.1:9", speech_voices="alloy", speech_languages="*")
    available = engines(away)
    with pytest.raises(SpeechFailed) as caught:
        await narrate(
            Scene(narration="Hello there."),
            0,
            ALLOY,
            available,
            store,
        )
    assert caught.value.outage


async def test_silence_is_not_speech(fake_server: Callable[[list[Reply]], FakeServer], store: Store) -> None:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24_000)
        file.writeframes(bytes(48_000))
    available = remote(fake_server([Reply(200, buffer.getvalue(), "audio/wav")]), "*")
    with pytest.raises(SpeechFailed, match="silence"):
        await narrate(Scene(narration="Hello."), 0, ALLOY, available, store)
