"""Captions: within their limits for any text, the same in every form."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picturelock.composition.captions import MAX_CHARACTERS, MAX_WIDE_CHARACTERS, cues_of_scene, to_srt, to_vtt
from picturelock.composition.function_words import leans_on_the_next
from picturelock.models import CaptionSpec, Cue, Word
from picturelock.script.words import is_wide, join_words, phrase_ends, split_words
from picturelock.speech.timing import TimedToken, match_words, spread
from picturelock.text.ass import CaptionLook, ass_time, caption_document, escape, text_width

Text = st.lists(
    st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=30), min_size=1, max_size=40
).map(" ".join)


def cues_for(text: str, seconds: float = 20, fps: int = 30, width: int = 1920, height: int = 1080) -> list[Cue]:
    look = CaptionLook.of(width, height)
    words = spread(split_words(text), 0, seconds)
    limit = round((seconds + 0.7) * fps)
    return cues_of_scene(
        words, 0, round(0.25 * fps), limit, fps, lambda text: text_width(text, look.em) / look.max_width
    )


@given(Text, st.sampled_from([(1920, 1080), (1080, 1920), (854, 480)]))
def test_lines_and_times_keep_their_limits(text: str, size: tuple[int, int]) -> None:
    cues = cues_for(text, width=size[0], height=size[1])
    look = CaptionLook.of(*size)
    for cue, following in zip(cues, [*cues[1:], None], strict=True):
        assert 1 <= len(cue.lines) <= 2
        for line in cue.lines:
            wide = sum(1 for sign in line if is_wide(sign))
            assert (len(line) - wide) / MAX_CHARACTERS + wide / MAX_WIDE_CHARACTERS <= 1 or len(line) == 1
            assert text_width(line, look.em) <= look.max_width or len(line) == 1
        assert cue.start_seconds < cue.end_seconds
        assert following is None or cue.end_seconds <= following.start_seconds + 1e-9
    shown = re.sub(r"\s", "", "".join(line for cue in cues for line in cue.lines))
    assert shown == re.sub(r"\s", "", text)


def test_cues_break_where_a_reader_would() -> None:
    cues = cues_for(
        "Twice a day the sea breathes in. Twice a day it breathes out, and leaves the beach washed and new.", 7
    )
    assert [" ".join(cue.lines) for cue in cues] == [
        "Twice a day the sea breathes in.",
        "Twice a day it breathes out, and leaves the beach washed and new.",
    ]
    assert all(cue.end_seconds - cue.start_seconds >= 1 for cue in cues)


def test_cjk_breaks_between_signs() -> None:
    cues = cues_for("月亮虽然远在三十八万公里之外，却仍然牵动着海洋里的每一滴水。")
    assert all(" " not in line and len(line) <= MAX_WIDE_CHARACTERS + 2 for cue in cues for line in cue.lines)


@pytest.mark.parametrize(
    "text",
    [
        "안녕하세요 세계 여러분",
        "他说「你好」，2026年",
        "我用iPhone手机",
        "Hello 世界, again",
        "日本語のテスト。 次の文",
    ],
)
def test_spaces_are_those_of_the_text(text: str) -> None:
    assert " ".join(line for cue in cues_for(text, 3) for line in cue.lines) == text
    assert not any(line.endswith("「") for cue in cues_for(text * 4) for line in cue.lines)


@pytest.mark.parametrize("text", ["月" * 5_000, "a " * 2_500, "word, " * 800])
def test_long_scenes_are_grouped_in_no_time(text: str) -> None:
    """Constant-time measuring: what took half a minute when every line was measured anew."""
    cues = cues_for(text, 600)
    assert len(cues) > 40


def test_an_address_that_fills_more_than_a_line_is_cut() -> None:
    cues = cues_for("Go to https://example.org/" + "a-very-long-path/" * 12 + " now.")
    assert max(len(line) for cue in cues for line in cue.lines) <= MAX_CHARACTERS


def test_srt_and_vtt_say_the_same() -> None:
    cue = Cue(start_seconds=3661.5, end_seconds=3663.0, lines=["a < b & c", "--> second"], words=[], scene_index=0)
    assert to_srt([cue]) == "1\n01:01:01,500 --> 01:01:03,000\na < b & c\n--> second\n"
    vtt = to_vtt([cue])
    assert "01:01:01.500 --> 01:01:03.000\na &lt; b &amp; c\n--&gt; second" in vtt


@pytest.mark.parametrize(
    ("plain", "ass"),
    [
        ("{x}", r"\{x\}"),
        ("A {\u0301gone} B\nC", "A \\{\u0301gone\\} B C"),
        (r"\N", "\\⁠N"),
        ("a😀 b", r"a{\fnNoto Emoji\fscx92.6\fscy92.6}😀{\fn\fscx\fscy} b"),
        ("100%: 'q' \"d\"", "100%: 'q' \"d\""),
    ],
)
def test_nothing_in_a_text_is_a_command(plain: str, ass: str) -> None:
    assert escape(plain) == ass


def test_ass_times_cannot_miss_their_frame() -> None:
    for fps in (24, 25, 30, 50, 60):
        for frame in range(1, 2000):
            hours, minutes, seconds = ass_time(frame, fps).split(":")
            start = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
            assert (frame - 1) / fps < start < frame / fps


def test_written_words_take_the_times_of_the_spoken_ones() -> None:
    tokens = [
        TimedToken("It", 0, 0.2),
        TimedToken("costs", 0.2, 0.6),
        TimedToken("nine", 0.6, 0.9),
        TimedToken("dollars", 0.9, 1.4),
        TimedToken("today", 1.5, 2),
    ]
    words = match_words("It costs $9.00 — today!", tokens)
    assert [word.text for word in words] == ["It", "costs", "$9.00", "—", "today!"]
    assert words[2].start_seconds == 0.6
    assert words[-1] == Word(text="today!", start_seconds=1.5, end_seconds=2)


@given(Text, st.lists(st.text("abcdef", min_size=1, max_size=6), min_size=1, max_size=20))
def test_every_written_word_gets_a_time_in_order(text: str, spoken: list[str]) -> None:
    tokens = [TimedToken(word, index * 0.5, index * 0.5 + 0.4) for index, word in enumerate(spoken)]
    words = match_words(text, tokens)
    assert [word.text for word in words] == [word.text for word in split_words(text)]
    starts = [word.start_seconds for word in words]
    assert starts == sorted(starts)


PROSE = """The sea is pulled by the moon and by the sun, and the water that lies between them is drawn out into a
long low wave which runs around the world twice a day. When the two stand in a line, the pull of the one
is added to that of the other, and the tide is a spring tide. For a moment the whole bay lies dry, and
whoever walks out over the sand should know at which hour the water will come back. It sends the light
to your eye in about ten times as strong a beam."""
GERMAN = """Das Wasser wird von dem Mond und von der Sonne gezogen, und die Welle, die zwischen den beiden entsteht,
läuft zweimal am Tag um die ganze Erde. Wenn beide in einer Linie stehen, ist die Flut höher als sonst,
weil sich der Zug des einen zu dem des anderen fügt. Für einen Augenblick liegt die ganze Bucht trocken."""


@pytest.mark.parametrize(("text", "language"), [(PROSE, "en"), (GERMAN, "de-AT")])
def test_no_line_parts_a_word_from_the_one_it_belongs_to(text: str, language: str) -> None:
    def parted(chosen: str) -> int:
        words = spread(split_words(" ".join(text.split())), 0, len(text) / 15)
        look = CaptionLook.of(1920, 1080)
        cues = cues_of_scene(
            words, 0, 8, round(len(text) * 2.1), 30, lambda part: text_width(part, look.em) / look.max_width,
            language=chosen,
        )  # fmt: skip
        return sum(leans_on_the_next(line.split()[-1], language) for cue in cues for line in cue.lines)

    assert parted(language) == 0
    assert parted("") > 0, "the control: without a language nobody knows"


@pytest.mark.parametrize("size", [(1080, 1920), (720, 1280), (1080, 1350)])
def test_upright_captions_are_large_and_clear_of_what_lies_over_them(size: tuple[int, int]) -> None:
    look = CaptionLook.of(*size)
    assert look.em >= 0.06 * size[0]
    assert look.bottom >= 0.24 * size[1]
    assert look.side >= 0.12 * size[0]
    assert look.max_width <= size[0] - 2 * look.side


JAPANESE = "月は地球のまわりを回っていて、海の水を引っ張っているので、潮が満ちたり引いたりします。"
THAI = "ดวงจันทร์อยู่ห่างจากโลกสามแสนแปดหมื่นกิโลเมตรแต่ยังคงดึงน้ำทะเลทุกหยดในมหาสมุทร"
CHINESE = "月亮虽然远在三十八万公里之外，却仍然牵动着海洋里的每一滴水，让潮水涨落。"


@pytest.mark.parametrize(("language", "text"), [("ja", JAPANESE), ("th", THAI), ("zh-CN", CHINESE)])
def test_lines_end_between_phrases_where_nobody_writes_spaces(language: str, text: str) -> None:
    look = CaptionLook.of(1080, 1920)
    words = spread(split_words(text), 0, 12)
    assert "".join(word.text for word in words) == text
    cues = cues_of_scene(
        words, 0, 8, 400, 30, lambda part: text_width(part, look.em) / look.max_width, language=language
    )
    lines = [line for cue in cues for line in cue.lines]
    assert len(lines) > 3
    ends = {sum(map(len, lines[: number + 1])) for number in range(len(lines))}
    place, phrases = 0, set()
    for word, ending in zip(words, phrase_ends(words, language), strict=True):
        place += len(word.text)
        phrases |= {place} if ending else set()
    assert ends <= phrases


def popping(words: list[Word], size: tuple[int, int] = (720, 1280)) -> list[tuple[str, str]]:
    cue = Cue(start_seconds=0, end_seconds=10, lines=[join_words(words)], words=words, scene_index=0)
    script = caption_document([cue], CaptionSpec(style="pop"), size, 30, "en")
    return re.findall(r"^Dialogue: 0,([\d:.]+),[\d:.]+,Caption,,0,0,0,,\{[^}]*\}(.*)$", script, re.MULTILINE)


def test_pop_shows_a_few_large_words_from_the_first_one_on() -> None:
    words = [
        Word(text=text, start_seconds=number, end_seconds=number + 0.8)
        for number, text in enumerate(["The", "sea", "is", "calm.", "Twice", "a", "day", "it", "breathes,", "always."])
    ]
    assert popping(words) == [
        ("0:00:00.00", "THE SEA IS"),
        ("0:00:02.98", "CALM"),
        ("0:00:03.98", "TWICE A DAY"),
        ("0:00:06.98", "IT BREATHES"),
        ("0:00:08.98", "ALWAYS"),
    ]
    assert CaptionLook.of(720, 1280, "pop").em > 1.4 * CaptionLook.of(720, 1280).em


def test_captions_over_a_bright_picture_have_a_box() -> None:
    cue = Cue(start_seconds=0, end_seconds=1, lines=["Sea"], words=[], scene_index=0)
    bright = cue.model_copy(update={"bright": True})
    script = caption_document([cue, bright], CaptionSpec(), (1280, 720), 30, "en")
    assert re.findall(r"^Dialogue: .*?,(Caption|Boxed),", script, re.MULTILINE) == ["Caption", "Boxed"]
    assert re.search(r"^Style: Boxed,.*,4,0,", script, re.MULTILINE)
