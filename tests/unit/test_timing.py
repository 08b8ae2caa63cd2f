"""Words as they are written, with the times of what was spoken."""

import pytest

from picturelock.models import Word
from picturelock.script.words import Written, is_wide, join_words, split_words
from picturelock.speech.timing import TimedToken, match_words, spread


def times(words: list[Word]) -> list[tuple[str, float, float]]:
    return [(word.text, round(word.start_seconds, 3), round(word.end_seconds, 3)) for word in words]


def tokens(*parts: tuple[str, float, float]) -> list[TimedToken]:
    return [TimedToken(*part) for part in parts]


def test_equal_words_have_the_times_they_were_spoken_at() -> None:
    spoken = tokens(("the", 0.1, 0.2), ("sea", 0.3, 0.7))
    assert times(match_words("The sea!", spoken)) == [("The", 0.1, 0.2), ("sea!", 0.3, 0.7)]


def test_a_price_shares_the_time_of_all_that_is_said_for_it() -> None:
    spoken = tokens(("paid", 0.0, 0.4), ("nine", 0.5, 0.8), ("dollars", 0.8, 1.2), ("today", 1.4, 1.9))
    assert times(match_words("Paid $9 today", spoken)) == [("Paid", 0.0, 0.4), ("$9", 0.5, 1.2), ("today", 1.4, 1.9)]


def test_words_that_were_not_said_stand_between_their_neighbours() -> None:
    spoken = tokens(("a", 0.2, 0.4), ("b", 1.0, 1.2))
    assert times(match_words("a x b", spoken)) == [("a", 0.2, 0.4), ("x", 0.4, 1.0), ("b", 1.0, 1.2)]
    assert times(match_words("x a", spoken[:1])) == [("x", 0.2, 0.2), ("a", 0.2, 0.4)]
    assert times(match_words("a x", spoken[:1])) == [("a", 0.2, 0.4), ("x", 0.4, 0.4)]


def test_nothing_spoken_gives_no_times() -> None:
    assert match_words("a b", []) == []


@pytest.mark.parametrize("written", ["don’t", "don't", "Don't!", "DON'T"])
def test_an_apostrophe_and_letter_case_make_no_other_word(written: str) -> None:
    spoken = tokens(("well", 0.0, 0.2), ("don't", 0.3, 0.6), ("go", 0.7, 0.9))
    assert times(match_words(f"well {written} go", spoken))[1] == (written, 0.3, 0.6)


def test_a_span_is_shared_by_letters() -> None:
    words = spread([Written("ab"), Written("(c)"), Written("..."), Written("def")], 1.0, 8.0)
    assert times(words) == [("ab", 1.0, 3.0), ("(c)", 3.0, 4.0), ("...", 4.0, 5.0), ("def", 5.0, 8.0)]
    assert spread([], 0.0, 1.0) == []
    assert [word.joined for word in spread([Written("a"), Written("b", joined=True)], 0, 1)] == [False, True]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("one two", [("one", False), ("two", False)]),
        ("月亮很远。", [("月", False), ("亮", True), ("很", True), ("远。", True)]),
        ("see 海 now", [("see", False), ("海", False), ("now", False)]),
        ("a海b", [("a", False), ("海", True), ("b", True)]),
        ("「海」は", [("「海」", False), ("は", True)]),
        ("海（うみ）", [("海", False), ("（う", True), ("み）", True)]),
        ("안녕 바다", [("안녕", False), ("바다", False)]),
        ("कि ना", [("कि", False), ("ना", False)]),
        ("", []),
    ],
)
def test_a_text_is_cut_where_captions_may_break(text: str, words: list[tuple[str, bool]]) -> None:
    assert [(word.text, word.joined) for word in split_words(text)] == words
    assert join_words(split_words(text)) == text


@pytest.mark.parametrize(("sign", "wide"), [("海", True), ("う", True), ("ア", True), ("안", False), ("a", False),
                                             ("Ａ", True), ("。", False), ("", False), ("🎬", False)])  # fmt: skip
def test_what_needs_no_spaces_around_it(sign: str, wide: bool) -> None:
    assert is_wide(sign) == wide
