"""What a job warns of, word for word, and the moment from which it does."""

from datetime import timedelta
from typing import Any

import pytest

from picturelock.errors import DeadlineExceeded, InternalError, RenderFailed, Terminated
from picturelock.jobs.status import assemble
from picturelock.jobs.warnings import JobWarnings, job_warnings, missing_queues, waits_for_a_slot
from picturelock.models import Heartbeat, JobWarning
from tests.unit.test_status import NOW, observed, pending_activity, snapshot

RENDERING = snapshot("render", done=0, total=100, open_units={"render-001": 100})


def ago(seconds: float) -> Any:
    return NOW - timedelta(seconds=seconds)


def beating(quiet: float, stall: float = 30) -> Heartbeat:
    return Heartbeat(fraction=0.5, last_advance_at=ago(quiet), quiet_seconds=quiet, stall_after_seconds=stall)


def told(stage: Any = "render", **observation: Any) -> list[JobWarning]:
    record = RENDERING if stage == "render" else snapshot(stage)
    return job_warnings(observed(snapshot=record, **observation), record, stage).shown


def test_a_failed_attempt_is_told_with_its_reason() -> None:
    failure = RenderFailed("ffmpeg ended with signal SIGKILL").describe("render", 2)
    work = pending_activity("render-001", attempt=3, started=True, scheduled_at=ago(40), last_failure=failure)
    text = "a part of the rendering failed at attempt 2 and is tried again: ffmpeg ended with signal SIGKILL"
    assert told(pending=[work]) == [JobWarning(code="ATTEMPT_FAILED", message=text, step="render", since=ago(40))]
    first = told(pending=[work.model_copy(update={"attempt": 1})])
    assert first[0].message.startswith("a part of the rendering failed at attempt 1 ")


@pytest.mark.parametrize(("quiet", "slow"), [(19.9, False), (20.0, False), (20.1, True)])
def test_what_stands_still_for_two_thirds_of_its_time_is_slow(quiet: float, slow: bool) -> None:
    work = pending_activity("render-001", started=True, heartbeat=beating(quiet), heartbeat_at=NOW)
    since = ago(quiet)
    text = f"a part of the rendering has not advanced since {since:%H:%M:%S} UTC"
    assert told(pending=[work]) == ([JobWarning(code="SLOW", message=text, step="render", since=since)] if slow else [])
    assert told(pending=[work.model_copy(update={"started": False})]) == []


@pytest.mark.parametrize(("seconds", "said"), [(9.9, False), (10.0, False), (10.1, True)])
def test_nobody_is_said_to_work_after_ten_seconds(seconds: float, said: bool) -> None:
    work = pending_activity("render-001", scheduled_at=NOW)
    text = "no live worker serves the queue render"
    wanted = [JobWarning(code="NO_WORKER", message=text, step="render", since=ago(seconds))] if said else []
    assert told(pending=[work], live_queues=["exports"], watched_since=ago(seconds)) == wanted


def test_two_queues_without_workers_are_named_in_order() -> None:
    work = [pending_activity("render-001"), pending_activity("sound")]
    [warning] = told(pending=work, live_queues=[], queues_heard_at={"render": ago(30), "exports": ago(20)})
    assert warning.message == "no live worker serves the queue exports, render"
    assert warning.since == ago(30)


def test_a_queue_is_unserved_since_its_last_worker_was_heard() -> None:
    """By the reader's clock alone: when the work was scheduled, another one says."""
    work = pending_activity("render-001", scheduled_at=ago(3600), heartbeat_at=ago(3000))
    watched = {"live_queues": [], "watched_since": ago(30)}
    heard = told(pending=[work], queues_heard_at={"render": ago(15), "exports": ago(5)}, **watched)
    assert [one.since for one in heard] == [ago(15)]
    assert [one.since for one in told(pending=[work], **watched)] == [ago(30)]
    assert told(pending=[work], live_queues=[]) == []
    assert told("queued", **watched) == [
        JobWarning(code="NO_WORKER", message="no live worker serves the queue exports", step=None, since=ago(30))
    ]


@pytest.mark.parametrize(("attempt", "queues", "said"), [(3, ["exports", "render"], True), (2, ["exports"], False)])
def test_an_orchestrator_that_cannot_go_on_is_told(attempt: int, queues: list[str], said: bool) -> None:
    text = "the orchestrator cannot make progress with this job; see its workflow task in the Temporal UI"
    wanted = [JobWarning(code="ORCHESTRATOR_ERROR", message=text, step="render")] if said else []
    working = pending_activity("render-001", started=True, heartbeat_at=NOW)
    assert told(pending=[working], workflow_task_attempt=attempt, live_queues=queues) == wanted
    assert told(pending=[working], workflow_task_attempt=attempt, live_queues=["render"]) == []


def test_a_closed_job_keeps_its_own_warnings_and_gets_no_others() -> None:
    own = JobWarning(code="RETRIED", message="render-001 needed 2 attempts", step="render")
    record = RENDERING.model_copy(update={"warnings": [own], "warnings_total": 1})
    observation = observed(snapshot=record, run_status="failed", closed_at=NOW, live_queues=[], workflow_task_attempt=9)
    assert job_warnings(observation, record, "render") == JobWarnings([own], 1)


