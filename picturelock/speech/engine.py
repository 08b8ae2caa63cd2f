"""The protocol of speech engines, and those that this installation has.

An engine is a class that an entry point of the group `picturelock.voices` names (docs/plugins.md). A whole one:

    class Beep:
        name = "beep"

        @classmethod
        def from_settings(cls, settings: Settings) -> Self | None:
            return cls()

        def version_of(self, voice: Voice, /) -> str:
            return "1"

        def voices(self) -> list[VoiceInfo]:
            return [VoiceInfo(engine="beep", voice="a4", title="440 Hz", languages=["*"])]

        async def speak(self, text: str, voice: Voice, report: ReportShare) -> Speech:
            seconds = 0.2 * len(text.split()) / voice.speed
            samples = np.sin(2 * np.pi * 440 * np.arange(int(24_000 * seconds)) / 24_000)
            return Speech(samples=samples.astype(np.float32), sample_rate=24_000, words=None)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, Self, TypeAlias

from picturelock.errors import VoiceUnavailable
from picturelock.languages import primary
from picturelock.models import Voice, VoiceWish, Word
from picturelock.plugins import configured
from picturelock.reporting import ReportShare
from picturelock.settings import Settings
from picturelock.speech.catalog import VoiceInfo

if TYPE_CHECKING:
    import numpy as np  # an API lists voices without it
    import numpy.typing as npt

Samples: TypeAlias = "npt.NDArray[np.float32]"


_LAST: Final = "espeak"
"""It speaks nearly everything, less naturally than any other."""

_LISTED: Final = 8


@dataclass(frozen=True, slots=True)
class Speech:
    """What an engine delivers: mono samples (-1..1) at `sample_rate` Hz; word times in seconds, or None."""

    samples: Samples
    sample_rate: int
    words: list[Word] | None


class SpeechEngine(Protocol):
    """Anything that speaks. `name` is what `voice.engine` selects."""

    name: str

    @classmethod
    def from_settings(cls, settings: Settings, /) -> Self | None:
        """The engine, or None where it is not configured. Nothing heavy is loaded yet."""
        ...

    def version_of(self, voice: Voice, /) -> str:
        """What makes this voice sound as it does, beside the text: part of every cache key."""
        ...

    def voices(self) -> list[VoiceInfo]:
        """The voices it really has, without a download."""
        ...

    async def speak(self, text: str, voice: Voice, report: ReportShare) -> Speech:
        """Speaks plain text. `report` is told what share of it is done.

        Raises:
            SpeechFailed: the engine did not deliver; trying again may help.
            VoiceUnavailable: it cannot say this text with this voice.
        """
        ...


def engines(settings: Settings) -> dict[str, SpeechEngine]:
    """The installed and configured engines by name, in the order in which one is chosen. Raises PluginConflict."""
    available: dict[str, SpeechEngine] = configured("picturelock.voices", settings)
    return dict(sorted(available.items(), key=lambda item: (item[0] != Voice().engine, item[0] == _LAST)))


def installed_voices(settings: Settings) -> list[VoiceInfo]:
    """Every voice of this installation; none of them is loaded for it."""
    return [voice for engine in engines(settings).values() for voice in engine.voices()]


def choose(available: Mapping[str, SpeechEngine], wish: VoiceWish, language: str) -> tuple[SpeechEngine, Voice]:
    """The engine and the voice that speak `language`: those that are named, else the first that do.

    Raises:
        VoiceUnavailable: with what is installed instead.
    """
    everything = [info for engine in available.values() for info in engine.voices()]
    named = [info for info in everything if wish.engine in {None, info.engine} and wish.voice in {None, info.voice}]
    spoken = [info for info in named if primary(language) in info.languages]
    spoken += [info for info in named if "*" in info.languages]
    if spoken:
        chosen = Voice(engine=spoken[0].engine, voice=spoken[0].voice, speed=wish.speed)
        return available[chosen.engine], chosen
    name = f"{wish.engine or '*'}/{wish.voice or '*'}"
    others = [info for info in everything if primary(language) in info.languages or "*" in info.languages]
    if wish.engine is None and wish.voice is None:
        spoken_here = sorted({tongue for info in everything for tongue in info.languages})
        raise VoiceUnavailable(f"no installed voice speaks {language!r}; installed: {', '.join(spoken_here)}")
    listing = ", ".join(f"{info.engine}/{info.voice}" for info in others[:_LISTED]) or "no installed voice"
    if named:
        raise VoiceUnavailable(f"the voice {name} does not speak {language!r}; {listing} does")
    raise VoiceUnavailable(f"there is no voice {name}; {listing} speaks {language!r}")
