"""One observation, one status: pure, and true in every state."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picturelock.jobs.stages import BY_NAME, STAGES
from picturelock.jobs.status import assemble, etag, not_below
from picturelock.models import (
    ArtifactRef,
    ExportResult,
    FilmFacts,
    Heartbeat,
    JobError,
    NamedArtifact,
    Observation,
    PendingActivity,
    Snapshot,
    StageName,
    StepRecord,
)

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
REF = ArtifactRef(sha256="0" * 64, size_bytes=5, media_type="video/mp4")
FACTS = FilmFacts(
    size_bytes=5, duration_seconds=2, width=1280, height=720, fps=30, frames=60, video_codec="h264", audio_codec="aac",
    sha256="0" * 64, loudness_lufs=-16, true_peak_dbtp=-2,
)  # fmt: skip
RESULT = ExportResult(film=NamedArtifact(name="film.mp4", **REF.model_dump(by_alias=False)), facts=FACTS, artifacts=[])
QUEUES = ["exports", "render"]
RENDER = 100 * BY_NAME["render"].weight
_NAMES = [stage.name for stage in STAGES]
BEFORE_RENDER = round(100 * sum(stage.weight for stage in STAGES[: _NAMES.index("render")]), 6)


def observed(**change: Any) -> Observation:
    base: dict[str, Any] = {
        "job_id": "job-12345",
        "now": NOW,
        "run_status": "open",
        "created_at": NOW - timedelta(seconds=30),
        "started_at": NOW - timedelta(seconds=30),
        "correlation_id": "c",
        "live_queues": QUEUES,
    }
    return Observation(**{**base, **change})


_KINDS: dict[str, tuple[StageName, str]] = {"sound": ("render", "exports"), "encoder": ("render", "render")}


def pending_activity(id: str, **fields: Any) -> PendingActivity:  # noqa: A002 - the field's name
    """A pending activity under one of the workflow's own ids, of the stage and queue that such a one has."""
    name = id.split("-", maxsplit=1)[0]
    policy = BY_NAME.get(name)  # type: ignore[call-overload]
    stage, queue = (policy.name, policy.queue) if policy else _KINDS[name]
    return PendingActivity(id=id, stage=stage, queue=queue, **fields)


def snapshot(
    stage: str, done: int = 0, total: int = 100, open_units: dict[str, int] | None = None, **more: Any
) -> Snapshot:
    order = [policy.name for policy in STAGES]
    steps = []
    for name in order:
        if stage == "complete" or (stage in order and order.index(name) < order.index(stage)):
            steps.append(
                StepRecord(
                    name=name, state="completed", units_total=1, units_done=1, started_at=NOW - timedelta(seconds=20)
                )
            )
        elif name == stage:
            scheduled = len(open_units or {})
            steps.append(
                StepRecord(
                    name=name,
                    state="running",
                    units_total=total,
                    units_done=done,
                    scheduled=scheduled,
                    started_at=NOW - timedelta(seconds=10),
                )
            )
        else:
            steps.append(StepRecord(name=name))
    return Snapshot.model_validate(
        {"stage": stage, "steps": steps, "open_units": {stage: open_units} if open_units else {}, **more}
    )


@pytest.mark.parametrize("units", [1, 60, 1500])
def test_a_look_that_is_a_moment_older_takes_nothing_back(units: int) -> None:
    """The workflow has taken note of an activity's end; then only the memo of before can be read."""
    counted = assemble(observed(snapshot=snapshot("render", units, 1600), snapshot_is_memo=False))
    before = observed(snapshot=snapshot("render", 0, 1600, {"render-001": units}), snapshot_is_memo=True)
    assert counted.progress == assemble(before).progress


def beat(fraction: float, quiet: float = 0) -> Heartbeat:
    return Heartbeat(
        fraction=fraction, last_advance_at=NOW - timedelta(seconds=quiet), quiet_seconds=quiet, stall_after_seconds=30
    )


def test_an_execution_nobody_has_touched_is_queued() -> None:
    job = assemble(observed())
    assert (job.status, job.stage, job.progress, job.eta_seconds) == ("queued", "queued", 0.0, None)
    assert [step.status for step in job.steps] == ["pending"] * 5


