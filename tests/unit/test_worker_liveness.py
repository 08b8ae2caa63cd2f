"""Who is alive among the workers, whatever their clocks say."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.api.worker.v1 import WorkerHeartbeat

from picturelock.temporal.worker_liveness import WorkerLiveness

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def beat(at: datetime, **facts: Any) -> WorkerHeartbeat:
    made = WorkerHeartbeat(worker_instance_key="w", task_queue="render", **facts)
    made.heartbeat_time.FromDatetime(at)
    return made


def live(skew: timedelta, looks: list[tuple[float, float]], at: float) -> list[str]:
    """The queues that are served, `at` seconds after; each look reads, so many seconds after, a beat of then."""
    live_workers = WorkerLiveness(None)  # type: ignore[arg-type] # nothing is asked
    for read, beaten in looks:
        live_workers._take_note([beat(NOW + skew + timedelta(seconds=beaten))], NOW + timedelta(seconds=read), read)
    return list(live_workers._live(NOW + timedelta(seconds=at)).live)


@pytest.mark.parametrize("skew", [timedelta(), timedelta(hours=1), -timedelta(hours=1), timedelta(seconds=5)])
def test_a_worker_that_beats_is_alive_whatever_its_clock_says(skew: timedelta) -> None:
    beating = [(0.5, 0.0), (2.5, 2.0), (4.5, 4.0)]
    assert live(skew, beating, 9.0) == ["render"]
    assert live(skew, beating, 13.0) == []


def test_one_that_is_gone_when_it_is_first_read_is_not_alive() -> None:
    assert live(timedelta(), [(60.0, 0.0)], 60.0) == []
    assert live(timedelta(), [(60.0, 0.0), (62.0, 0.0)], 62.0) == []


def test_a_clock_that_is_set_does_not_make_a_worker_vanish() -> None:
    assert live(timedelta(), [(0.5, 0.0), (2.5, 2.0), (4.5, 4.0 - 3600), (6.5, 6.0 - 3600)], 8.0) == ["render"]


def test_one_that_was_not_looked_at_for_long_is_as_old_as_its_clock_says() -> None:
    looks = [(0.5, 0.0), (2.5, 2.0), (100.0, 90.0)]
    assert live(timedelta(hours=1), looks, 100.0) == []
    assert live(timedelta(hours=1), [*looks[:2], (100.0, 98.0)], 100.0) == ["render"]


def test_the_workers_of_a_queue_are_counted() -> None:
    live_workers = WorkerLiveness(None)  # type: ignore[arg-type] # nothing is asked
    beats = [beat(NOW) for _ in range(3)]
    for number, one in enumerate(beats):
        one.worker_instance_key = str(number)
    live_workers._take_note(beats, NOW, 0.0)
    assert live_workers._live(NOW).live == {"render": 3}
    assert live_workers._live(NOW).since == NOW, "nobody has been called before"


def test_one_that_has_stopped_is_not_alive() -> None:
    live_workers = WorkerLiveness(None)  # type: ignore[arg-type] # nothing is asked
    live_workers._take_note([beat(NOW, status="WORKER_STATUS_SHUTDOWN")], NOW, 0.0)
    assert list(live_workers._live(NOW).live) == []
    live_workers._take_note([beat(NOW)], NOW, 0.5)
    assert list(live_workers._live(NOW).live) == ["render"]
