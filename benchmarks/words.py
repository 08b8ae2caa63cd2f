"""Word times against a reference that was read from spectrograms by eye (tests/reference/word_times.json)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from picturelock.ffmpeg.samples import resample
from picturelock.models import Voice, Word
from picturelock.speech.alignment import align
from picturelock.speech.hibari import HibariEngine

REFERENCE = Path(__file__).parents[1] / "tests" / "reference" / "word_times.json"


@dataclass(frozen=True)
class Deviations:
    """How far word starts are from the reference (seconds, positive: late)."""

    engine: list[float]
    aligned: list[float]

    @staticmethod
    def p95(found: list[float]) -> float:
        """The 95th percentile of the distances."""
        return float(np.percentile(np.abs(found), 95))


async def deviations() -> Deviations:
    """Speaks the reference texts; compares the engine's own times and those of forced alignment."""
    own: list[float] = []
    found: list[float] = []
    for one in json.loads(REFERENCE.read_text())["narrations"]:
        speech = await HibariEngine().speak(one["text"], Voice(), lambda _: None)
        samples = await resample(speech.samples, speech.sample_rate)
        aligned = await align(one["text"], samples, "en")
        assert speech.words is not None
        assert aligned is not None
        own += _differences(speech.words, one["starts"])
        found += _differences(aligned, one["starts"])
    return Deviations(own, found)


def _differences(words: list[Word], starts: list[float]) -> Iterator[float]:
    return (word.start_seconds - start for word, start in zip(words, starts, strict=True))
