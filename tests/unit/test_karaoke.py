"""The caption style that lights up the word being spoken."""

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from picturelock.composition.captions import cues_of_scene
from picturelock.models import CaptionSpec, Cue, Word
from picturelock.script.words import join_words
from picturelock.text.ass import caption_document

FPS = 30
EVENT = re.compile(r"^Dialogue: 0,([\d:.]+),([\d:.]+),Caption,,0,0,0,,(.*)$", re.MULTILINE)
TEXTS = ["sea", "the", "the", "{x}", r"\N", "100%", "a\\b", "don't", "潮", "汐", "البحر", "👩‍👩‍👧", "…", "sea,"]


def hundredths(clock: str) -> int:
    hours, minutes, seconds = clock.split(":")
    return int(hours) * 360_000 + int(minutes) * 6_000 + round(float(seconds) * 100)


def drawn(text: str) -> str:
    """What an event shows: its overrides removed, its escapes undone."""
    plain = re.sub(r"(?<!\\)\{[^}]*\}", "", text)
    return plain.replace("\\{", "{").replace("\\}", "}").replace("\u2060", "")


@given(st.lists(st.tuples(st.sampled_from(TEXTS), st.floats(0, 0.8), st.booleans()), min_size=1, max_size=30))
def test_the_cue_is_shown_whole_without_a_gap_and_one_word_at_a_time_stands_out(
    spoken: list[tuple[str, float, bool]],
) -> None:
    words, at = [], 0.0
    for text, length, joined in spoken:
        words.append(Word(text=text, start_seconds=at, end_seconds=at + length, joined=joined and at > 0))
        at += length
    cues = cues_of_scene(words, 0, 8, round((at + 2) * FPS) + 8, FPS, lambda text: len(text) / 42)
    for cue in cues:
        events = EVENT.findall(caption_document([cue], CaptionSpec(style="karaoke"), (1280, 720), FPS, "en"))
        clocks = [(hundredths(start), hundredths(end)) for start, end, _ in events]
        assert all(one[1] == other[0] for one, other in pairwise(clocks))
        whole = EVENT.findall(caption_document([cue], CaptionSpec(), (1280, 720), FPS, "en"))[0]
        assert (clocks[0][0], clocks[-1][1]) == (hundredths(whole[0]), hundredths(whole[1]))
        assert {drawn(text) for _, _, text in events} == {drawn(whole[2])}
        lit = [re.search(r"\{\\1c&H4CC8FF&\}(.*?)\{\\1c\}", text) for _, _, text in events]
        assert len([one for one in lit if one]) <= len(cue.words)


def test_each_word_is_lit_from_its_first_sound_to_the_next_words() -> None:
    words = [Word(text=text, start_seconds=n, end_seconds=n + 0.5) for n, text in enumerate(["the", "sea", "the"])]
    cue = Cue(start_seconds=0.0, end_seconds=3.5, lines=[join_words(words[:2]), "the"], words=words, scene_index=0)
    events = EVENT.findall(caption_document([cue], CaptionSpec(style="karaoke"), (1280, 720), FPS, "en"))
    assert [text for _, _, text in events] == [
        r"{\1c&H4CC8FF&}the{\1c} sea\Nthe",
        r"the {\1c&H4CC8FF&}sea{\1c}\Nthe",
        r"the sea\N{\1c&H4CC8FF&}the{\1c}",
    ]
    assert [start for start, _, _ in events] == ["0:00:00.00", "0:00:00.98", "0:00:01.98"]
