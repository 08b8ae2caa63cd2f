"""Word times: the words as they are written, timed by what was spoken."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from picturelock.models import Word
from picturelock.script.words import Written, split_words


@dataclass(frozen=True, slots=True)
class TimedToken:
    """Something spoken, as the engine split it: a text with its start and end (seconds)."""

    text: str
    start: float
    end: float


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
    return re.sub(r"[\W_]", "", word).casefold()
