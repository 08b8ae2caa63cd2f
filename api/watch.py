"""One watcher per job and process: however many watch a job, Temporal is asked once a tick.

A watcher starts with its first subscriber and ends after its last. It keeps only the newest state; a subscriber
waits for one that is newer than what it has sent, so a slow reader skips and costs nothing.
"""

import asyncio
import contextlib
import time
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Final

import structlog

from api.frames import EventId, state_frame
from picturelock.errors import StoreUnavailable
from picturelock.jobs.status import assemble, etag
from picturelock.models import TERMINAL, JobStatus, Observation, PendingActivity, TimelineEvent
from picturelock.temporal.errors import JobNotFound, StateUnavailable
from picturelock.temporal.reader import JobReader

TICK_SECONDS: Final = 0.25
JOBS_PER_SECOND: Final = 60
"""How many jobs a process reads a second; more jobs mean longer ticks (describe saturates at 600 to 1,000 a second)."""

_LOOKS_AT_ONCE: Final = 32
"""More would only wait for each other."""

_CROWD: Final = 4
"""So many jobs waiting for their first look are a crowd: reading them would keep newcomers from being acknowledged."""

_ARRIVING_SECONDS: Final = 0.05
_CROWD_SECONDS: Final = 0.2
_AWAY_SECONDS: Final = 1.0
log = structlog.get_logger()


@dataclass(frozen=True)
class WatchedState:
    """What a watcher saw last. Exactly one of `observation`, `missing` and `away` says what it was.

    What every viewer is told of it is worked out once, by whoever asks first.
    """

    version: int = 0
    observation: Observation | None = None
    missing: bool = False
    away: str | None = None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @cached_property
    def job(self) -> JobStatus | None:
        """The status, if the job was seen."""
        return assemble(self.observation) if self.observation else None

    @cached_property
    def etag(self) -> str | None:
        """The validator of the status, if there is one."""
        return etag(self.job) if self.job else None

    @cached_property
    def timeline(self) -> list[TimelineEvent]:
        """The newest of the numbered entries of the workflow's own record."""
        snapshot = self.observation.snapshot if self.observation else None
        return snapshot.timeline if snapshot else []

    @cached_property
    def retried(self) -> list[PendingActivity]:
        """The activities that are being tried again."""
        return [activity for activity in self.observation.pending if activity.attempt > 1] if self.observation else []

    @property
    def sequence(self) -> int:
        """The number of the newest entry of the timeline."""
        snapshot = self.observation.snapshot if self.observation else None
        return snapshot.timeline_total if snapshot else 0

    @cached_property
    def event_id(self) -> EventId | None:
        """The id of the event with the status."""
        return EventId.of(self.job, self.sequence) if self.job else None

    @cached_property
    def state_frame(self) -> bytes:
        """The event with the status, encoded."""
        if self.job is None or self.event_id is None:
            return b""
        return state_frame(self.job, self.event_id, self.at)

    @property
    def final(self) -> bool:
        """Whether nothing newer will come."""
        return self.missing or (self.job is not None and self.job.status in TERMINAL)


class JobWatcher:
    """Watches one job."""

    def __init__(self, reader: JobReader, job_id: str, all_: "Watchers") -> None:
        self._reader = reader
        self.job_id = job_id
        self._all = all_
        self._changed = asyncio.Event()
        self.latest = WatchedState()
        self.subscribers = 0
        self._closing = False

    async def newer_than(self, version: int, seconds: float) -> WatchedState | None:
        """The newest state as soon as it is newer than `version`; None when that takes longer."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.latest.version <= version and not self._closing:
                    await self._changed.wait()
        return self.latest if self.latest.version > version else None

    async def watch(self) -> None:
        """Reads the job at every tick until it has ended."""
        if self.latest.version == 0:
            await self._all.settled()
            await self._look()
        # Watchers that begin together would all read, and write to all their viewers, in the same moment.
        phase = zlib.crc32(self.job_id.encode()) / 2**32
        while not self.latest.final:
            away = self.latest.away is not None
            await asyncio.sleep(_AWAY_SECONDS if away else self._all.tick_seconds * phase)
            phase = 1.0
            await self._look()

    def is_closing(self) -> bool:
        """Whether the server ends, and viewers are to connect elsewhere."""
        return self._closing

    def close(self) -> None:
        """Lets every viewer go."""
        self._closing = True
        self._wake()

    async def _look(self) -> None:
        try:
            # Looks are limited, viewers are not: a thousand that come at once must not be a thousand calls to Temporal.
            async with self._all.gate:
                observation = await self._reader.observe(self.job_id)
            # Numbered only now: while this one was read, another watcher may have told that Temporal is away.
            seen = WatchedState(self.latest.version + 1, observation)
            if seen.etag != self.latest.etag:
                self._publish(seen)
        except JobNotFound:
            self._publish(WatchedState(self.latest.version + 1, missing=True))
        except StoreUnavailable as error:
            self.tell_away(str(error))
        except StateUnavailable as error:
            if error.for_all:
                self._all.tell_away(str(error))
            else:
                self.tell_away(str(error))

    def tell_away(self, reason: str) -> None:
        """The state cannot be read now, as somebody found out. Said once."""
        if self.latest.away is None and not self.latest.final:
            self._publish(WatchedState(self.latest.version + 1, away=reason))

    def _publish(self, state: WatchedState) -> None:
        self.latest = state
        self._all.seen(self)
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


@dataclass(frozen=True, slots=True)
class OwnedWatcher:
    """A watcher as one caller may see it: another owner's job is missing."""

    watcher: JobWatcher
    may_see: Callable[[Observation], bool]

    async def newer_than(self, version: int, seconds: float) -> WatchedState | None:
        """The newest state as soon as it is newer than `version`; None when that takes longer."""
        state = await self.watcher.newer_than(version, seconds)
        if state is None or state.observation is None or self.may_see(state.observation):
            return state
        return WatchedState(state.version, missing=True, at=state.at)

    def is_closing(self) -> bool:
        """Whether the server ends, and viewers are to connect elsewhere."""
        return self.watcher.is_closing()


