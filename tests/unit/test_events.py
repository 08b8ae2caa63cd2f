"""What one client is told: monotone, complete, one terminal event, last."""

import json
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from api.events import EventEncoder, already_told, stream
from api.frames import EventId, frame, stamp
from api.watch import WatchedState
from picturelock.models import NOTES_KEPT, Observation, TimelineEvent
from tests.unit.test_status import BEFORE_RENDER, NOW, RENDER, RESULT, observed, snapshot

HALFWAY = BEFORE_RENDER + RENDER / 2


def events_of(told: bytes) -> list[tuple[str, str | None, dict[str, object]]]:
    found = []
    for block in told.decode().split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        found.append((fields["event"], fields.get("id"), json.loads(fields["data"])))
    return found


def sighting(observation: Observation, version: int = 1) -> WatchedState:
    return WatchedState(version, observation)


def timeline(count: int) -> list[TimelineEvent]:
    return [
        TimelineEvent(sequence=n + 1, step="render", status="running", attempt=1, message=str(n), timestamp=NOW)
        for n in range(count)
    ]


def kept(entries: int) -> dict[str, Any]:
    """The newest of so many entries, as the record keeps them."""
    return {"timeline": timeline(entries)[-NOTES_KEPT:], "timeline_total": entries}


def rendering(done: int, entries: int, attempt: int = 1) -> Observation:
    record = snapshot("render", done=done).model_copy(update=kept(entries))
    return observed(snapshot=record, attempt=attempt)


def ended(entries: int, attempt: int = 1) -> Observation:
    record = snapshot("complete").model_copy(update=kept(entries))
    return observed(run_status="completed", snapshot=record, result=RESULT, closed_at=NOW, attempt=attempt)


def test_a_new_client_gets_the_present_and_no_past() -> None:
    frames = events_of(EventEncoder(None).frames_for(sighting(rendering(50, 7))))
    assert [name for name, _, _ in frames] == ["job-progress"]
    assert frames[0][1] == f"1.7.{HALFWAY * 10:.0f}"
    assert frames[0][2]["percent"] == frames[0][2]["progress"] == HALFWAY


def test_a_returning_client_gets_what_it_missed_first() -> None:
    frames = events_of(EventEncoder(EventId(1, 5, 900)).frames_for(sighting(rendering(50, 7))))
    assert [name for name, _, _ in frames] == ["step-status", "step-status", "job-progress"]
    assert [event_id for _, event_id, _ in frames] == ["1.6.900", "1.7.900", "1.7.900"]
    assert frames[-1][2]["percent"] == 90.0


def test_a_client_that_missed_more_than_is_kept_gets_the_newest() -> None:
    frames = events_of(EventEncoder(EventId(1, 5, 900)).frames_for(sighting(rendering(50, 70))))
    numbers = [event_id for name, event_id, _ in frames if name == "step-status"]
    assert numbers == [f"1.{number}.900" for number in range(51, 71)]
    assert events_of(EventEncoder(EventId(1, 69, 900)).frames_for(sighting(rendering(50, 70))))[0][1] == "1.70.900"
    frames = events_of(EventEncoder(EventId(1, 70, 900)).frames_for(sighting(rendering(50, 70))))
    assert [name for name, _, _ in frames] == ["job-progress"]


def test_a_higher_attempt_may_begin_lower() -> None:
    frames = events_of(EventEncoder(EventId(1, 5, 900)).frames_for(sighting(rendering(0, 2, attempt=2))))
    assert frames[-1][2]["percent"] == BEFORE_RENDER
    assert frames[-1][1] == f"2.2.{BEFORE_RENDER * 10:.0f}"


def test_an_end_that_was_told_is_not_told_again() -> None:
    seen = sighting(ended(9))
    assert already_told(seen, EventId(1, 10, 1000))
    assert not already_told(seen, EventId(1, 9, 1000))
    assert not already_told(sighting(ended(9, attempt=2)), EventId(1, 10, 1000))
    assert not already_told(sighting(rendering(50, 9)), EventId(1, 9, 1000))


def test_foreign_ids_are_ignored() -> None:
    for text in (None, "", "1", "1.2", "a.b.c", "1.2.3.4", "-1.2.3", "9" * 40 + ".1.1", "１.2.3"):
        assert EventId.parse(text) is None
    assert EventId.parse("1.2.3") == EventId(1, 2, 3)


def test_warnings_are_told_once() -> None:
    unserved = {"live_queues": [], "watched_since": NOW, "now": NOW + timedelta(minutes=1)}
    quiet = rendering(50, 3).model_copy(update=unserved)
    encoder = EventEncoder(None)
    assert "warning" in [name for name, _, _ in events_of(encoder.frames_for(sighting(quiet)))]
    assert "warning" not in [name for name, _, _ in events_of(encoder.frames_for(sighting(quiet)))]


def test_a_warning_that_comes_back_is_told_again() -> None:
    unserved = {"live_queues": [], "watched_since": NOW, "now": NOW + timedelta(minutes=1)}
    quiet = rendering(50, 3).model_copy(update=unserved)
    encoder = EventEncoder(None)
    told = [events_of(encoder.frames_for(sighting(one))) for one in (quiet, rendering(50, 3), quiet)]
    assert ["warning" in [name for name, _, _ in frames] for frames in told] == [True, False, True]


