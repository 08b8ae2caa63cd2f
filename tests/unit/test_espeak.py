"""The optional voices: they say every language they claim to, and know when each word begins."""

import numpy as np
import pytest

from picturelock.errors import SpeechFailed
from picturelock.models import Voice, VoiceWish
from picturelock.settings import Settings
from picturelock.speech.engine import choose, engines
from picturelock.speech.espeak import EspeakEngine

SAID = {
    "de": "Zweimal am Tag atmet das Meer ein.",
    "fr": "Deux fois par jour, la mer respire.",
    "hi": "समुद्र साँस लेता है।",
    "ru": "Дважды в день море дышит.",
    "ar": "يتنفس البحر مرتين في اليوم.",
    "el": "Η θάλασσα αναπνέει.",
}


def speaking(voice: str, speed: float = 1.0) -> Voice:
    return Voice(engine="espeak", voice=voice, speed=speed)


@pytest.mark.parametrize("voice", [info.voice for info in EspeakEngine().voices()])
async def test_every_listed_voice_is_there(voice: str) -> None:
    speech = await EspeakEngine().speak("1 2 3", speaking(voice), lambda _: None)
    assert np.abs(speech.samples).max() > 0.05


@pytest.mark.parametrize(("voice", "text"), SAID.items())
async def test_every_word_has_its_time(voice: str, text: str) -> None:
    speech = await EspeakEngine().speak(text, speaking(voice), lambda _: None)
    assert speech.words is not None
    assert [word.text for word in speech.words] == text.split()
    starts = [word.start_seconds for word in speech.words]
    assert starts == sorted(starts)
    assert 0 <= starts[0] < 0.2
    seconds = len(speech.samples) / speech.sample_rate
    assert speech.words[-1].end_seconds <= seconds
    silence = np.abs(speech.samples[: int(starts[-1] * speech.sample_rate)])
    assert silence.max() > 0.05  # what comes before the last word is spoken


async def test_faster_is_shorter() -> None:
    engine, text = EspeakEngine(), SAID["de"]
    first = await engine.speak(text, speaking("de"), lambda _: None)
    faster = await engine.speak(text, speaking("de", 1.6), lambda _: None)
    assert len(faster.samples) < 0.8 * len(first.samples)


async def test_what_has_no_sound_is_an_error() -> None:
    with pytest.raises(SpeechFailed):
        await EspeakEngine().speak("…", speaking("de"), lambda _: None)


def wish(voice: str) -> VoiceWish:
    return VoiceWish(engine="espeak", voice=voice)


def test_a_language_without_a_named_voice_is_spoken_by_one_that_is_installed() -> None:
    available = engines(Settings())
    engine, voice = choose(available, VoiceWish(speed=1.5), "de-AT")
    assert (engine.name, voice.voice, voice.speed) == ("espeak", "de", 1.5)
    assert choose(available, VoiceWish(), "en-GB")[1] == Voice()
    assert choose(available, VoiceWish(voice="fr"), "fr")[1].engine == "espeak"


def test_a_language_is_spoken_by_a_voice_of_it() -> None:
    available = engines(Settings())
    assert choose(available, wish("nb"), "no")[0].name == "espeak"
    assert choose(available, wish("pt-br"), "pt-BR")[0].name == "espeak"