class Watchers:
    """The watchers of this process."""

    def __init__(self, reader: JobReader) -> None:
        self._reader = reader
        self._watchers: dict[str, tuple[JobWatcher, asyncio.Task[None]]] = {}
        self._arrived_at = 0.0
        self._unseen: set[JobWatcher] = set()
        self.gate = asyncio.Semaphore(_LOOKS_AT_ONCE)
        self.closing = False
        """Whether this server ends."""

    def __len__(self) -> int:
        return len(self._watchers)

    @property
    def subscribers(self) -> int:
        """How many streams and long polls are open."""
        return sum(watcher.subscribers for watcher, _ in self._watchers.values())

    @property
    def tick_seconds(self) -> float:
        """How often each job is read."""
        return max(TICK_SECONDS, len(self._watchers) / JOBS_PER_SECOND)

    @property
    def crowded(self) -> bool:
        """Whether so many jobs wait for their first look that a new one's answer will not be there soon."""
        return len(self._unseen) > _CROWD

    async def settled(self) -> None:
        """Waits a moment while a crowd arrives: all are acknowledged before anybody's job is read."""
        deadline = time.monotonic() + _CROWD_SECONDS
        while self.crowded and time.monotonic() < min(deadline, self._arrived_at + _ARRIVING_SECONDS):  # noqa: ASYNC110
            await asyncio.sleep(_ARRIVING_SECONDS)

    def tell_away(self, reason: str) -> None:
        """One watcher has found Temporal away: no other one needs a time-out of its own to know."""
        for watcher, _ in list(self._watchers.values()):
            watcher.tell_away(reason)

    def seen(self, watcher: JobWatcher) -> None:
        """A watcher has had its first look, or will have none."""
        self._unseen.discard(watcher)

    def close(self) -> None:
        """Lets every viewer go: this server ends."""
        self.closing = True
        for watcher, _ in list(self._watchers.values()):
            watcher.close()

    @asynccontextmanager
    async def subscribe(self, job_id: str) -> AsyncIterator[JobWatcher]:
        """The job's watcher, for as long as the block runs."""
        self._arrived_at = time.monotonic()
        entry = self._watchers.get(job_id)
        if entry is None or entry[1].done():
            watcher = JobWatcher(self._reader, job_id, self)
            entry = (watcher, asyncio.create_task(self._guard(watcher), name=f"watch {job_id}"))
            self._watchers[job_id] = entry
            self._unseen.add(watcher)
        watcher, task = entry
        watcher.subscribers += 1
        try:
            yield watcher
        finally:
            watcher.subscribers -= 1
            if watcher.subscribers == 0:
                task.cancel()
                self.seen(watcher)
                if self._watchers.get(job_id) is entry:
                    del self._watchers[job_id]

    async def _guard(self, watcher: JobWatcher) -> None:
        """A watcher that meets a programming error says so and tries again: its viewers must not wait for ever."""
        while True:
            try:
                await watcher.watch()
            except Exception as error:
                log.exception("watcher failed", job=watcher.job_id)
                watcher.tell_away(f"the job cannot be read: {type(error).__name__}")
                await asyncio.sleep(_AWAY_SECONDS)
            else:
                return
