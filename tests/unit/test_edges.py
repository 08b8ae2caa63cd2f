"""Limits met exactly, single words, unusual characters, records that lag behind, in the pure modules."""

from datetime import timedelta

import pytest

from picturelock.composition.captions import Ruler, break_lines, cues_of_scene, group, to_srt
from picturelock.composition.layout import segment_spec
from picturelock.errors import InvalidScript
from picturelock.jobs.progress import step_percent
from picturelock.jobs.stages import BY_NAME
from picturelock.jobs.status import assemble, not_below
from picturelock.jobs.warnings import job_warnings
from picturelock.languages import primary
from picturelock.models import Cue, StageName, Word
from picturelock.script.markdown import parse_script
from picturelock.script.plain import plain_text
from picturelock.script.words import Written, split_words
from picturelock.speech.letters import foreign_letters
from picturelock.speech.timing import TimedToken, match_words
from tests.unit.test_cues import cost_of, narrow, said, width
from tests.unit.test_progress import beat, observation, record
from tests.unit.test_segments import plan
from tests.unit.test_status import NOW, RESULT, observed, pending_activity, snapshot
from tests.unit.test_timing import times, tokens

# picturelock/composition/captions.py


def test_an_hour_and_a_minute_begin_on_time() -> None:
    cue = Cue(start_seconds=60.0, end_seconds=3_600.0, lines=["a line"], words=[], scene_index=0)
    assert to_srt([cue]) == "1\n00:01:00,000 --> 01:00:00,000\na line\n"


@pytest.mark.parametrize(("text", "until", "cost"), [("a b c,", 0.5, 14.0), ("a b c", 7.5, 23.0)])
def test_a_cue_that_is_too_short_or_too_long_costs_that_besides(text: str, until: float, cost: float) -> None:
    assert cost_of(said(text), until) == pytest.approx(cost)


@pytest.mark.parametrize(
    ("text", "letters", "lines"),
    [
        ("xxx xx x xx", 10, ["xxx xx", "x xx"]),
        ("aaaa bbbbb, ccc", 10, ["aaaa", "bbbbb, ccc"]),
        ("xxxxxx x x, x xx", 15, ["xxxxxx x", "x, x xx"]),
        ("abcdefghijkl ab cd", 10, ["abcdefghijkl", "ab cd"]),
    ],
    ids=["spaces count", "both lines fit", "the first of two equal breaks", "no break fits"],
)
def test_lines_break_where_both_fit_and_are_most_even(text: str, letters: int, lines: list[str]) -> None:
    assert break_lines([Written(word) for word in text.split()], lambda line: len(line) / letters) == lines


def test_a_second_line_begins_at_the_first_word_that_does_not_fit() -> None:
    words = [Written("a" * 5), Written("b" * 4), Written("c" * 9), Written("d" * 9)]
    assert not Ruler(words, width).fits_two(0, 4)


@pytest.mark.parametrize(
    ("words", "until", "cues"),
    [
        (said("Yes. So be it.", 1.0), 4.0, ["Yes.", "So be it."]),
        (said("One two. Three four. Five six.", 2.0), 12.0, ["One two.", "Three four.", "Five six."]),
    ],
    ids=["a sentence of one word", "sentences that together last too long"],
)
def test_each_sentence_is_a_cue(words: list[Word], until: float, cues: list[str]) -> None:
    assert [" ".join(word.text for word in part) for part in group(words, until, narrow)] == cues


@pytest.mark.parametrize(
    ("words", "start_frame", "limit_frame", "letters", "spans"),
    [
        (said("One two. Three four. Five six.", 1.0), 60, 260, 10, [(2.0, 4.0), (4.0, 6.0), (6.0, 8.2)]),
        (said("Three four five six seven."), 18_000, 18_100, 20, [(600.0, 602.7)]),
        ([Word(text="abcdefghi", start_seconds=1.0, end_seconds=1.0)] * 4, 0, 90, 10, [(1.0, 31 / 30), (31 / 30, 2.0)]),
    ],
    ids=["three cues", "far into a film", "words of the same moment"],
)
def test_a_cue_lasts_until_the_next_begins_or_the_scene_ends(
    words: list[Word], start_frame: int, limit_frame: int, letters: int, spans: list[tuple[float, float]]
) -> None:
    cues = cues_of_scene(words, 0, start_frame, limit_frame, 30, lambda text: len(text) / letters)
    assert [(cue.start_seconds, cue.end_seconds) for cue in cues] == spans


