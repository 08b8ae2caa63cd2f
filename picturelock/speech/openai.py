"""A second voice: any OpenAI-compatible `/audio/speech` endpoint that answers with WAV."""

import io
import wave

import httpx
import numpy as np

from picturelock.errors import SpeechFailed, VoiceUnavailable
from picturelock.models import Voice
from picturelock.settings import Settings
from picturelock.speech.catalog import VoiceInfo, openai_voices
from picturelock.speech.engine import Report, Speech

_RETRYABLE = {408, 409, 425, 429, 500, 502, 503, 504}


class OpenAIEngine:
    """Speaks through HTTP. It tells no word times; they are spread over the audio."""

    name = "openai"

    def __init__(self, base_url: str, model: str, voices: list[VoiceInfo], key: str | None) -> None:
        self._base_url = base_url.rstrip("/")
        self._model = model
        self._voices = voices
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    @classmethod
    def from_settings(cls, settings: Settings) -> "OpenAIEngine | None":
        """The configured engine, or None when no endpoint is configured."""
        if settings.speech_base_url is None:
            return None
        key = settings.speech_api_key.get_secret_value() if settings.speech_api_key else None
        return cls(settings.speech_base_url, settings.speech_model, openai_voices(settings), key)

    def version_of(self, _voice: Voice, /) -> str:
        """The model, and where it answers."""
        return f"{self._model} {self._base_url}"

    def voices(self) -> list[VoiceInfo]:
        """The voices named in the settings."""
        return self._voices

    async def speak(self, text: str, voice: Voice, report: Report) -> Speech:
        """Speaks plain text; see `SpeechEngine`."""
        body = {
            "model": self._model,
            "voice": voice.voice,
            "input": text,
            "speed": voice.speed,
            "response_format": "wav",
        }
        try:
            async with httpx.AsyncClient(timeout=120, headers=self._headers) as client:
                response = await client.post(f"{self._base_url}/audio/speech", json=body)
        except httpx.HTTPError as error:
            reason = f"the speech endpoint did not answer: {type(error).__name__}"
            raise SpeechFailed(reason, outage=True) from error
        if response.status_code in _RETRYABLE:
            raise SpeechFailed(f"the speech endpoint answered {response.status_code}", outage=True)
        if response.is_error:
            raise VoiceUnavailable(
                f"the speech endpoint refused voice {voice.voice!r} with {response.status_code}",
                detail=response.text[:500],
            )
        report(1.0)
        return _read_wav(response.content)


def _read_wav(data: bytes) -> Speech:
    """16-bit PCM WAV as mono samples. Streamed answers carry a length of 0xFFFFFFFF; what is there counts."""
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
