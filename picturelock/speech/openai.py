"""A second voice: any OpenAI-compatible `/audio/speech` endpoint that answers with WAV."""

import io
import wave
from typing import Final

from picturelock.errors import SpeechFailed, VoiceUnavailable
from picturelock.http_client import ProviderClient, bearer
from picturelock.models import Voice
from picturelock.reporting import ReportShare
from picturelock.settings import Settings
from picturelock.speech.catalog import VoiceInfo
from picturelock.speech.engine import Speech

_CLIENT: Final = ProviderClient("the speech endpoint", SpeechFailed, VoiceUnavailable)


class OpenAIEngine:
    """Speaks through HTTP. It gives no word times; they are spread over the audio."""

    name = "openai"

    def __init__(self, base_url: str, model: str, voices: list[VoiceInfo], key: str | None) -> None:
        self._base_url = base_url.rstrip("/")
        self._model = model
        self._voices = voices
        self._headers = bearer(key)

    @classmethod
    def from_settings(cls, settings: Settings) -> "OpenAIEngine | None":
        """The configured engine, or None when no endpoint is configured."""
        if settings.speech_base_url is None:
            return None
        key = settings.speech_api_key.get_secret_value() if settings.speech_api_key else None
        return cls(settings.speech_base_url, settings.speech_model, _voices(settings), key)

    def version_of(self, _voice: Voice, /) -> str:
        """The model, and where it answers."""
        return f"{self._model} {self._base_url}"

    def voices(self) -> list[VoiceInfo]:
        """The voices named in the settings."""
        return self._voices

    async def speak(self, text: str, voice: Voice, report: ReportShare) -> Speech:
        """Speaks plain text; see `SpeechEngine`."""
        body = {
            "model": self._model,
            "voice": voice.voice,
            "input": text,
            "speed": voice.speed,
            "response_format": "wav",
        }
        url = f"{self._base_url}/audio/speech"
        answer = await _CLIENT.request("POST", url, json=body, headers=self._headers)
        report(1.0)
        return _read_wav(answer)


def _read_wav(data: bytes) -> Speech:
    """16-bit PCM WAV as mono samples. Streamed answers carry a length of 0xFFFFFFFF; what is there counts."""
    import numpy as np  # noqa: PLC0415 - an API that lists these voices has no use for it

    try:
        with wave.open(io.BytesIO(data)) as wav:
            rate, channels, width = wav.getframerate(), wav.getnchannels(), wav.getsampwidth()
            frames = wav.readframes(min(wav.getnframes(), len(data)))
    except (wave.Error, EOFError) as error:
        raise SpeechFailed("the speech endpoint did not answer with a WAV file") from error
    if width != 2 or len(frames) < 2 * channels:
        raise SpeechFailed(
            f"the speech endpoint answered with {8 * width}-bit audio of {len(frames)} bytes; 16-bit is needed"
        )
    usable = len(frames) // (2 * channels) * 2 * channels
    samples = np.frombuffer(frames[:usable], "<i2").reshape(-1, channels).astype(np.float32).mean(axis=1) / 32768
    return Speech(samples=samples.astype(np.float32), sample_rate=rate, words=None)


def _voices(settings: Settings) -> list[VoiceInfo]:
    """The voices that the settings name for the configured endpoint."""
    languages = [name.strip().lower() for name in settings.speech_languages.split(",") if name.strip()]
    names = [name.strip() for name in settings.speech_voices.split(",") if name.strip()]
    return [VoiceInfo(engine="openai", voice=name, title=name.title(), languages=languages) for name in names]
