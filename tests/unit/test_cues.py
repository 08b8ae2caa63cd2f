"""What a split of words costs, where lines break, and what the caption files say, exactly."""

import pytest

from picturelock.composition import captions
from picturelock.composition.captions import Costs, Ruler, break_lines, cues_of_scene, cut_to_fit, group, split_overlong
from picturelock.models import Cue, Word
from picturelock.script.words import Written


def width(text: str) -> float:
    """A tenth of a line for every character."""
    return len(text) / 10


def narrow(text: str) -> float:
    return len(text) / 1_000


def said(text: str, seconds: float = 0.5, at: float = 0.0) -> list[Word]:
    return [
        Word(text=word, start_seconds=at + n * seconds, end_seconds=at + (n + 1) * seconds)
        for n, word in enumerate(text.split())
    ]


def cost_of(words: list[Word], until: float, *, leans: bool = False) -> float:
    """Of all words as one cue; `leans`: the last one belongs to the next."""
    return Costs(words, [False] * (len(words) - 1) + [leans], until).of(0, len(words))


@pytest.mark.parametrize(
    ("text", "until", "cost"),
    [
        ("a b c.", 2.0, 1.0),
        ("a b c,", 2.0, 4.0),
        ("a b c", 2.0, 11.0),
        ("a b. c.", 2.0, 7.0),
        ("a. b. c.", 2.0, 13.0),
        ("a b c.", 0.5, 11.0),
        ("a b c.", 1.0, 1.0),
        ("a b c.", 6.0, 1.0),
        ("a b c.", 7.5, 13.0),
        ("word.", 2.0, 5.0),
        ('a b c."', 2.0, 1.0),
        ("a b c。", 2.0, 1.0),
        ("a b c؟", 2.0, 1.0),
        ("a b c、", 2.0, 4.0),
    ],
)
def test_what_a_cue_costs(text: str, until: float, cost: float) -> None:
    assert cost_of(said(text), until) == pytest.approx(cost)
    assert cost_of(said(text, at=3.0), until + 3.0) == pytest.approx(cost)


def test_a_cue_costs_nothing_for_what_is_before_and_behind_it() -> None:
    costs = Costs(said("a. b. c d. e. f,"), [False] * 6, 99.0)
    assert costs.of(1, 4) == pytest.approx(1.0 + 6.0)
    assert costs.of(2, 4) == pytest.approx(1.0)
    assert costs.of(5, 6) == pytest.approx(4.0 + 4.0 + 8.0 * (99.0 - 2.5 - 6.0))


def test_words_are_measured_with_the_spaces_before_them() -> None:
    ruler = Ruler([Written("abcd"), Written("efgh"), Written("i", joined=True), Written("j")], width)
    assert [ruler.fits(0, end) for end in (1, 2, 3, 4)] == [True, True, True, False]
    assert ruler.fits(1, 4)  # efgh + i + space + j: seven tenths
    assert ruler.fits_two(0, 4)
    assert not Ruler([Written("abcdefgh")] * 3, width).fits_two(0, 3)
    assert Ruler([Written("abcdefgh")] * 2, width).fits_two(0, 2)
    by_characters = Ruler([Written("x" * 21), Written("y" * 20), Written("z")], narrow)
    assert by_characters.fits(0, 2)  # 42 with the space
    assert not by_characters.fits(0, 3)
    wide = Ruler([Written("海" * 16), Written("海", joined=True)], narrow)
    assert (wide.fits(0, 1), wide.fits(0, 2)) == (True, False)


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        ("one two", ["one two"]),
        ("abcde fghij", ["abcde", "fghij"]),
        ("ab cd ef gh", ["ab cd", "ef gh"]),
        ("abc, def ghi", ["abc,", "def ghi"]),
        ("a bcdefg hijklm", ["a bcdefg", "hijklm"]),
        ("abcdefghij", ["abcdefghij"]),
    ],
)
def test_where_lines_break(words: str, lines: list[str]) -> None:
    assert break_lines([Written(word) for word in words.split()], width) == lines


