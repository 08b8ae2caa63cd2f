"""The voice's own pauses and sibilants, and the pauses between scenes."""

import io
import wave

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from picturelock.composition.layout import CLOSING_SECONDS, OPENING_SECONDS, Part, lay_out
from picturelock.finalize.beds import bed
from picturelock.models import SAMPLE_RATE, Word
from picturelock.models.request import Mood
from picturelock.speech.deesser import deessed
from picturelock.speech.engine import Samples
from picturelock.speech.pauses import LONGEST_SECONDS, with_short_pauses


def tone(seconds: float, hertz: float = 220, level: float = 0.5, rate: int = SAMPLE_RATE) -> Samples:
    times = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * hertz * times)).astype(np.float32)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


def test_a_long_pause_is_cut_and_the_words_after_it_move() -> None:
    samples = np.concatenate([tone(1.0), silence(0.8), tone(1.0), silence(0.3), tone(0.5)])
    starts = {"a": 0.2, "b": 2.0, "c": 3.2}
    words = [Word(text=text, start_seconds=start, end_seconds=start + 0.4) for text, start in starts.items()]
    shorter, moved = with_short_pauses(samples, words)
    assert len(shorter) / SAMPLE_RATE == pytest.approx(3.6 - 0.8 + LONGEST_SECONDS, abs=0.03)
    assert [word.start_seconds for word in moved] == pytest.approx([0.2, 2.0 - 0.35, 3.2 - 0.35], abs=0.02)
    assert [word.text for word in moved] == ["a", "b", "c"]


@given(st.lists(st.tuples(st.floats(0.1, 1.0), st.floats(0.0, 1.5)), min_size=1, max_size=6))
def test_only_silence_goes(runs: list[tuple[float, float]]) -> None:
    samples = np.concatenate([part for sound, rest in runs for part in (tone(sound), silence(rest))])
    shorter, _ = with_short_pauses(samples, [])
    assert np.count_nonzero(shorter) == np.count_nonzero(samples)
    assert len(shorter) <= len(samples)


def test_treble_that_stands_out_is_made_quieter_and_speech_is_not() -> None:
    vowel, hiss = tone(1.0, 300, rate=24_000), tone(0.3, 8_000, rate=24_000)
    samples = np.concatenate([vowel, hiss, vowel])
    softer = deessed(samples, 24_000)
    assert len(softer) == len(samples)

    def level(part: Samples) -> float:
        return float(20 * np.log10(np.sqrt(np.mean(part[2_000:-2_000] ** 2))))

    assert abs(level(softer[:24_000]) - level(vowel)) < 0.1
    assert level(softer[24_000:31_200]) < level(hiss) - 8


@pytest.mark.parametrize("overlap", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("fps", [24, 30, 60])
def test_scenes_follow_one_another_after_a_breath(overlap: float, fps: int) -> None:
    layout = lay_out([Part(SAMPLE_RATE * 2)] * 3, fps, overlap)
    ends = [(scene.speech_start_frame + scene.speech_frames) / fps for scene in layout.scenes]
    gaps = [scene.speech_start_frame / fps - end for scene, end in zip(layout.scenes[1:], ends, strict=False)]
    assert all(0.6 <= gap <= 0.9 for gap in gaps)
    assert layout.scenes[0].speech_start_frame / fps == pytest.approx(OPENING_SECONDS, abs=0.03)
    assert layout.total_frames / fps - ends[-1] == pytest.approx(CLOSING_SECONDS, abs=0.05)


@pytest.mark.parametrize("mood", ["calm", "bright", "serious"])
def test_a_bed_is_a_loop_without_a_seam_and_the_same_every_time(mood: Mood) -> None:
    with wave.open(io.BytesIO(bed(mood))) as file:
        assert (file.getframerate(), file.getnchannels()) == (SAMPLE_RATE, 1)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(int)
    steps = np.abs(np.diff(samples))
    assert len(samples) > 15 * SAMPLE_RATE
    assert abs(samples[0] - samples[-1]) <= steps.max()
    loudness = np.abs(samples).reshape(-1)[: len(samples) // 4800 * 4800].reshape(-1, 4800).max(axis=1)
    assert loudness.min() > 300, "it is never silent"
    assert bed(mood) == bed(mood)
