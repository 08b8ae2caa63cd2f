"""What a BCP 47 language tag says: its primary language, its ISO 639-3 code, the script it is written in.

    >>> alpha3("sv"), script("sr"), script("sr-Latn"), reads_leftwards("he")
    ('swe', 'Cyrl', 'Latn', True)

The registries behind it are langcodes' copies of IANA's and CLDR's (https://www.iana.org/assignments/language-subtag-registry).
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from langcodes import Language

UNDETERMINED: Final = "und"
"""ISO 639-2 for a language that is not known: what a player shows no name for."""

_RIGHT_TO_LEFT: Final = frozenset({"Adlm", "Arab", "Hebr", "Mand", "Nkoo", "Rohg", "Syrc", "Thaa"})


def primary(tag: str) -> str:
    """The primary language subtag in lower case: "pt" of "pt-BR"."""
    return tag.split("-", 1)[0].lower()


def alpha3(tag: str) -> str:
    """The three-letter code (ISO 639-2/T, as MP4 and Matroska carry it); `und` where there is none."""
    try:
        return _parsed(tag).to_alpha3()
    except LookupError:
        return UNDETERMINED


def script(tag: str) -> str:
    """The ISO 15924 code of the script that the language is written in; "Latn" where nothing else is known."""
    return _parsed(tag).maximize().script or "Latn"


def reads_leftwards(tag: str) -> bool:
    """Whether the language is written from right to left."""
    return script(tag) in _RIGHT_TO_LEFT


@lru_cache(maxsize=256)
def _parsed(tag: str) -> "Language":
    # Its registries take 0.2 s to load, which an API that only asks for primary subtags has no use for.
    from langcodes import Language  # noqa: PLC0415
    from langcodes.tag_parser import LanguageTagError  # noqa: PLC0415

    try:
        return Language.get(tag)
    except LanguageTagError:  # subtags that no registry knows; the primary one is still a language
        return Language.make(language=primary(tag))
