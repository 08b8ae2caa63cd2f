"""Music that ships: quiet beds under a voice, rendered from scores of our own. The same mood is the same sound.

A bed is a loop of eight bars: soft chords that swell and fade, a bass note, and a few plucked notes of the chord.
Equal temperament, A4 = 440 Hz.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from picturelock.ffmpeg.samples import to_wav
from picturelock.models import SAMPLE_RATE
from picturelock.models.request import Mood

VERSION: Final = "1"
Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Score:
    """Chords, two bars each, as semitones from A3; the pace; which notes of a chord are plucked, eight a chord."""

    chords: tuple[tuple[int, ...], ...]
    beats_per_minute: float
    plucks: tuple[int | None, ...]
    brightness: float
    """How many overtones a note has, from 0 to 1."""


_SCORES: Final[dict[Mood, _Score]] = {
    "calm": _Score(
        ((3, 7, 10, 14), (0, 3, 7, 10), (-4, 0, 3, 7), (-2, 2, 5, 9)), 66, (0, None, 2, None, 1, None, 3, None), 0.25
    ),
    "bright": _Score(((3, 7, 10, 15), (-2, 2, 5, 10), (0, 3, 7, 12), (-4, 0, 3, 8)), 96, (0, 1, 2, 3, 2, 1, 2, 1), 0.5),
    "serious": _Score(
        ((0, 3, 7, 12), (-4, 0, 3, 8), (-7, -4, 0, 5), (-5, -1, 2, 7)),
        60,
        (0, None, None, 2, None, None, 1, None),
        0.15,
    ),
}


def bed(mood: Mood) -> bytes:
    """A loop of a mood as WAV, 48 kHz."""
    score = _SCORES[mood]
    beat = 60 / score.beats_per_minute
    length = round(8 * beat * SAMPLE_RATE)
    loop = np.zeros(length * len(score.chords), np.float32)
    for number, chord in enumerate(score.chords):
        start = number * length
        for note in chord:
            _add(loop, start, _pad(note, 8 * beat, score.brightness), 0.11)
        _add(loop, start, _pad(chord[0] - 12, 8 * beat, 0.1), 0.2)
        for place, which in enumerate(score.plucks):
            if which is not None:
                _add(loop, start + round(place * beat * SAMPLE_RATE), _pluck(chord[which] + 12, score.brightness), 0.1)
    return to_wav(0.5 * loop / np.abs(loop).max())


def _add(loop: Samples, start: int, sound: Samples, level: float) -> None:
    """Adds a sound to the loop; what hangs over its end goes on at its beginning."""
    start %= len(loop)
    until = min(len(sound), len(loop) - start)
    loop[start : start + until] += level * sound[:until]
    loop[: len(sound) - until] += level * sound[until:]


def _hertz(semitones: float) -> float:
    return float(220.0 * 2.0 ** (semitones / 12))


def _pad(semitones: float, seconds: float, brightness: float) -> Samples:
    """A note that swells over a third of its time and fades into the next one: three voices, a little apart."""
    times = np.arange(round((seconds + 1.5) * SAMPLE_RATE), dtype=np.float32) / SAMPLE_RATE
    swell = np.minimum(1.0, times / (seconds / 3)) * np.minimum(1.0, (times[-1] - times) / 1.5)
    sound = np.zeros_like(times)
    for cents in (-5, 0, 5):
        base = _hertz(semitones + cents / 100)
        for overtone in range(1, 4):
            phase = np.float32(2 * np.pi * base * overtone) * times + overtone * cents
            sound += np.sin(phase) * brightness ** (overtone - 1) / overtone / 3
    return np.asarray(np.sin(np.pi / 2 * np.clip(swell, 0, 1)) ** 2 * sound, np.float32)


def _pluck(semitones: float, brightness: float) -> Samples:
    """A short note that dies away like a string, its overtones first."""
    times = np.arange(round(1.8 * SAMPLE_RATE), dtype=np.float32) / SAMPLE_RATE
    sound = np.zeros_like(times)
    for overtone in range(1, 5):
        sound += (
            np.sin(2 * np.pi * _hertz(semitones) * overtone * times)
            * brightness ** (overtone - 1)
            * np.exp(-times * (2.2 + 1.6 * overtone))
        )
    return np.asarray(np.minimum(1.0, times / 0.006) * sound, np.float32)
