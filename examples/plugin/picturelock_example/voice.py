"""A voice that beeps once for each word, and says when."""

from typing import Self

import numpy as np

from picturelock.models import Voice, Word
from picturelock.reporting import ReportShare
from picturelock.settings import Settings
from picturelock.speech.catalog import VoiceInfo
from picturelock.speech.engine import Speech

RATE = 24_000
WORD_SECONDS = 0.25
BEEP_SECONDS = 0.15


class Beep:
    """Implements `picturelock.speech.engine.SpeechEngine`."""

    name = "beep"

    @classmethod
    def from_settings(cls, _settings: Settings, /) -> Self | None:
        """It needs no configuration."""
        return cls()

    def version_of(self, _voice: Voice, /) -> str:
        """Raise it when the same text would sound otherwise: narrations are found again by it."""
        return "1"

    def voices(self) -> list[VoiceInfo]:
        """One voice, for any language."""
        return [VoiceInfo(engine=self.name, voice="a4", title="440 Hz", languages=["*"])]

    async def speak(self, text: str, voice: Voice, report: ReportShare) -> Speech:
        """A beep for each word, with the words' times."""
        step = WORD_SECONDS / voice.speed
        words = text.split()
        samples = np.zeros(round(len(words) * step * RATE), np.float32)
        beep = 0.3 * np.sin(2 * np.pi * 440 * np.arange(round(BEEP_SECONDS / voice.speed * RATE)) / RATE)
        times = []
        for number, word in enumerate(words):
            start = round(number * step * RATE)
            samples[start : start + len(beep)] = beep
            times.append(Word(text=word, start_seconds=number * step, end_seconds=(number + 1) * step))
            report((number + 1) / len(words))
        return Speech(samples=samples, sample_rate=RATE, words=times)