def test_heartbeats_count_in_proportion_to_their_units() -> None:
    observation = observed(
        snapshot=snapshot("render", done=25, open_units={"render-001": 50, "render-002": 25}),
        pending=[pending_activity("render-001", heartbeat=beat(0.5)), pending_activity("render-002")],
    )
    job = assemble(observation)
    render = next(step for step in job.steps if step.name == "render")
    assert render.progress == 50.0
    assert render.detail is not None
    assert (render.detail.frames_done, render.detail.frames_total) == (50, 100)
    assert job.progress == pytest.approx(BEFORE_RENDER + RENDER * 0.5)


def test_an_activity_that_just_finished_does_not_step_back() -> None:
    running = observed(
        snapshot=snapshot("render", open_units={"render-001": 100}),
        pending=[pending_activity("render-001", heartbeat=beat(0.9))],
    )
    gone = running.model_copy(update={"pending": []})
    assert assemble(running).progress < assemble(gone).progress
    whole = running.model_copy(update={"pending": [pending_activity("render-001", heartbeat=beat(1.0))]})
    assert assemble(whole).progress == assemble(gone).progress


def test_a_query_that_is_newer_than_describe_counts_nothing_for_what_has_just_been_scheduled() -> None:
    observation = observed(snapshot=snapshot("render", open_units={"render-001": 100}), snapshot_is_memo=False)
    assert assemble(observation).progress == BEFORE_RENDER


def test_all_done_but_still_open_is_not_a_hundred() -> None:
    observation = observed(snapshot=snapshot("finalize", total=100, open_units={"finalize": 99}), pending=[])
    assert 99 < assemble(observation).progress < 100
    almost = observed(
        snapshot=snapshot("finalize", total=1, open_units={"finalize": 1}),
        pending=[pending_activity("finalize", heartbeat=beat(0.999))],
    )
    assert assemble(almost).progress < 100


def test_completed_means_a_hundred_and_a_film() -> None:
    job = assemble(observed(run_status="completed", snapshot=snapshot("complete"), result=RESULT, closed_at=NOW))
    assert (job.status, job.progress, job.stage) == ("completed", 100.0, "complete")
    assert job.output_path == "/api/jobs/job-12345/output"
    assert job.output is not None
    assert job.output.sha256 == FACTS.sha256
    assert all(step.status == "completed" and step.progress == 100 for step in job.steps)


def test_completed_without_a_film_is_impossible() -> None:
    with pytest.raises(ValueError, match="without a result"):
        assemble(observed(run_status="completed", snapshot=snapshot("complete")))


def test_a_failure_is_read_from_the_close_event() -> None:
    error = JobError(code="RENDER_STALLED", stage="render", message="m", remediation="r", retryable=True)
    job = assemble(observed(run_status="failed", snapshot=snapshot("render"), error=error, closed_at=NOW))
    assert (job.status, job.error_message) == ("failed", "Export failed: m")
    assert next(step for step in job.steps if step.name == "render").status == "failed"
    assert job.output_path is None
    assert job.progress < 100


@pytest.mark.parametrize(
    ("run_status", "code"), [("terminated", "TERMINATED"), ("timed-out", "DEADLINE_EXCEEDED"), ("failed", "INTERNAL")]
)
def test_every_bad_end_has_a_code(run_status: str, code: str) -> None:
    job = assemble(observed(run_status=run_status, snapshot=snapshot("tts"), closed_at=NOW))
    assert job.status == "failed"
    assert job.error is not None
    assert job.error.code == code


def test_a_cancel_request_is_visible_before_it_has_taken_effect() -> None:
    job = assemble(observed(cancel_requested=True, snapshot=snapshot("render")))
    assert (job.status, job.cancel_requested, job.message) == ("running", True, "Cancelling")


def test_no_worker_is_said_after_ten_seconds_and_not_before() -> None:
    pending = [pending_activity("render-001", scheduled_at=NOW - timedelta(hours=5))]
    units, since = {"render-001": 9}, NOW - timedelta(seconds=5)
    observation = observed(
        snapshot=snapshot("render", open_units=units), pending=pending, live_queues=["exports"], watched_since=since
    )
    assert not assemble(observation).worker_available
    assert assemble(observation).warnings == []
    later = observation.model_copy(update={"now": NOW + timedelta(seconds=6)})
    assert [one.code for one in assemble(later).warnings] == ["NO_WORKER"]
    served = later.model_copy(update={"live_queues": QUEUES})
    assert assemble(served).warnings == []


