"""The words of a text, as captions show them, and the phrases of languages that are written without spaces."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from picturelock.languages import primary

if TYPE_CHECKING:
    from budoux import Parser

_THAI: Final = re.compile(r"[\u0e00-\u0e7f]+")


class Written(NamedTuple):
    """A word as it is written. `joined`: no space stands before it."""

    text: str
    joined: bool = False


class AnyWord(Protocol):
    """What can stand in a line: `Written`, or a timed `Word`."""

    @property
    def text(self) -> str:
        """The word."""

    @property
    def joined(self) -> bool:
        """Whether it follows the word before it without a space."""


def split_words(text: str) -> list[Written]:
    """The words of a text as captions show them: at white space; Chinese and Japanese by characters, Thai by words."""
    words: list[Written] = []
    for chunk in text.split():
        parts = [part for piece in _split_thai(chunk) for part in _split_wide(piece)]
        words += [Written(part, joined=index > 0) for index, part in enumerate(parts)]
    return words


def join_words(words: Sequence[AnyWord]) -> str:
    """Words as a line, with the spaces of the text they come from."""
    line = ""
    for word in words:
        line += word.text if word.joined or not line else f" {word.text}"
    return line


def phrase_ends(words: Sequence[AnyWord], language: str) -> list[bool]:
    """For each word whether a phrase ends with it, after which a line may end; all do where words have spaces."""
    parser = _phrases(primary(language))
    if parser is None:
        return [True] * len(words)
    ends: list[bool] = []
    run: list[str] = []
    for number, word in enumerate(words):
        run.append(word.text)
        following = words[number + 1] if number + 1 < len(words) else None
        if following is None or not following.joined:
            ends += _ends_within(run, parser)
            run = []
    return ends


def _ends_within(run: list[str], parser: "Parser") -> list[bool]:
    cuts, place = set(), 0
    for phrase in parser.parse("".join(run)):
        place += len(phrase)
        cuts.add(place)
    ends, place = [], 0
    for text in run:
        place += len(text)
        ends.append(place in cuts)
    return ends


@lru_cache(maxsize=4)
def _phrases(language: str) -> "Parser | None":
    """The phrase finder of a language; None where there is none."""
    import budoux  # noqa: PLC0415 - an API has no use for its models

    match language:
        case "ja":
            return budoux.load_default_japanese_parser()
        case "zh":
            return budoux.load_default_simplified_chinese_parser()
        case "th":
            return budoux.load_default_thai_parser()
    return None


def _split_thai(chunk: str) -> list[str]:
    """Runs of Thai cut into words; everything else whole."""
    if not _THAI.search(chunk):
        return [chunk]
    parser = _phrases("th")
    return parser.parse(chunk) if parser else [chunk]


def _split_wide(chunk: str) -> list[str]:
    """Cuts between characters that need no space; closing marks stay before the cut, opening ones behind it."""
    parts: list[str] = []
    for character in chunk:
        opened = bool(parts) and unicodedata.category(parts[-1][-1]) in {"Ps", "Pi"}
        if not parts or (_cuts(parts[-1], character) and not opened):
            parts.append(character)
        else:
            parts[-1] += character
    return parts


def _cuts(before: str, character: str) -> bool:
    category = unicodedata.category(character)
    if category[0] == "M" or (category[0] == "P" and category not in {"Ps", "Pi"}):
        return False
    return is_wide(character) or is_wide(before)


def is_wide(word: str) -> bool:
    """Whether a word begins with a character that needs no spaces around it: Han and kana, not Hangul."""
    if not word or unicodedata.category(word[0])[0] != "L" or unicodedata.east_asian_width(word[0]) not in "WF":
        return False
    return not unicodedata.name(word[0], "").startswith("HANGUL")
