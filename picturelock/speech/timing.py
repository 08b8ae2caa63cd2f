"""Word times: the words as they are written, timed by what was spoken."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import NamedTuple, Protocol

from picturelock.models import Word


@dataclass(frozen=True, slots=True)
class TimedToken:
    """Something spoken, as the engine split it: a text with its start and end (seconds)."""

    text: str
    start: float
    end: float


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


def match_words(text: str, tokens: list[TimedToken]) -> list[Word]:
    """Times for the written words, from the spoken tokens.

    An engine reads "$9.99" as four words and "don't" as one or two. Equal words anchor the two sequences to each
    other; what lies between two anchors shares the time between them in proportion to its letters.
    """
    written = split_words(text)
    if not tokens:
        return []
    left = [_key(word.text) for word in written]
    right = [_key(token.text) for token in tokens]
    words: list[Word] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if tag == "equal":
            pairs = zip(written[i1:i2], tokens[j1:j2], strict=True)
            words += [_timed(word, token.start, token.end) for word, token in pairs]
        elif i1 < i2:
            start = tokens[j1].start if j1 < j2 else (tokens[j1 - 1].end if j1 else tokens[0].start)
            end = tokens[j2 - 1].end if j1 < j2 else (tokens[j1].start if j1 < len(tokens) else tokens[-1].end)
            words += spread(written[i1:i2], start, max(start, end))
    return words


def spread(words: Sequence[Written], start: float, end: float) -> list[Word]:
    """Words over a span of time, each as long as its share of the letters."""
    weights = [max(1, len(re.sub(r"\W", "", word.text))) for word in words]
    total = sum(weights) or 1
    timed: list[Word] = []
    position = start
    for word, weight in zip(words, weights, strict=True):
        until = position + (end - start) * weight / total
        timed.append(_timed(word, position, until))
        position = until
    return timed


def _timed(word: Written, start: float, end: float) -> Word:
    return Word(text=word.text, start_seconds=start, end_seconds=end, joined=word.joined)


def _key(word: str) -> str:
    return re.sub(r"[\W_]", "", word.replace("’", "'")).casefold()