def test_words_have_their_times_to_the_millisecond() -> None:
    [cue] = cues_of_scene(said("One two.", 1 / 3), 0, 60, 200, 30, width)
    assert [(word.text, word.start_seconds, word.end_seconds) for word in cue.words] == [
        ("One", 2.0, 2.333), ("two.", 2.333, 2.667),
    ]  # fmt: skip


# picturelock/composition/layout.py


def test_a_segment_without_captions_has_no_cues() -> None:
    """Cues are part of a segment's cache key: nobody renders it anew for captions that it does not show."""
    film = plan(None)
    assert segment_spec(film, film.timeline.segments[2]).cues == []


# picturelock/jobs/progress.py


def test_a_step_of_one_unit_is_as_far_as_its_activity() -> None:
    step = record(units_total=1)
    working = pending_activity("render-001", started=True, heartbeat=beat(0.5))
    assert step_percent(step, observation(step, working, render_001=1)) == 50.0


# picturelock/jobs/stages.py


@pytest.mark.parametrize(
    ("stage", "media_seconds", "limit"), [("render", 10, 1_800), ("tts", 0, 300), ("finalize", 60, 900)]
)
def test_an_attempt_may_take_longer_for_a_longer_film(stage: StageName, media_seconds: float, limit: float) -> None:
    assert BY_NAME[stage].start_to_close_seconds(media_seconds) == limit


# picturelock/jobs/status.py


def test_a_film_is_ready_even_where_the_record_lags_behind() -> None:
    lagging = snapshot("finalize", done=50, message="Verifying")
    job = assemble(observed(run_status="completed", snapshot=lagging, result=RESULT, closed_at=NOW, live_queues=[]))
    assert (job.stage, job.progress, job.message) == ("complete", 100.0, "The film is ready")
    assert [(step.status, step.progress) for step in job.steps] == [("completed", 100.0)] * 5
    assert job.worker_available is True


def test_a_failure_without_a_reason_names_the_step_that_failed() -> None:
    running = snapshot("render")
    steps = [step.model_copy(update={"state": "failed"}) if step.name == "render" else step for step in running.steps]
    failed = running.model_copy(update={"steps": steps})
    job = assemble(observed(run_status="failed", snapshot=failed, closed_at=NOW))
    assert job.error is not None
    assert job.error.stage == "render"


def test_a_terminated_job_says_why() -> None:
    job = assemble(observed(run_status="terminated", end_reason="the budget is spent", closed_at=NOW))
    assert job.message == "the execution was terminated in Temporal: the budget is spent"


def test_the_step_of_a_paused_job_is_paused() -> None:
    paused = snapshot("render", open_units={"render-001": 9}, pause_requested=True, paused=True)
    job = assemble(observed(snapshot=paused))
    assert [step.status for step in job.steps if step.name == "render"] == ["paused"]


def test_a_job_tells_of_its_archive_its_cancellation_and_its_pause() -> None:
    assert assemble(observed(archived=True)).archived
    cancelled = assemble(observed(run_status="cancelled", snapshot=snapshot("render"), closed_at=NOW))
    assert cancelled.cancel_requested
    queued = assemble(observed(pause_signal=True))
    assert (queued.status, queued.pause_requested) == ("queued", True)


def test_progress_above_the_floor_is_left_alone() -> None:
    job = assemble(observed(snapshot=snapshot("render", done=50)))
    assert not_below(job, job.progress - 1).progress == job.progress


# picturelock/jobs/warnings.py


