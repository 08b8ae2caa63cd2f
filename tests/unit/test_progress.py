"""How far a job is and how long it will take, to the tenth."""

from datetime import timedelta
from typing import Any

import pytest

from picturelock.jobs.progress import detail_of, eta_seconds, frames_done, overall, step_percent
from picturelock.jobs.stages import BY_NAME, STAGES
from picturelock.models import (
    NOTE_LETTERS,
    NOTES_KEPT,
    Heartbeat,
    PendingActivity,
    StepDetail,
    StepRecord,
    TimelineEvent,
)
from tests.unit.test_status import NOW, RENDER, observed, pending_activity, snapshot
from workflows.job_record import JobRecord


def record(**fields: Any) -> StepRecord:
    return StepRecord.model_validate({"name": "render", "state": "running", "units_total": 200, **fields})


def beat(fraction: float, frames: int | None = None) -> Heartbeat:
    return Heartbeat(fraction=fraction, frames_done=frames, last_advance_at=NOW, stall_after_seconds=30)


def observation(step: StepRecord, *pending: PendingActivity, **units: int) -> Any:
    open_units: dict[str, dict[str, int]] = {}
    for name, count in units.items():
        stage, _, number = name.partition("_")
        open_units.setdefault(stage, {})[f"{stage}-{number}"] = count
    record = snapshot("render").model_copy(update={"steps": [step], "open_units": open_units})
    return observed(snapshot=record, pending=list(pending))


@pytest.mark.parametrize(
    ("fields", "percent"),
    [
        ({"units_done": 50}, 25.0),
        ({"units_done": 50, "units_shown": 90}, 45.0),
        ({"units_done": 300}, 100.0),
        ({"state": "pending", "units_done": 50}, 0.0),
        ({"state": "completed"}, 100.0),
        ({"units_total": 0, "units_done": 5}, 0.0),
        ({"units_total": 3, "units_done": 2}, 66.6),
        ({"state": "failed", "units_done": 50}, 25.0),
    ],
)
def test_a_step_is_as_far_as_its_units(fields: dict[str, Any], percent: float) -> None:
    step = record(**fields)
    assert step_percent(step, observation(step)) == percent
    assert overall([step]) == pytest.approx(int(percent * BY_NAME["render"].weight * 10 + 1e-6) / 10, abs=0.15)


def test_running_activities_count_by_their_heartbeats() -> None:
    step = record(units_done=100)
    work = pending_activity("render-001", started=True, heartbeat=beat(0.5, frames=20))
    looked = observation(step, work, render_001=60, tts_00=900)
    assert step_percent(step, looked) == 65.0
    assert frames_done(step, looked) == 120  # what is encoded, not what is drawn
    without = observation(step, work.model_copy(update={"heartbeat": beat(0.51)}), render_001=60)
    assert frames_done(step, without) == 130
    silent = observation(step, work.model_copy(update={"heartbeat": None}), render_001=60)
    assert (step_percent(step, silent), frames_done(step, silent)) == (50.0, 100)
    ended = observation(step, render_001=60)
    assert (step_percent(step, ended), frames_done(step, ended)) == (80.0, 160)
    one = observation(record(units_total=2), render_001=1)
    assert step_percent(record(units_total=2), one) == 50.0


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"scheduled": 0}, None),
        ({"scheduled": 1, "planned": 4, "units_done": 50, "finished": 1},
         StepDetail(frames_done=50, frames_total=200, items_done=1, items_total=4)),
        ({"scheduled": 5, "planned": 4, "state": "completed", "finished": 5},
         StepDetail(frames_done=200, frames_total=200, items_done=5, items_total=5)),
        ({"name": "tts", "scheduled": 2, "planned": 2, "finished": 1},
         StepDetail(frames_done=None, frames_total=None, items_done=1, items_total=2)),
    ],
)  # fmt: skip
def test_a_step_in_its_own_units(fields: dict[str, Any], detail: StepDetail | None) -> None:
    step = record(**fields)
    assert detail_of(step, observation(step)) == detail


