"""Pauses between sentences as people make them: a voice that stops for longer is cut there."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from picturelock.models import SAMPLE_RATE, Word
from picturelock.speech.engine import Samples

LONGEST_SECONDS: Final = 0.45
"""How long a pause may be; editors leave 0.3 to 0.5 s between sentences."""

_WINDOW: Final = SAMPLE_RATE // 100
_QUIET_DB: Final = -45.0
"""How far below the loudest part silence is."""


def with_short_pauses(samples: Samples, words: Sequence[Word]) -> tuple[Samples, list[Word]]:
    """The speech (48 kHz) with every pause inside it cut to `LONGEST_SECONDS`, and its words at their new times.

    >>> import numpy as np
    >>> tone = np.ones(48_000, np.float32)
    >>> len(with_short_pauses(np.concatenate([tone, 0 * tone, tone]), [])[0]) / 48_000
    2.45
    """
    cuts = _cuts(samples)
    if not cuts:
        return samples, list(words)
    kept: list[Samples] = []
    place = 0
    for start, end in cuts:
        kept.append(samples[place:start])
        place = end
    kept.append(samples[place:])
    return np.concatenate(kept), [_moved(word, cuts) for word in words]


def _cuts(samples: Samples) -> list[tuple[int, int]]:
    """What is taken out: the middle of each long pause, first sample and end."""
    count = len(samples) // _WINDOW
    if count == 0:
        return []
    level = np.sqrt(np.mean(samples[: count * _WINDOW].reshape(count, _WINDOW) ** 2, axis=1))
    quiet = level < level.max() * 10 ** (_QUIET_DB / 20)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], quiet, [False]]).astype(np.int8)))
    longest = round(LONGEST_SECONDS * SAMPLE_RATE)
    cuts: list[tuple[int, int]] = []
    for first, last in zip(edges[::2] * _WINDOW, edges[1::2] * _WINDOW, strict=True):
        inside = first > 0 and last < count * _WINDOW
        if inside and last - first > longest:
            cuts.append((int(first) + longest // 2, int(last) - (longest - longest // 2)))
    return cuts


def _moved(word: Word, cuts: list[tuple[int, int]]) -> Word:
    times = (_new_time(seconds, cuts) for seconds in (word.start_seconds, word.end_seconds))
    start, end = times
    return word.model_copy(update={"start_seconds": round(start, 4), "end_seconds": round(max(start, end), 4)})


def _new_time(seconds: float, cuts: list[tuple[int, int]]) -> float:
    place = seconds * SAMPLE_RATE
    gone = sum(max(0.0, min(place, end) - start) for start, end in cuts)
    return (place - gone) / SAMPLE_RATE