def test_punctuation_is_worth_six_characters_of_evenness() -> None:
    def broken(first: str) -> list[str]:
        words = [Written(first), *map(Written, ["aaaa", "bbbb", "cccc"])]
        return break_lines(words, lambda text: len(text) / 15)

    assert broken("x.") == ["x. aaaa", "bbbb cccc"]
    assert broken("xxxxx.") == ["xxxxx.", "aaaa bbbb cccc"]
    assert broken("xxxxxx") == ["xxxxxx aaaa", "bbbb cccc"]


def test_words_are_grouped_at_the_ends_of_sentences() -> None:
    words = said("It is. So be it, he said and went away.")
    assert [[word.text for word in part] for part in group(words, 5.0, lambda text: len(text) / 20)] == [
        ["It", "is."], ["So", "be", "it,", "he", "said", "and", "went", "away."],
    ]  # fmt: skip
    assert group([], 1.0, width) == []
    single = group(said("abcdefghi abcdefghi abcdefghi abcdefghi"), 4.0, width)
    assert [len(part) for part in single] == [2, 2]


def test_a_word_longer_than_a_line_is_cut_in_time_and_space() -> None:
    [word] = said("abcdefghijklmnopqrstuvwxy", seconds=3.0, at=1.0)
    pieces = split_overlong([word, word.model_copy(update={"text": "short", "joined": True})], width)
    assert [(one.text, one.start_seconds, one.end_seconds, one.joined) for one in pieces] == [
        ("abcdefghij", 1.0, 2.0, False), ("klmnopqrst", 2.0, 3.0, True), ("uvwxy", 3.0, 4.0, True),
        ("short", 1.0, 4.0, True),
    ]  # fmt: skip
    assert cut_to_fit("abcdefghij", width) == ["abcdefghij"]
    assert cut_to_fit("abcdefghijk", width) == ["abcdefghij", "k"]
    assert cut_to_fit("abc", lambda _: 2.0) == ["a", "b", "c"]


def test_cues_lie_on_frames_in_film_time() -> None:
    words = said("One two. Three four.", seconds=1.0)
    cues = cues_of_scene(words, 4, speech_start_frame=60, limit_frame=200, fps=30, width=width)
    assert [(one.start_seconds, one.end_seconds, one.lines, one.scene_index) for one in cues] == [
        (2.0, 4.0, ["One two."], 4), (4.0, 186 / 30, ["Three", "four."], 4),
    ]  # fmt: skip
    timed = [(word.text, word.start_seconds, word.end_seconds) for one in cues for word in one.words]
    assert timed == [("One", 2.0, 3.0), ("two.", 3.0, 4.0), ("Three", 4.0, 5.0), ("four.", 5.0, 6.0)]


def test_a_cue_lasts_a_second_where_there_is_room_and_ends_with_its_scene() -> None:
    [short] = cues_of_scene(said("Hi.", seconds=0.3), 0, 0, 90, 30, width)
    assert (short.start_seconds, short.end_seconds) == (0.0, 1.0)
    [cut] = cues_of_scene(said("Hi.", seconds=0.3), 0, 0, 20, 30, width)
    assert cut.end_seconds == 20 / 30
    [late] = cues_of_scene(said("Hi.", seconds=0.3, at=1.0), 0, 30, 60, 30, width)
    assert (late.start_seconds, late.end_seconds) == (2.0, 61 / 30)  # a frame at the least


CUES = [
    Cue(start_seconds=0.5, end_seconds=2.0, lines=["a < b & c > d", "second"], words=[], scene_index=0),
    Cue(start_seconds=3_725.0416, end_seconds=3_726.9996, lines=["late"], words=[], scene_index=0),
]


def test_the_files_say_what_the_cues_say() -> None:
    assert captions.to_srt(CUES) == (
        "1\n00:00:00,500 --> 00:00:02,000\na < b & c > d\nsecond\n\n2\n01:02:05,042 --> 01:02:07,000\nlate\n"
    )
    assert captions.to_vtt(CUES) == (
        "WEBVTT\n\n1\n00:00:00.500 --> 00:00:02.000\na &lt; b &amp; c &gt; d\nsecond\n\n"
        "2\n01:02:05.042 --> 01:02:07.000\nlate\n"
    )
    assert (captions.to_srt([]), captions.to_vtt([])) == ("", "WEBVTT\n")
