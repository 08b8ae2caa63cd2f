"""How often activities tell how far they are."""

import asyncio
import time
from datetime import UTC, datetime

import pytest
from temporalio.testing import ActivityEnvironment

from activities import heartbeat, pace
from activities.pace import BEATS_PER_SECOND, SLOWEST_SECONDS, Pace
from picturelock.jobs.stages import BY_NAME, HEARTBEAT_SECONDS
from picturelock.models import Heartbeat


def seconds(running: int, processes: int) -> float:
    one = Pace()
    one.processes = processes
    one._running["job"] = running
    one._running["another"] = 500
    return one.seconds("job")


def test_few_beat_often_and_many_seldom() -> None:
    assert seconds(1, 1) == seconds(7, 1) == HEARTBEAT_SECONDS
    assert seconds(30, 1) == seconds(6, 5) == 30 / BEATS_PER_SECOND
    assert seconds(8, 25) == seconds(400, 1) == SLOWEST_SECONDS
    assert 200 / SLOWEST_SECONDS < 60
    assert BY_NAME["render"].heartbeat_seconds / 2 > SLOWEST_SECONDS


def test_who_has_ended_counts_no_more() -> None:
    one = Pace()
    with one.one_of("job"), one.one_of("job"):
        assert dict(one._running) == {"job": 2}
    assert dict(one._running) == {}


async def test_an_activity_beats_at_the_pace_of_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time passes by its sleeps alone: in ten seconds, about forty beats or three."""
    beats: list[Heartbeat] = []
    clock = 0.0
    ours: asyncio.Task[None] | None = None
    really_sleep = asyncio.sleep

    async def sleep(duration: float) -> None:
        nonlocal clock
        if asyncio.current_task() is not ours:  # a server of other tests goes on in this loop
            await really_sleep(duration)
            return
        clock += duration
        if clock > 10:
            raise TimeoutError

    async def work() -> None:
        nonlocal ours
        ours = asyncio.current_task()
        monkeypatch.setattr(time, "monotonic", lambda: clock)
        monkeypatch.setattr(asyncio, "sleep", sleep)
        with pytest.raises(TimeoutError):
            await heartbeat.HeartbeatReporter(BY_NAME["render"]).send()

    for processes, wanted in ((1, range(38, 43)), (200, range(3, 5))):
        monkeypatch.setattr(pace.PACE, "processes", processes)
        clock = 0.0
        beats.clear()
        environment = ActivityEnvironment()
        environment.on_heartbeat = beats.append
        await environment.run(work)
        monkeypatch.undo()
        assert len(beats) in wanted, processes
        assert beats[0].quiet_seconds == 0
        assert beats[-1].quiet_seconds > 6
        assert beats[0].last_advance_at <= datetime.now(UTC)
