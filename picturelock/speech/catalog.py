"""The voices this installation offers, without loading any of them."""

from importlib.util import find_spec
from typing import Final

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


_ESPEAK: Final = {
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


def espeak_voices() -> list[VoiceInfo]:
    """The voices of the optional engine eSpeak NG: one a language."""
    return [
        VoiceInfo(engine="espeak", voice=voice, title=f"{title}, eSpeak NG", languages=_languages_of(voice))
        for voice, title in _ESPEAK.items()
    ]


def _languages_of(voice: str) -> list[str]:
    primary = voice.split("-", 1)[0]
    return ["nb", "no"] if primary == "nb" else [primary]


def openai_voices(settings: Settings) -> list[VoiceInfo]:
    """The voices that the settings name for the configured speech endpoint."""
    languages = [name.strip().lower() for name in settings.speech_languages.split(",") if name.strip()]
    names = [name.strip() for name in settings.speech_voices.split(",") if name.strip()]
    return [VoiceInfo(engine="openai", voice=name, title=name.title(), languages=languages) for name in names]


def installed_voices(settings: Settings) -> list[VoiceInfo]:
    """Every voice of this installation."""
    built_in = hibari_voices() if find_spec("hibari") else []
    built_in += espeak_voices() if find_spec("espeakng_loader") else []
    return built_in + (openai_voices(settings) if settings.speech_base_url else [])
