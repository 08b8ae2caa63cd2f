"""One watcher a job: nothing newer is ever told under an old number."""

import asyncio
from collections import defaultdict
from typing import cast

from api.watch import JobWatcher, WatchedState, Watchers
from picturelock.models import Observation
from picturelock.temporal.errors import StateUnavailable
from picturelock.temporal.reader import JobReader
from tests.unit.test_events import ended, rendering


class SlowReader:
    """Answers for each job when it is let go, with what it is given then."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.answers: defaultdict[str, asyncio.Queue[Observation | StateUnavailable]] = defaultdict(asyncio.Queue)

    async def observe(self, job_id: str) -> Observation:
        self.asked.set()
        answer = await self.answers[job_id].get()
        self.asked.clear()
        if isinstance(answer, StateUnavailable):
            raise answer
        return answer


async def next_of(watcher: JobWatcher, version: int) -> WatchedState:
    seen = await watcher.newer_than(version, 20)
    assert seen is not None
    return seen


async def test_the_end_is_told_even_when_temporal_went_away_while_it_was_read() -> None:
    reader = SlowReader()
    watchers = Watchers(cast("JobReader", reader))
    async with watchers.subscribe("job-12345") as watcher:
        await reader.asked.wait()
        reader.answers["job-12345"].put_nowait(rendering(50, 3))
        first = await next_of(watcher, 0)
        await reader.asked.wait()
        watchers.tell_away("gone")  # another watcher has found out, while this one is reading
        away = await next_of(watcher, first.version)
        reader.answers["job-12345"].put_nowait(ended(9))
        last = await next_of(watcher, away.version)
    assert (first.away, away.away) == (None, "gone")
    assert last.final
    assert first.version < away.version < last.version


async def test_one_jobs_trouble_is_its_own_and_a_lost_connection_is_everybodys() -> None:
    reader = SlowReader()
    watchers = Watchers(cast("JobReader", reader))
    async with watchers.subscribe("job-one-1") as one:
        await reader.asked.wait()
        async with watchers.subscribe("job-two-2") as two:
            reader.answers["job-one-1"].put_nowait(StateUnavailable("did not answer in time"))
            away = await next_of(one, 0)
            assert away.away is not None
            assert two.latest.version == 0
            reader.answers["job-two-2"].put_nowait(StateUnavailable("cannot be reached", for_all=True))
            assert (await next_of(two, 0)).away == "cannot be reached"