def test_a_beating_activity_proves_that_its_worker_lives() -> None:
    """After a restart of the server the list of workers is empty for a while; the work goes on all the same."""
    alive = pending_activity("render-001", started=True, heartbeat=beat(0.5), heartbeat_at=NOW - timedelta(seconds=1))
    waiting = pending_activity("render-002", scheduled_at=NOW - timedelta(minutes=5))
    units = {"render-001": 9, "render-002": 9}
    job = assemble(observed(snapshot=snapshot("render", open_units=units), pending=[alive, waiting], live_queues=[]))
    assert job.worker_available
    assert job.warnings == []


def test_slow_is_said_at_two_thirds_of_the_stall_threshold() -> None:
    def observation(quiet: float) -> Observation:
        pending = [pending_activity("render-001", started=True, heartbeat=beat(0.5, quiet))]
        return observed(snapshot=snapshot("render", open_units={"render-001": 9}), pending=pending)

    assert assemble(observation(19)).warnings == []
    assert [one.code for one in assemble(observation(21)).warnings] == ["SLOW"]


def test_a_retry_is_visible() -> None:
    failure = JobError(code="RENDER_FAILED", message="broke", remediation="", retryable=True)
    pending = [pending_activity("render-001", attempt=3, last_failure=failure)]
    job = assemble(observed(snapshot=snapshot("render", open_units={"render-001": 9}), pending=pending))
    assert [one.code for one in job.warnings] == ["ATTEMPT_FAILED"]
    assert next(step for step in job.steps if step.name == "render").attempt == 3


def test_the_etag_ignores_the_eta_and_nothing_else() -> None:
    job = assemble(observed(snapshot=snapshot("render", done=50)))
    assert etag(job) == etag(job.model_copy(update={"eta_seconds": 1.0}))
    assert etag(job) != etag(job.model_copy(update={"message": "other"}))


@given(
    stage=st.sampled_from([policy.name for policy in STAGES]),
    done=st.integers(0, 100),
    fractions=st.lists(st.floats(0, 1), max_size=4),
    memo=st.booleans(),
)
def test_an_open_job_is_always_between_nothing_and_everything(
    stage: str, done: int, fractions: list[float], memo: bool
) -> None:
    name = "render" if stage == "render" else stage
    open_units = {f"{name}-{index:03d}": 10 for index in range(len(fractions))}
    pending = [pending_activity(key, heartbeat=beat(value)) for key, value in zip(open_units, fractions, strict=True)]
    total = done + 10 * len(fractions) + 1
    observation = observed(snapshot=snapshot(stage, done, total, open_units), pending=pending, snapshot_is_memo=memo)
    job = assemble(observation)
    assert 0 <= job.progress < 100
    assert all(0 <= step.progress <= 100 for step in job.steps)
    assert job.eta_seconds is None or 0 <= job.eta_seconds < 10**9
    assert not_below(job, 50).progress >= 50
    assert job == type(job).model_validate_json(job.model_dump_json())


def test_weights_sum_to_one() -> None:
    assert sum(policy.weight for policy in STAGES) == pytest.approx(1)


def test_a_queue_that_has_just_lost_its_worker_is_warned_of_ten_seconds_later() -> None:
    waiting = pending_activity("render-001", scheduled_at=NOW - timedelta(minutes=5))
    observation = observed(
        snapshot=snapshot("render", open_units={"render-001": 9}),
        pending=[waiting],
        live_queues=["exports"],
        queues_heard_at={"render": NOW - timedelta(seconds=7)},
    )
    assert not assemble(observation).worker_available
    assert assemble(observation).warnings == []
    [warning] = assemble(observation.model_copy(update={"now": NOW + timedelta(seconds=4)})).warnings
    assert (warning.code, warning.since) == ("NO_WORKER", NOW - timedelta(seconds=7))


def test_full_slots_are_told_as_a_queue_and_warned_of_by_nobody() -> None:
    waiting = [pending_activity(f"render-{n:03d}", scheduled_at=NOW - timedelta(minutes=5)) for n in range(3)]
    units = {one.id: 9 for one in waiting}
    job = assemble(observed(snapshot=snapshot("render", open_units=units), pending=waiting, ahead=3))
    assert job.message == "Waiting for a free slot, 3 exports ahead"
    beside = [pending_activity("sound", started=True, heartbeat=beat(0.0)), *waiting]
    observation = observed(snapshot=snapshot("render", open_units={**units, "sound": 0}), pending=beside, ahead=1)
    assert assemble(observation).message == "Waiting for a free slot, 1 export ahead"
    assert job.warnings == []
    busy = [waiting[0].model_copy(update={"started": True}), *waiting[1:]]
    assert (
        "ahead" not in assemble(observed(snapshot=snapshot("render", open_units=units), pending=busy, ahead=3)).message
    )


