"""The protocol of speech engines and the registry of those this installation has."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from picturelock.errors import VoiceUnavailable
from picturelock.languages import primary
from picturelock.models import Voice, Word
from picturelock.settings import Settings
from picturelock.speech.catalog import VoiceInfo

Samples = npt.NDArray[np.float32]
Report = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Speech:
    """What an engine delivers: mono samples (-1..1) at `sample_rate` Hz; word times in seconds, or None."""

    samples: Samples
    sample_rate: int
    words: list[Word] | None


class SpeechEngine(Protocol):
    """Anything that speaks. `name` is what `voice.engine` selects."""

    name: str

    def version_of(self, voice: Voice, /) -> str:
        """What makes this voice sound as it does, beside the text: part of every cache key."""
        ...

    def voices(self) -> list[VoiceInfo]:
        """The voices it really has, without a download."""
        ...

    async def speak(self, text: str, voice: Voice, report: Report) -> Speech:
        """Speaks plain text. `report` is told what share of it is done.

        Raises:
            SpeechFailed: the engine did not deliver; trying again may help.
            VoiceUnavailable: it cannot say this text with this voice.
        """
        ...


def engines(settings: Settings) -> dict[str, SpeechEngine]:
    """The installed and configured engines by name."""
    from picturelock.speech import espeak, piper  # noqa: PLC0415
    from picturelock.speech.hibari import HibariEngine  # noqa: PLC0415 - heavy imports only where voices are used
    from picturelock.speech.openai import OpenAIEngine  # noqa: PLC0415

    found: dict[str, SpeechEngine] = {"hibari": HibariEngine()}
    if piper.installed():
        found["piper"] = piper.PiperEngine(settings.piper_voices)
    if espeak.installed():
        found["espeak"] = espeak.EspeakEngine()
    remote = OpenAIEngine.from_settings(settings)
    if remote is not None:
        found["openai"] = remote
    return found


def choose(available: dict[str, SpeechEngine], voice: Voice, language: str) -> SpeechEngine:
    """The engine that speaks `language` with `voice`.

    Raises:
        VoiceUnavailable: with the list of what is installed.
    """
    everything = [info for engine in available.values() for info in engine.voices()]
    listing = ", ".join(f"{one.engine}/{one.voice} ({', '.join(one.languages)})" for one in everything)
    for info in everything:
        if info.engine == voice.engine and info.voice == voice.voice:
            if primary(language) in info.languages or "*" in info.languages:
                return available[voice.engine]
            raise VoiceUnavailable(
                f"the voice {voice.engine}/{voice.voice} does not speak {language!r}; installed voices: {listing}"
            )
    raise VoiceUnavailable(f"there is no voice {voice.engine}/{voice.voice}; installed voices: {listing}")