def test_a_warning_after_the_last_step_names_none() -> None:
    """The closing task writes the record of a complete job; a reader may look before the execution is closed."""
    complete = snapshot("complete")
    look = observed(snapshot=complete, live_queues=[], watched_since=NOW - timedelta(seconds=30))
    assert [(warning.code, warning.step) for warning in job_warnings(look, complete, "complete").shown] == [
        ("NO_WORKER", None)
    ]


# picturelock/languages.py


def test_the_primary_language_of_three_subtags() -> None:
    assert primary("zh-Hant-TW") == "zh"


# picturelock/script/markdown.py


def test_a_line_that_ends_in_two_spaces_ends_a_word() -> None:
    assert plain_text("One  \ntwo") == "One two"
    assert parse_script("One  \ntwo").scenes[0].narration == "One two"


@pytest.mark.parametrize(
    ("source", "title", "scenes"),
    [
        ("# A\n\nText.\n\n# B\n\nMore.", "A", [(None, "Text."), ("B", "More.")]),
        ("## One\n\nText.", "", [("One", "Text.")]),
    ],
)
def test_only_a_first_heading_of_the_first_level_is_the_films_title(
    source: str, title: str, scenes: list[tuple[str | None, str]]
) -> None:
    script = parse_script(source)
    assert script.title == title
    assert [(scene.title, scene.narration) for scene in script.scenes] == scenes


def test_an_untitled_scene_without_narration_is_named_by_its_number_and_line() -> None:
    with pytest.raises(InvalidScript) as caught:
        parse_script(f"One.\n\n---\n\n![](sha256-{'b' * 64})\n")
    assert str(caught.value) == "script: scene 2 (line 3) has no narration"


@pytest.mark.parametrize(
    ("longest", "more"),
    [("Hello.\n" + "\n" * 399_993, "\n"), ("**a** " * 1_333 + "bb", "b")],
    ids=["a source of 400000 characters", "a paragraph of 8000 characters"],
)
def test_what_is_just_not_too_long_is_read(longest: str, more: str) -> None:
    assert len(parse_script(longest).scenes) == 1
    with pytest.raises(InvalidScript, match="more than"):
        parse_script(longest + more)


def test_a_paragraph_that_is_too_long_is_named_by_its_line() -> None:
    with pytest.raises(InvalidScript, match=r"^script: line 3: a paragraph of more than 8000 "):
        parse_script("Short.\n\n" + "a" * 8_001)


# picturelock/speech/letters.py


@pytest.mark.parametrize(
    ("text", "language", "letters"),
    [("ｱﾀﾜｰ", "ja", ""), ("Hawaiʻi", "haw", ""), ("\U00017000", "en", "\U00017000")],
    ids=["half-width kana", "a modifier letter", "a letter without a name in Python 3.11"],
)
def test_unusual_letters_belong_to_their_script(text: str, language: str, letters: str) -> None:
    assert foreign_letters(text, language) == letters


# picturelock/speech/timing.py


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("か\u3099き", [("か\u3099", False), ("き", True)]),
        ("海“うみ”", [("海", False), ("“う", True), ("み”", True)]),
        ("f(x)", [("f(x)", False)]),
    ],
    ids=["a combining mark", "quotation marks", "brackets in a Latin word"],
)
def test_no_mark_is_cut_off_what_it_belongs_to(text: str, words: list[tuple[str, bool]]) -> None:
    assert [(word.text, word.joined) for word in split_words(text)] == words


def test_a_word_with_a_curved_apostrophe_has_its_own_time() -> None:
    spoken = tokens(("don't", 0.3, 0.6), ("ex", 0.7, 0.9))
    assert times(match_words("don’t x", spoken)) == [("don’t", 0.3, 0.6), ("x", 0.7, 0.9)]


def test_words_of_a_long_text_that_occur_often_keep_their_times() -> None:
    repeated = ["one", "three"] * 150
    spoken = [TimedToken(word, index + 2.0, index + 2.25) for index, word in enumerate(repeated)]
    words = match_words("$5 " + " ".join(repeated), [*tokens(("five", 0.0, 0.5), ("dollars", 0.5, 1.0)), *spoken])
    assert times(words[1:]) == [(token.text, token.start, token.end) for token in spoken]