def test_a_temporal_that_is_away_is_a_warning_not_an_end() -> None:
    frames = events_of(EventEncoder(None).frames_for(WatchedState(1, away="gone")))
    assert [(name, data["code"]) for name, _, data in frames] == [("warning", "STATE_UNAVAILABLE")]


Step = st.tuples(st.integers(0, 100), st.integers(0, 12), st.booleans())


@given(st.lists(Step, min_size=1, max_size=20))
def test_any_interleaving_of_sightings_and_reconnects_is_monotone_with_one_end(
    steps: list[tuple[int, int, bool]],
) -> None:
    """Sightings may come from replicas that lag, with lower progress and shorter timelines: no client steps back."""
    encoder = EventEncoder(None)
    told: list[tuple[str, str | None, dict[str, object]]] = []
    for done, entries, reconnect in steps:
        if reconnect and told:
            encoder = EventEncoder(EventId.parse(told[-1][1]))
        told += events_of(encoder.frames_for(sighting(rendering(done, entries))))
    told += events_of(encoder.frames_for(sighting(ended(13))))
    percents = [float(str(body["percent"])) for _, _, body in told if "percent" in body]
    assert percents == sorted(percents)
    terminal = [name for name, _, _ in told if name in {"job-completed", "job-failed", "job-cancelled"}]
    assert terminal == ["job-completed"]
    assert told[-1][0] == "job-completed"
    assert percents[-1] == 100


Attempt = st.tuples(st.lists(Step, min_size=1, max_size=8), st.sampled_from(["failed", "cancelled"]))


@given(st.lists(Attempt, max_size=4), st.lists(Step, min_size=1, max_size=8))
def test_any_interleaving_of_attempts_and_reconnects_tells_each_end_once(
    given_up: list[tuple[list[tuple[int, int, bool]], str]], last: list[tuple[int, int, bool]]
) -> None:
    """One client follows a job through all of its attempts, losing its connection now and then."""
    encoder = EventEncoder(None)
    told: list[tuple[str, str | None, dict[str, object]]] = []
    ends: list[str] = []
    for number, (steps, end) in enumerate([*given_up, (last, "completed")], start=1):
        for done, entries, reconnect in steps:
            if reconnect and told:
                encoder = EventEncoder(EventId.parse(told[-1][1]))
            told += events_of(encoder.frames_for(sighting(rendering(done, entries, attempt=number))))
        closed = ended(13, attempt=number) if end == "completed" else given_up_at(13, end, number)
        final = sighting(closed)
        assert not already_told(final, EventId.parse(told[-1][1]))
        told += events_of(encoder.frames_for(final))
        ends.append(f"job-{end}")
        assert already_told(final, EventId.parse(told[-1][1]))
        encoder = EventEncoder(EventId.parse(told[-1][1]))
    assert [name for name, _, _ in told if name in {"job-completed", "job-failed", "job-cancelled"}] == ends
    for number in range(1, len(ends) + 1):
        shown = [
            float(str(body["percent"])) for _, _, body in told if body.get("attempt") == number and "percent" in body
        ]
        assert shown == sorted(shown)
        assert (shown[-1] == 100) == (number == len(ends))


def given_up_at(entries: int, status: str, attempt: int) -> Observation:
    record = snapshot("render", done=40).model_copy(update=kept(entries))
    return observed(run_status=status, snapshot=record, closed_at=NOW, attempt=attempt)


class FakeWatcher:
    """Sees the job at last: away at first, ended then."""

    def __init__(self, *seen: WatchedState) -> None:
        self._seen = list(seen)

    def is_closing(self) -> bool:
        return False

    async def newer_than(self, version: int, _seconds: float) -> WatchedState | None:
        return next(one for one in self._seen if one.version > version)


async def test_who_knows_the_end_is_not_told_it_again_however_late_it_is_seen() -> None:
    """The first look took too long for a 204; the stream ends without a second terminal event."""
    final = sighting(ended(13), version=2)
    watcher: Any = FakeWatcher(WatchedState(1, away="Temporal does not answer"), final)
    frames = [frame async for frame in stream(watcher, "job-12345", "c", final.event_id)]
    names = [name for frame in frames for name, _, _ in events_of(frame)]
    assert names == ["connected", "warning"]
    other = [frame async for frame in stream(watcher, "job-12345", "c", EventId(1, 13, 900))]
    assert [name for frame in other for name, _, _ in events_of(frame)][-1] == "job-completed"


def test_a_frame_on_the_wire() -> None:
    assert frame("warning", {"a": "ü", "b": [1, 2]}, "1.2.3") == (
        'id: 1.2.3\nevent: warning\ndata: {"a":"ü","b":[1,2]}\n\n'.encode()
    )
    assert frame("heartbeat", {}) == b"event: heartbeat\ndata: {}\n\n"
    assert stamp(NOW) == "2026-01-01T12:00:00Z"
    assert stamp().endswith("Z")
    for text in (None, "", "1.2", "1.2.3.4", "a.2.3", "1.2.-3", "1.2.1234567890", "１.2.3"):
        assert EventId.parse(text) is None
    assert EventId.parse("1.22.333") == EventId(1, 22, 333)
    assert str(EventId(1, 22, 333)) == "1.22.333"
    assert EventId.parse("1.2.123456789") == EventId(1, 2, 123456789)
