"""The voices this installation offers, without loading any of them."""

from importlib.util import find_spec

from pydantic import Field

from picturelock.models import Model
from picturelock.settings import Settings


class VoiceInfo(Model):
    """A voice this installation offers."""

    engine: str
    voice: str
    title: str
    languages: list[str] = Field(description="BCP 47 primary tags; `*` stands for any.")


def hibari_voices() -> list[VoiceInfo]:
    """The built-in voice whose weights are in the wheel; its other voices would need a download."""
    return [VoiceInfo(engine="hibari", voice="heart", title="Heart (American English, female)", languages=["en"])]


def openai_voices(settings: Settings) -> list[VoiceInfo]:
    """The voices that the settings name for the configured speech endpoint."""
    languages = [name.strip().lower() for name in settings.speech_languages.split(",") if name.strip()]
    names = [name.strip() for name in settings.speech_voices.split(",") if name.strip()]
    return [VoiceInfo(engine="openai", voice=name, title=name.title(), languages=languages) for name in names]


def installed_voices(settings: Settings) -> list[VoiceInfo]:
    """Every voice of this installation."""
    built_in = hibari_voices() if find_spec("hibari") else []
    return built_in + (openai_voices(settings) if settings.speech_base_url else [])
