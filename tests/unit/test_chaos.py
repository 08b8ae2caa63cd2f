"""Chaos is the same for the same seed, and its invariants recognise what must not be."""

from collections.abc import Callable

import pytest

from picturelock.jobs.status import assemble
from picturelock.models import EarlierAttempt, JobStatus
from scripts.chaos.invariants import Seen, Told, disagreements, violations
from scripts.chaos.plan import plan_round, uses_s3
from tests.unit.test_status import NOW, RESULT, observed, snapshot

ROUNDS = [plan_round(seed, number) for seed in range(1, 21) for number in range(5)]


def running(progress: float = 40.0, attempt: int = 1) -> JobStatus:
    earlier = [EarlierAttempt(attempt=number, status="cancelled") for number in range(1, attempt)]
    job = assemble(observed(snapshot=snapshot("render"), attempt=attempt, earlier=earlier))
    return job.model_copy(update={"progress": progress})


def cancelled(progress: float = 40.0) -> JobStatus:
    job = assemble(observed(snapshot=snapshot("render"), run_status="cancelled", closed_at=NOW))
    return job.model_copy(update={"progress": progress})


DONE = assemble(observed(snapshot=snapshot("complete"), run_status="completed", result=RESULT, closed_at=NOW))
FAILED = assemble(observed(snapshot=snapshot("render"), run_status="failed", closed_at=NOW))


def told(*jobs: JobStatus) -> list[Told]:
    names = {"running": "job-progress"}
    return [Told(names.get(job.status, f"job-{job.status}"), "1.1.1", job) for job in jobs]


def polls(*jobs: JobStatus) -> Seen:
    return Seen("job", polls=list(jobs))


def viewer(*jobs: JobStatus) -> Seen:
    return Seen("job", viewers=[told(*jobs)], asked=["cancel"])


def test_the_same_seed_is_the_same_plan() -> None:
    assert [plan_round(7, number) for number in range(5)] == [plan_round(7, number) for number in range(5)]
    assert len({repr((one.jobs, one.faults)) for one in ROUNDS}) == len(ROUNDS)


def test_twenty_seeds_try_everything() -> None:
    faults = {(fault.target, fault.blow) for one in ROUNDS for fault in one.faults}
    assert faults == {
        (target, blow)
        for target in ("api", "worker", "temporal", "ffmpeg", "s3")
        for blow in ("KILL", "STOP", "TERM")
    }  # fmt: skip
    wishes = {wish.action for one in ROUNDS for job in one.jobs for wish in job.wishes}
    assert wishes == {"cancel", "pause", "resume", "retry", "reconnect"}
    assert sum(uses_s3(seed) for seed in range(1, 21)) == 5
    assert all(fault.target != "s3" for seed in (1, 2, 3) for fault in plan_round(seed, 0).faults)


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (lambda: polls(running(40.0), running(39.9)), "GET went back from 40.0 to 39.9"),
        (lambda: polls(running(1, attempt=2), running(40)), "attempt 2 was followed by 1"),
        (lambda: polls(DONE, running(99)), "completed was followed by running"),
        (lambda: polls(cancelled()), "cancelled, and nobody had asked for it"),
        (lambda: polls(FAILED), "failed: "),
        (lambda: polls(running(100)), "completed, 100 and a film are not one"),
        (lambda: polls(DONE.model_copy(update={"output_path": None})), "completed, 100 and a film are not one"),
        (lambda: polls(running(-1)), "progress -1"),
        (lambda: polls(DONE.model_copy(update={"completed_at": None})), "completed and completedAt None"),
        (lambda: polls(running(1, attempt=2).model_copy(update={"earlier_attempts": []})), "attempt 2 after []"),
        (lambda: viewer(running(40.0), running(39.0)), "viewer 0: the stream went back from 40.0 to 39.0"),
        (lambda: viewer(DONE, DONE), "viewer 0: an end was told twice"),
        (lambda: viewer(cancelled(), running(50)), "viewer 0: job-cancelled was not the last of its attempt"),
        (lambda: Seen("job", first_events=["heartbeat"]), "a stream began with heartbeat"),
        (lambda: Seen("job", answers=[404]), "GET answered 404"),
    ],
)  # fmt: skip
def test_what_must_not_be_is_seen(seen: Callable[[], Seen], said: str) -> None:
    assert any(said in one for one in violations(seen())), violations(seen())


def test_what_may_be_is_fine() -> None:
    fine = Seen("job", asked=["cancel"], first_events=["connected", "connected"])
    fine.polls = [running(0), running(40), cancelled(40), running(10, attempt=2), running(90, attempt=2)]
    fine.viewers = [told(running(0), cancelled(40), running(2, attempt=2)), told(DONE), []]
    assert violations(fine) == []


def test_surfaces_that_disagree_are_named() -> None:
    later = DONE.model_copy(update={"eta_seconds": 3.0})
    assert disagreements("job", {"GET": DONE, "list": later}) == []
    other = DONE.model_copy(update={"message": "?"})
    assert disagreements("job", {"GET": DONE, "list": other}) == ["job: list differs from GET in ['message']"]
