"""An optional engine for many languages: eSpeak NG by its C API, with word times from its own events.

It comes with the extra `picturelock[voices]` (eSpeak NG is GPL-3.0, so nothing of it is part of the default
installation). The library keeps global state: one thread speaks for all, and the same text is never twice the same to
the sample; what was spoken is kept and found again like every narration. https://github.com/espeak-ng/espeak-ng
"""

import asyncio
import ctypes
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from typing import Final, Self

import numpy as np

from picturelock.errors import SpeechFailed
from picturelock.languages import primary
from picturelock.models import Voice
from picturelock.reporting import ReportShare
from picturelock.settings import Settings
from picturelock.speech.catalog import VoiceInfo
from picturelock.speech.engine import Speech
from picturelock.speech.letters import refuse_foreign
from picturelock.speech.timing import TimedToken, match_words

_SYNCHRONOUS: Final = 2
_BUFFER_MILLISECONDS: Final = 500
_POSITION_CHARACTER: Final = 1
_UTF8: Final = 1
_RATE: Final = 1
_WORDS_A_MINUTE: Final = 160
_EVENT_END: Final = 0
_EVENT_WORD: Final = 1
_THREAD: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="espeak")


class _Event(ctypes.Structure):
    """`espeak_EVENT` of speak_lib.h."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class EspeakEngine:
    """Speaks some sixty languages, plainly and quickly."""

    name = "espeak"

    @classmethod
    def from_settings(cls, _settings: Settings, /) -> Self | None:
        """The engine, where the extra is installed."""
        return cls() if find_spec("espeakng_loader") else None

    def version_of(self, _voice: Voice, /) -> str:
        """The package's version."""
        return version("espeakng-loader")

    def voices(self) -> list[VoiceInfo]:
        """One voice a language."""
        return _voices()

    async def speak(self, text: str, voice: Voice, report: ReportShare) -> Speech:
        """Speaks plain text; see `SpeechEngine`."""
        refuse_foreign(text, voice.voice, f"espeak/{voice.voice}")
        report(0.1)
        return await asyncio.get_running_loop().run_in_executor(_THREAD, _speak, text, voice)


@dataclass(frozen=True, slots=True)
class _Library:
    """The loaded library, its data, and the rate it speaks at."""

    api: ctypes.CDLL
    data: bytes
    sample_rate: int = 22_050

    def start(self) -> None:
        """Loads the data. Raises SpeechFailed."""
        if self.api.espeak_Initialize(_SYNCHRONOUS, _BUFFER_MILLISECONDS, self.data, 0) != self.sample_rate:
            raise SpeechFailed("eSpeak NG could not be started; is its data folder there, and its path not too long?")


@lru_cache(maxsize=1)
def _library() -> _Library:
    import espeakng_loader  # noqa: PLC0415 - optional

    library = _Library(ctypes.CDLL(espeakng_loader.get_library_path()), str(espeakng_loader.get_data_path()).encode())
    library.start()
    return library


def _speak(text: str, voice: Voice) -> Speech:
    library = _library()
    pieces: list[bytes] = []
    begun: list[tuple[str, float]] = []

    def take(samples: "ctypes._Pointer[ctypes.c_short]", count: int, events: "ctypes._Pointer[_Event]") -> int:
        if samples and count:
            pieces.append(ctypes.string_at(samples, count * 2))
        index = 0
        while events[index].type != _EVENT_END:
            event = events[index]
            if event.type == _EVENT_WORD:
                start = event.text_position - 1
                begun.append((text[start : start + event.length], event.sample / library.sample_rate))
            index += 1
        return 0

    callback = _Callback(take)
    library.api.espeak_SetSynthCallback(callback)
    if library.api.espeak_SetVoiceByName(voice.voice.encode()) != 0:
        raise SpeechFailed(f"eSpeak NG has lost its voice {voice.voice!r}")
    library.api.espeak_SetParameter(_RATE, round(_WORDS_A_MINUTE * voice.speed), 0)
    data = text.encode()
    failed = library.api.espeak_Synth(data, len(data) + 1, 0, _POSITION_CHARACTER, 0, _UTF8, None, None)
    samples = np.frombuffer(b"".join(pieces), "<i2").astype(np.float32) / np.float32(32768)
    if failed or not samples.any():
        raise SpeechFailed(f"the voice espeak/{voice.voice} made no sound of this text")
    length = len(samples) / library.sample_rate
    ends = [start for _, start in begun[1:]] + [length]
    tokens = [TimedToken(word, start, max(start, end)) for (word, start), end in zip(begun, ends, strict=False)]
    return Speech(samples=samples, sample_rate=library.sample_rate, words=match_words(text, tokens))


_TITLES: Final = {
    "af": "Afrikaans", "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech",
    "cy": "Welsh", "da": "Danish", "de": "German", "el": "Greek", "en": "English (British)",
    "en-us": "English (American)", "eo": "Esperanto", "es": "Spanish", "es-419": "Spanish (Latin America)",
    "et": "Estonian", "eu": "Basque", "fa": "Persian", "fi": "Finnish", "fr": "French", "ga": "Irish",
    "gu": "Gujarati", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "id": "Indonesian", "is": "Icelandic",
    "it": "Italian", "ka": "Georgian", "kn": "Kannada", "lt": "Lithuanian", "lv": "Latvian", "mk": "Macedonian",
    "ml": "Malayalam", "mr": "Marathi", "ms": "Malay", "nb": "Norwegian", "ne": "Nepali", "nl": "Dutch",
    "pa": "Punjabi", "pl": "Polish", "pt": "Portuguese", "pt-br": "Portuguese (Brazil)", "ro": "Romanian",
    "ru": "Russian", "sk": "Slovak", "sl": "Slovenian", "sq": "Albanian", "sr": "Serbian", "sv": "Swedish",
    "sw": "Swahili", "ta": "Tamil", "te": "Telugu", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu",
    "vi": "Vietnamese",
}  # fmt: skip


def _voices() -> list[VoiceInfo]:
    """One voice a language."""
    return [
        VoiceInfo(engine="espeak", voice=voice, title=f"{title}, eSpeak NG", languages=_languages_of(voice))
        for voice, title in _TITLES.items()
    ]


def _languages_of(voice: str) -> list[str]:
    language = primary(voice)
    return ["nb", "no"] if language == "nb" else [language]