def timed(progress: float, since: float, *, paused: float = 0, before: float = 0, **change: Any) -> float | None:
    started = NOW - timedelta(seconds=since)
    step = record(started_at=started, paused_before=before)
    steps = [*(StepRecord(name=stage.name) for stage in STAGES[:3]), step]
    state = snapshot("render").model_copy(update={"steps": steps, "paused_seconds": paused, **change.pop("record", {})})
    work = pending_activity("render-001", started=True, scheduled_at=started, heartbeat_at=NOW)
    # By the server's clock alone: the reader's is an hour ahead.
    return eta_seconds(progress, observed(snapshot=state, pending=[work], now=NOW + timedelta(hours=1), **change))


def test_what_is_left_goes_on_at_the_rate_of_the_rendering() -> None:
    before = 100 * sum(stage.weight for stage in STAGES[:3])
    assert timed(before + 40, 20) == round(20 * (60 - before) / 40, 1)
    assert timed(before + 40, 20, paused=15, before=5) == round(10 * (60 - before) / 40, 1)
    assert timed(before + 2, 10) == round(10 * (98 - before) / 2, 1)
    assert timed(before + 1.9, 10) is None
    assert timed(before + 40, 0) is None
    assert timed(before + 40, 0.5) is not None
    assert timed(before + 40, 20, record={"pause_requested": True}) is None
    assert timed(before + 40, 20, run_status="failed") is None
    assert eta_seconds(50, observed()) is None
    assert eta_seconds(50, observed(snapshot=snapshot("queued"))) is None


def test_before_the_rendering_the_whole_job_is_the_measure() -> None:
    first = StepRecord(name="script", state="completed", started_at=NOW - timedelta(seconds=8))
    state = snapshot("tts").model_copy(update={"steps": [first, *(StepRecord(name=one.name) for one in STAGES[1:])]})
    work = pending_activity("tts-01", scheduled_at=NOW - timedelta(seconds=2), started_at=NOW)
    assert eta_seconds(4.0, observed(snapshot=state, pending=[work])) == 192.0
    waiting = pending_activity("tts-01", scheduled_at=NOW - timedelta(seconds=2))
    assert eta_seconds(4.0, observed(snapshot=state, pending=[waiting])) == 144.0
    entry = TimelineEvent(sequence=1, step="tts", status="running", attempt=1, message="", timestamp=NOW)
    told = state.model_copy(update={"timeline": [entry]})
    assert eta_seconds(4.0, observed(snapshot=told)) == 192.0
    assert eta_seconds(4.0, observed(snapshot=state, started_at=NOW - timedelta(minutes=1))) is None


def test_the_weight_of_the_rendering() -> None:
    assert 100 * BY_NAME["render"].weight == RENDER


def test_what_is_withdrawn_is_open_no_more_and_stays_shown() -> None:
    record = JobRecord(1)
    record.start("render", 2, 100, "Rendering", NOW)
    record.scheduled("render", "render-000", 40)
    record.scheduled("render", "render-001", 60)
    record.withdraw("render", "render-001", 0.5)
    step = next(one for one in record.snapshot().steps if one.name == "render")
    assert (record.snapshot().open_units, step.scheduled) == ({"render": {"render-000": 40}}, 1)
    assert step_percent(step, observation(step)) == 30.0


def test_a_record_keeps_the_newest_warnings_and_counts_them_all() -> None:
    record = JobRecord(1)
    record.warn("RETRIED", "render", [f"number {number}" for number in range(15)])
    record.warn("RETRIED", "render", [f"number {number}" for number in range(15, 30)])
    record.warn("SUBSTITUTED", "composition", ["l" * 900], total=100)
    kept = record.snapshot()
    assert [warning.message for warning in kept.warnings[:-1]] == [f"number {number}" for number in range(11, 30)]
    assert (len(kept.warnings), kept.warnings_total) == (NOTES_KEPT, 130)
    assert len(kept.warnings[-1].message) == NOTE_LETTERS
