"""The timeline in whole frames: exact for any number of scenes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picturelock.composition.layout import (
    MIN_BODY_SECONDS,
    MIN_SEGMENT_FRAMES,
    Part,
    lay_out,
    overlap_frames,
    pieces,
)
from picturelock.errors import InvalidRequest
from picturelock.models import SAMPLE_RATE

Speech = st.lists(st.integers(1, 30 * SAMPLE_RATE), min_size=1, max_size=40)
Inserts = st.tuples(st.integers(0, 900), st.integers(0, 900))
"""Frames of intro and outro; below what their transitions need there is none."""


def parts_of(samples: list[int], inserts: tuple[int, int], fps: int, transition: float) -> list[Part]:
    least = 2 * overlap_frames(transition, fps) + MIN_SEGMENT_FRAMES
    intro, outro = ([Part(kind="intro", frames=one)] if one >= least else [] for one in inserts)
    return [*intro, *(Part(one) for one in samples), *outro]


@given(Speech, Inserts, st.sampled_from([24, 25, 30, 50, 60]), st.sampled_from([0, 0.1, 0.5, 1.3, 3.0]))
def test_segments_tile_the_film_without_gap_or_overlap(
    samples: list[int], inserts: tuple[int, int], fps: int, transition: float
) -> None:
    parts = parts_of(samples, inserts, fps, transition)
    layout = lay_out(parts, fps, transition)
    at = 0
    for segment in layout.segments:
        assert segment.start_frame == at
        assert segment.frames >= MIN_SEGMENT_FRAMES
        at += segment.frames
    assert at == layout.total_frames
    overlaps = [segment.frames for segment in layout.segments if segment.kind == "transition"]
    assert overlaps == [overlap_frames(transition, fps)] * (len(parts) - 1 if transition else 0)
    assert sum(scene.frames for scene in layout.scenes) - sum(overlaps) == layout.total_frames
    assert len({segment.id for segment in layout.segments}) == len(layout.segments)
    for scene, part in zip(layout.scenes, parts, strict=True):
        assert scene.part == part.kind
        assert part.kind == "scene" or scene.frames == part.frames  # a clip keeps its length, whatever overlaps it


@given(Speech, st.sampled_from([24, 30, 60]), st.sampled_from([0, 0.5, 3.0]))
def test_speech_lies_between_the_transitions_of_its_scene(samples: list[int], fps: int, transition: float) -> None:
    layout = lay_out([Part(one) for one in samples], fps, transition)
    for scene, following in zip(layout.scenes, [*layout.scenes[1:], None], strict=True):
        own_end = following.start_frame if following else layout.total_frames
        begin = scene.start_frame + (round(transition * fps) if scene.index else 0)
        assert begin <= scene.speech_start_frame
        assert scene.speech_start_frame + scene.speech_frames <= own_end
        assert own_end - begin >= MIN_BODY_SECONDS * fps
        assert scene.speech_frames * SAMPLE_RATE >= samples[scene.index] * fps


@pytest.mark.parametrize("frames", [3, 15, 17])
def test_a_clip_that_is_shorter_than_its_transition_is_refused(frames: int) -> None:
    with pytest.raises(InvalidRequest, match=r"intro: the clip lasts 0\.\d+ s"):
        lay_out([Part(kind="intro", frames=frames), Part(48_000)], 30, 0.5)
    lay_out([Part(kind="intro", frames=18), Part(48_000)], 30, 0.5)


@given(st.integers(1, 10_000), st.integers(10, 300))
def test_pieces_keep_their_places_when_a_body_grows(frames: int, length: int) -> None:
    cut = pieces(frames, length)
    assert sum(cut) == frames
    assert all(piece == length for piece in cut[:-1])
    assert cut[-1] <= length * 3 // 2
    assert len(cut) == 1 or cut[-1] > length // 2 - 1