def test_of_many_warnings_some_are_told_and_all_are_counted() -> None:
    own = [
        JobWarning(code="RETRIED", message=f"render-{number} needed 2 attempts", step="render") for number in range(20)
    ]
    record = RENDERING.model_copy(update={"warnings": own, "warnings_total": 300})
    failure = RenderFailed("x" * 3_000).describe("render")
    work = [pending_activity(f"render-{number}", scheduled_at=NOW, last_failure=failure) for number in range(200)]
    job = assemble(observed(snapshot=record, pending=work))
    assert (len(job.warnings), job.warnings_total) == (40, 500)
    assert {len(one.message) for one in job.warnings if one.code == "ATTEMPT_FAILED"} == {500}


@pytest.mark.parametrize(("started", "missing"), [(5, set()), (4, set()), (3.9, {"render"}), (None, set())])
def test_running_work_that_has_told_of_itself_proves_a_worker(started: float | None, missing: set[str]) -> None:
    """Not by any clock but the server's: it ends what it does not hear of for ten seconds."""
    at = None if started is None else ago(started)
    work = pending_activity("render-001", started=True, started_at=at, heartbeat_at=ago(4))
    assert missing_queues(observed(pending=[work], live_queues=[])) == missing
    assert missing_queues(observed(pending=[work.model_copy(update={"started": False})], live_queues=[])) == {"render"}
    assert missing_queues(observed(pending=[work.model_copy(update={"paused": True})], live_queues=[])) <= {"exports"}


def test_who_waits_for_a_slot() -> None:
    waiting, running = pending_activity("render-001"), pending_activity("render-002", started=True)
    failure = RenderFailed("x").describe("render")
    for pending, waits in (
        ([waiting], True), ([waiting, running], False), ([running], False), ([], False),
        ([waiting.model_copy(update={"paused": True})], False),
        ([waiting.model_copy(update={"last_failure": failure})], False),
        ([waiting, pending_activity("sound", started=True)], True),
    ):  # fmt: skip
        assert waits_for_a_slot(observed(pending=pending)) == waits
    assert not waits_for_a_slot(observed(pending=[waiting], live_queues=["exports"]))


@pytest.mark.parametrize(
    ("run_status", "error"),
    [
        ("terminated", Terminated("the execution was terminated in Temporal")),
        ("timed-out", DeadlineExceeded("the execution ran into its time limit")),
        ("failed", InternalError("the execution failed without a reason")),
    ],
)
def test_an_end_that_the_workflow_did_not_tell_is_told(run_status: str, error: Any) -> None:
    job = assemble(observed(snapshot=RENDERING, run_status=run_status, closed_at=NOW, attempt=2))
    assert job.error == error.describe("render", 2)
    assert (job.status, job.message, job.error_message) == (
        "failed",
        error.message,
        f"Export failed: {error.message}",
    )
    assert job.completed_at == NOW
    render = next(step for step in job.steps if step.name == "render")
    assert (render.status, render.completed_at) == ("failed", NOW)
    assert [step.completed_at for step in job.steps if step.name == "finalize"] == [None]
    nothing = assemble(observed(run_status=run_status, closed_at=NOW))
    assert nothing.error == error.describe(None, 1)


def test_what_a_job_says_of_itself() -> None:
    waiting = pending_activity("render-001")
    for ahead, text in ((0, "0 exports"), (1, "1 export"), (2, "2 exports")):
        job = assemble(observed(snapshot=RENDERING, pending=[waiting], ahead=ahead))
        assert job.message == f"Waiting for a free slot, {text} ahead"
    working = pending_activity("render-001", started=True, heartbeat=beating(0))
    assert assemble(observed(snapshot=RENDERING, pending=[working])).message == "Rendering: frame 50 of 100"
    assert assemble(observed(snapshot=RENDERING, pending=[working], cancel_requested=True)).message == "Cancelling"
    asked = RENDERING.model_copy(update={"pause_requested": True, "message": "A pause was asked for"})
    assert assemble(observed(snapshot=asked, pending=[working])).message == "A pause was asked for"
    paused = RENDERING.model_copy(update={"paused": True, "pause_requested": True})
    assert assemble(observed(snapshot=paused)).message == "Paused"
    assert assemble(observed(snapshot=RENDERING, run_status="cancelled", closed_at=NOW)).message == "Cancelled"
    beat = beating(0).model_copy(update={"message": "Verifying the film"})
    for stage, activity in (("finalize", "finalize"), ("composition", "composition")):
        record = snapshot(stage, open_units={activity: 1}, message="from the workflow")
        work = pending_activity(activity, started=True, heartbeat=beat)
        assert assemble(observed(snapshot=record, pending=[work])).message == "Verifying the film"
        assert assemble(observed(snapshot=record)).message == "from the workflow"
    record = snapshot("tts", open_units={"tts-00": 1}, message="Speaking 2 scenes")
    speaking = pending_activity("tts-00", started=True, heartbeat=beat)
    assert assemble(observed(snapshot=record, pending=[speaking])).message == "Speaking 2 scenes"
