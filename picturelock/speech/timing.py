"""Word times: the words as they are written, timed by what was spoken."""

import re
import unicodedata
from dataclasses import dataclass
from difflib import SequenceMatcher

from picturelock.models import Word


@dataclass(frozen=True, slots=True)
class TimedToken:
    """Something spoken, as the engine split it: a text with its start and end (seconds)."""

    text: str
    start: float
    end: float


def split_words(text: str) -> list[str]:
    """The words of a text as captions show them: split at white space; runs of CJK signs split by sign."""
    words: list[str] = []
    for chunk in text.split():
        words += _split_wide(chunk)
    return words


def _split_wide(chunk: str) -> list[str]:
    parts: list[str] = []
    for character in chunk:
        wide = unicodedata.east_asian_width(character) in "WF" and unicodedata.category(character)[0] == "L"
        previous_wide = bool(parts) and is_wide(parts[-1])
        attach = bool(parts) and not wide and (not previous_wide or unicodedata.category(character)[0] in "PM")
        if attach:
            parts[-1] += character
        else:
            parts.append(character)
    return parts


def is_wide(word: str) -> bool:
    """Whether a word is written in signs of full width, which need no space between them."""
    return bool(word) and unicodedata.east_asian_width(word[0]) in "WF" and unicodedata.category(word[0])[0] == "L"


def match_words(text: str, tokens: list[TimedToken]) -> list[Word]:
    """Times for the written words, from the spoken tokens.

    An engine reads "$9.99" as four words and "don't" as one or two. Equal words anchor the two sequences to each
    other; what lies between two anchors shares the time between them in proportion to its letters.
    """
    written = split_words(text)
    if not tokens:
        return []
    left = [_key(word) for word in written]
    right = [_key(token.text) for token in tokens]
    words: list[Word] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if tag == "equal":
            pairs = zip(written[i1:i2], tokens[j1:j2], strict=True)
            words += [Word(text=word, start_seconds=token.start, end_seconds=token.end) for word, token in pairs]
        elif i1 < i2:
            start = tokens[j1].start if j1 < j2 else (tokens[j1 - 1].end if j1 else tokens[0].start)
            end = tokens[j2 - 1].end if j1 < j2 else (tokens[j1].start if j1 < len(tokens) else tokens[-1].end)
            words += spread(written[i1:i2], start, max(start, end))
    return words


def spread(words: list[str], start: float, end: float) -> list[Word]:
    """Words over a span of time, each as long as its share of the letters."""
    weights = [max(1, len(re.sub(r"\W", "", word))) for word in words]
    total = sum(weights) or 1
    timed: list[Word] = []
    at = start
    for word, weight in zip(words, weights, strict=True):
        until = at + (end - start) * weight / total
        timed.append(Word(text=word, start_seconds=at, end_seconds=until))
        at = until
    return timed


def _key(word: str) -> str:
    return re.sub(r"[\W_]", "", word.replace("’", "'")).casefold()