@pytest.mark.parametrize("run_status", ["failed", "cancelled"])
def test_a_job_that_was_given_up_keeps_what_it_had_reached(run_status: str) -> None:
    units = {"render-001": 40, "render-002": 40}
    running = observed(
        snapshot=snapshot("render", done=20, open_units=units),
        pending=[pending_activity("render-001", started=True, heartbeat=beat(0.5))],
        snapshot_is_memo=False,
    )
    record = snapshot("render", done=20, open_units=units).model_copy(update={"last_fractions": {"render-001": 0.5}})
    closed = observed(run_status=run_status, snapshot=record, closed_at=NOW)
    assert assemble(closed).progress == assemble(running).progress == pytest.approx(BEFORE_RENDER + RENDER * 0.4)
    step = next(step for step in assemble(closed).steps if step.name == "render")
    assert step.detail is not None
    assert (step.status, step.detail.frames_done) == (run_status, 40)


def test_the_eta_is_the_rate_of_the_rendering_without_its_pauses() -> None:
    half = snapshot("render", done=50)
    working = [pending_activity("render-001", started=True, heartbeat=beat(0), heartbeat_at=NOW)]

    def eta(record: Snapshot, **more: Any) -> float | None:
        return assemble(observed(snapshot=record, pending=working, **more)).eta_seconds

    left = eta(half)
    assert left is not None
    assert left == pytest.approx(10 * (100 - BEFORE_RENDER - RENDER / 2) / (RENDER / 2), abs=0.1)
    paused_once = half.model_copy(update={"paused_seconds": 5.0})
    assert eta(paused_once) == pytest.approx(left / 2, abs=0.1)
    assert eta(half.model_copy(update={"pause_requested": True})) is None
    assert eta(snapshot("render", done=0)) is None
    waiting = pending_activity("render-001", heartbeat_at=NOW)
    unserved = observed(snapshot=half, pending=[waiting], live_queues=["exports"])
    assert (assemble(unserved).worker_available, assemble(unserved).eta_seconds) == (False, None)
    unknown = unserved.model_copy(update={"live_queues": None})
    assert (assemble(unknown).worker_available, assemble(unknown).eta_seconds) == (None, left)


def test_a_pause_is_asked_for_until_it_is_in_effect() -> None:
    asked = assemble(observed(snapshot=snapshot("render", pause_requested=True)))
    assert (asked.status, asked.pause_requested) == ("running", True)
    paused = [pending_activity("render-001", paused=True, scheduled_at=NOW - timedelta(hours=1))]
    record = snapshot("render", open_units={"render-001": 9}, pause_requested=True, paused=True)
    job = assemble(observed(snapshot=record, pending=paused, live_queues=["exports"]))
    assert (job.status, job.pause_requested, job.message) == ("paused", False, "Paused")
    assert job.worker_available
    assert job.warnings == []
    unseen = assemble(observed(snapshot=snapshot("render"), pause_signal=True))
    assert (unseen.status, unseen.pause_requested, unseen.resume_requested) == ("running", True, False)
    over = assemble(observed(snapshot=record, pending=paused, pause_signal=False))
    assert (over.status, over.pause_requested, over.resume_requested) == ("paused", False, True)
    assert not assemble(observed(snapshot=record, pending=paused)).resume_requested
    assert not assemble(observed(snapshot=snapshot("render"), pause_signal=False)).resume_requested
    ended = observed(snapshot=record, pause_signal=False, run_status="cancelled", closed_at=NOW)
    assert not assemble(ended).resume_requested


def test_where_the_server_cannot_tell_of_workers_nothing_is_said_of_them() -> None:
    waiting = [pending_activity("render-001", attempt=1, started=False, scheduled_at=NOW - timedelta(minutes=5))]
    observation = observed(snapshot=snapshot("render", open_units={"render-001": 9}), pending=waiting, live_queues=None)
    job = assemble(observation)
    assert (job.worker_available, [one.code for one in job.warnings]) == (None, [])
    beating = waiting[0].model_copy(update={"started": True, "heartbeat_at": NOW})
    assert assemble(observation.model_copy(update={"pending": [beating]})).worker_available is True
    stuck = assemble(observation.model_copy(update={"workflow_task_attempt": 9}))
    assert [one.code for one in stuck.warnings] == ["ORCHESTRATOR_ERROR"]
