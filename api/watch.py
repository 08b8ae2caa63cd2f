"""One watcher per job and process: however many watch a job, Temporal is asked once a tick.

A watcher starts with its first subscriber and ends after its last. It keeps only the newest sighting; a subscriber
waits for one that is newer than what it has sent, so a slow reader skips and costs nothing.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import structlog

from jobstate.errors import JobNotFound, StateUnavailable
from jobstate.reader import JobReader
from picturelock.models import TERMINAL, JobStatus, Observation
from picturelock.status import assemble, etag

TICK_SECONDS: Final = 0.25
JOBS_PER_SECOND: Final = 60
"""How many jobs a process reads a second; more jobs mean longer ticks (describe saturates at 600 to 1,000 a second)."""

_AWAY_SECONDS: Final = 1.0
log = structlog.get_logger()


@dataclass(frozen=True)
class Sighting:
    """What a watcher saw last. Exactly one of `job`, `missing` and `away` says what it was."""

    version: int
    job: JobStatus | None = None
    observation: Observation | None = None
    missing: bool = False
    away: str | None = None

    @cached_property
    def etag(self) -> str | None:
        """The validator of the status, if there is one."""
        return etag(self.job) if self.job else None

    @property
    def final(self) -> bool:
        """Whether nothing newer will come."""
        return self.missing or (self.job is not None and self.job.status in TERMINAL)


class JobWatcher:
    """Watches one job."""

    def __init__(self, reader: JobReader, job_id: str, tick: "Watchers") -> None:
        self._reader = reader
        self._job_id = job_id
        self._all = tick
        self._changed = asyncio.Event()
        self.latest = Sighting(version=0)
        self.subscribers = 0

    async def newer_than(self, version: int, seconds: float) -> Sighting | None:
        """The newest sighting as soon as it is newer than `version`; None when that takes longer."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.latest.version <= version:
                    await self._changed.wait()
        return self.latest if self.latest.version > version else None

    async def watch(self) -> None:
        """Reads the job at every tick until it has ended."""
        while not self.latest.final:
            await self._look()
            away = self.latest.away is not None
            await asyncio.sleep(_AWAY_SECONDS if away else self._all.tick_seconds)

    async def _look(self) -> None:
        try:
            observation = await self._reader.observe(self._job_id)
            job = assemble(observation)
        except JobNotFound:
            self._publish(Sighting(self.latest.version + 1, missing=True))
        except StateUnavailable as error:
            if self.latest.away is None:
                self._publish(Sighting(self.latest.version + 1, away=str(error)))
        else:
            if self.latest.job is None or etag(job) != self.latest.etag:
                self._publish(Sighting(self.latest.version + 1, job=job, observation=observation))

    def _publish(self, sighting: Sighting) -> None:
        self.latest = sighting
        self._changed.set()
        self._changed = asyncio.Event()


class Watchers:
    """The watchers of this process."""

    def __init__(self, reader: JobReader) -> None:
        self._reader = reader
        self._watchers: dict[str, tuple[JobWatcher, asyncio.Task[None]]] = {}

    @property
    def tick_seconds(self) -> float:
        """How often each job is read."""
        return max(TICK_SECONDS, len(self._watchers) / JOBS_PER_SECOND)

    @asynccontextmanager
    async def subscribe(self, job_id: str) -> AsyncIterator[JobWatcher]:
        """The job's watcher, for as long as the block runs."""
        entry = self._watchers.get(job_id)
        if entry is None or entry[1].done():
            watcher = JobWatcher(self._reader, job_id, self)
            entry = (watcher, asyncio.create_task(self._guard(watcher), name=f"watch {job_id}"))
            self._watchers[job_id] = entry
        watcher, task = entry
        watcher.subscribers += 1
        try:
            yield watcher
        finally:
            watcher.subscribers -= 1
            if watcher.subscribers == 0:
                task.cancel()
                if self._watchers.get(job_id) is entry:
                    del self._watchers[job_id]

    async def _guard(self, watcher: JobWatcher) -> None:
        """A watcher that meets a programming error says so and tries again: its viewers must not wait for ever."""
        while True:
            try:
                await watcher.watch()
            except Exception:
                log.exception("watcher failed")
                await asyncio.sleep(_AWAY_SECONDS)
            else:
                return
