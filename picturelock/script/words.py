"""The words of a text, as captions show them."""

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple, Protocol


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
    """The words of a text as captions show them: cut at white space, Chinese and Japanese between any characters."""
    words: list[Written] = []
    for chunk in text.split():
        parts = _split_wide(chunk)
        words += [Written(part, joined=index > 0) for index, part in enumerate(parts)]
    return words


def join_words(words: Sequence[AnyWord]) -> str:
    """Words as a line, with the spaces of the text they come from."""
    line = ""
    for word in words:
        line += word.text if word.joined or not line else f" {word.text}"
    return line


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
    return is_wide(character) or is_wide(before) or (category in {"Ps", "Pi"} and is_wide(before))


def is_wide(word: str) -> bool:
    """Whether a word begins with a character that needs no spaces around it: Han and kana, not Hangul."""
    if not word or unicodedata.category(word[0])[0] != "L" or unicodedata.east_asian_width(word[0]) not in "WF":
        return False
    return not unicodedata.name(word[0], "").startswith("HANGUL")
