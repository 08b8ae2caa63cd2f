"""Which letters a language is written with: what a voice has no letters for, it would read in the wrong language."""

import unicodedata
from typing import Final

from picturelock.errors import VoiceUnavailable

_HAN: Final = ("CJK", "HIRAGANA", "KATAKANA", "IDEOGRAPHIC", "BOPOMOFO")
_SCRIPTS: Final[dict[str, tuple[str, ...]]] = {
    "ar": ("ARABIC",), "fa": ("ARABIC",), "ur": ("ARABIC",), "he": ("HEBREW",), "yi": ("HEBREW",),
    "bg": ("CYRILLIC",), "mk": ("CYRILLIC",), "ru": ("CYRILLIC",), "sr": ("CYRILLIC",), "uk": ("CYRILLIC",),
    "be": ("CYRILLIC",), "kk": ("CYRILLIC",), "ky": ("CYRILLIC",), "mn": ("CYRILLIC",), "el": ("GREEK",),
    "hy": ("ARMENIAN",), "ka": ("GEORGIAN",), "hi": ("DEVANAGARI",), "mr": ("DEVANAGARI",), "ne": ("DEVANAGARI",),
    "bn": ("BENGALI",), "as": ("BENGALI",), "gu": ("GUJARATI",), "kn": ("KANNADA",), "ml": ("MALAYALAM",),
    "pa": ("GURMUKHI",), "ta": ("TAMIL",), "te": ("TELUGU",), "si": ("SINHALA",), "th": ("THAI",), "my": ("MYANMAR",),
    "km": ("KHMER",), "lo": ("LAO",), "am": ("ETHIOPIC",), "ko": ("HANGUL", *_HAN), "ja": _HAN, "zh": _HAN,
    "yue": _HAN,
}  # fmt: skip
"""The scripts beside Latin, which voices of all languages read; a language that is not here is written in Latin."""


def foreign_letters(text: str, language: str) -> str:
    """The letters of a text that its language is not written with, each once, in order of code points."""
    scripts = ("LATIN", "MODIFIER", *_SCRIPTS.get(language.split("-", 1)[0].lower(), ()))
    letters = {sign for sign in text if unicodedata.category(sign)[0] == "L"}
    return "".join(sorted(sign for sign in letters if not _of(sign, scripts)))


def refuse_foreign(text: str, language: str, voice: str) -> None:
    """Raises VoiceUnavailable for a text that a voice of `language` would misread."""
    foreign = foreign_letters(text, language)
    if foreign:
        raise VoiceUnavailable(
            f"the voice {voice} speaks {language!r}; it cannot say {foreign[:12]!r}. Bring recorded narration "
            "(narrationAssetId) or choose a voice for that language"
        )


def _of(sign: str, scripts: tuple[str, ...]) -> bool:
    # Half-width and full-width forms, ª and º are letters of their script by another name.
    name = unicodedata.name(sign, "").removeprefix("FULLWIDTH ").removeprefix("HALFWIDTH ")
    return name.startswith(scripts) or sign in "ªº"
