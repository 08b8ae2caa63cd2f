"""Which letters a language is written with: what a voice has no letters for, it would read in the wrong language."""

import unicodedata
from typing import Final

from picturelock.errors import VoiceUnavailable
from picturelock.languages import script

_HAN: Final = ("CJK", "HIRAGANA", "KATAKANA", "IDEOGRAPHIC", "BOPOMOFO")
_LETTERS: Final[dict[str, tuple[str, ...]]] = {
    "Arab": ("ARABIC",), "Armn": ("ARMENIAN",), "Beng": ("BENGALI",), "Cyrl": ("CYRILLIC",), "Deva": ("DEVANAGARI",),
    "Ethi": ("ETHIOPIC",), "Geor": ("GEORGIAN",), "Grek": ("GREEK",), "Gujr": ("GUJARATI",), "Guru": ("GURMUKHI",),
    "Hans": _HAN, "Hant": _HAN, "Hebr": ("HEBREW",), "Jpan": _HAN, "Khmr": ("KHMER",), "Knda": ("KANNADA",),
    "Kore": ("HANGUL", *_HAN), "Laoo": ("LAO",), "Mlym": ("MALAYALAM",), "Mymr": ("MYANMAR",), "Orya": ("ORIYA",),
    "Sinh": ("SINHALA",), "Taml": ("TAMIL",), "Telu": ("TELUGU",), "Thaa": ("THAANA",), "Thai": ("THAI",),
    "Tibt": ("TIBETAN",),
}  # fmt: skip
"""Unicode's names of the letters of a script (ISO 15924). Latin ones are read by voices of all languages."""


def foreign_letters(text: str, language: str) -> str:
    """The letters of a text that its language is not written with, each once, in order of code points."""
    scripts = ("LATIN", "MODIFIER", *_LETTERS.get(script(language), ()))
    letters = {character for character in text if unicodedata.category(character)[0] == "L"}
    return "".join(sorted(character for character in letters if not _of(character, scripts)))


def refuse_foreign(text: str, language: str, voice: str) -> None:
    """Raises VoiceUnavailable for a text that a voice of `language` would misread."""
    foreign = foreign_letters(text, language)
    if foreign:
        raise VoiceUnavailable(
            f"the voice {voice} speaks {language!r}; it cannot say {foreign[:12]!r}. Bring recorded narration "
            "(narrationAssetId) or choose a voice for that language"
        )


def _of(character: str, scripts: tuple[str, ...]) -> bool:
    # Half-width and full-width forms, ª and º are letters of their script by another name.
    name = unicodedata.name(character, "").removeprefix("FULLWIDTH ").removeprefix("HALFWIDTH ")
    return name.startswith(scripts) or character in "ªº"
