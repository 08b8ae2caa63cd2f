"""The event stream of a job: what changed, told to one client, in the vocabulary of the contract."""

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from api.watch import JobWatcher, Sighting
from picturelock.models import TERMINAL, JobStatus, Observation, TimelineEvent, Warn
from picturelock.stages import stage_of
from picturelock.status import not_below

HEARTBEAT_SECONDS: Final = 5.0
_ALMOST: Final = 999
"""The most that an open job may be asked to show, whatever a client says it has seen."""

_TERMINAL_EVENTS: Final = {"completed": "job-completed", "failed": "job-failed", "cancelled": "job-cancelled"}


@dataclass(frozen=True, slots=True)
class EventId:
    """`{attempt}.{sequence}.{permille}`: how much of a job a client has seen."""

    attempt: int
    sequence: int
    permille: int

    @classmethod
    def parse(cls, text: str | None) -> "EventId | None":
        """The id a client sends back, or None when it is none of ours."""
        parts = (text or "").split(".")
        if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) <= 9 for part in parts):
            return None
        return cls(*(int(part) for part in parts))

    @classmethod
    def of(cls, job: JobStatus, sequence: int) -> "EventId":
        """The id of a status. The end has a sequence of its own, so that only the terminal event carries its id."""
        end = 1 if job.status in TERMINAL else 0
        return cls(job.attempt, sequence + end, int(job.progress * 10 + 1e-6))

    def __str__(self) -> str:
        return f"{self.attempt}.{self.sequence}.{self.permille}"


def frame(event: str, data: str, event_id: str | None = None) -> bytes:
    """One server-sent event. `data` is JSON on one line."""
    head = f"id: {event_id}\n" if event_id else ""
    return f"{head}event: {event}\ndata: {data}\n\n".encode()


def status_data(job: JobStatus) -> str:
    """A status as event data: the one shape, and `percent` for simple clients."""
    return json.dumps(
        {**job.model_dump(mode="json"), "percent": job.progress}, ensure_ascii=False, separators=(",", ":")
    )


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def already_told(sighting: Sighting, last: EventId | None) -> bool:
    """Whether a client has seen the end of the job as it stands: its browser should stop reconnecting."""
    if last is None or not sighting.final or sighting.job is None or sighting.observation is None:
        return False
    end = EventId.of(sighting.job, _sequence(sighting.observation))
    return (end.attempt, end.sequence) == (last.attempt, last.sequence)


def _timeline(observation: Observation) -> list[TimelineEvent]:
    return observation.snapshot.timeline if observation.snapshot else []


def _sequence(observation: Observation) -> int:
    return len(_timeline(observation))


@dataclass(slots=True)
class Teller:
    """Remembers what one client was told, and tells it the rest."""

    last: EventId | None
    warned: set[str] = field(default_factory=set)
    retries: dict[str, int] = field(default_factory=dict)

    def tell(self, sighting: Sighting) -> list[bytes]:
        """The frames a sighting is worth to this client, in order."""
        job, observation = sighting.job, sighting.observation
        if job is None or observation is None:
            return [self._warning(Warn(code="STATE_UNAVAILABLE", message=sighting.away or ""))] if sighting.away else []
        if self.last is not None and self.last.attempt == job.attempt:
            job = not_below(job, min(self.last.permille, _ALMOST) / 10)
        timeline = _timeline(observation)
        steps = [self._step(event, job) for event in timeline[self._known(job, timeline) :]]
        asides = self._retrying(observation) + self._new_warnings(job)
        self.last = EventId.of(job, len(timeline))
        state = frame(_TERMINAL_EVENTS.get(job.status, "job-progress"), status_data(job), str(self.last))
        if job.status in _TERMINAL_EVENTS:
            return [*steps, *asides, state]
        return [*steps, state, *asides]

    def _known(self, job: JobStatus, timeline: list[TimelineEvent]) -> int:
        """How many entries of the timeline the client has seen. A new client starts with the present."""
        if self.last is None:
            return len(timeline)
        return min(self.last.sequence, len(timeline)) if self.last.attempt == job.attempt else 0

    def _step(self, event: TimelineEvent, job: JobStatus) -> bytes:
        data = event.model_dump(mode="json", exclude={"sequence"})
        permille = self.last.permille if self.last and self.last.attempt == job.attempt else 0
        event_id = EventId(job.attempt, event.sequence, permille)
        return frame("step-status", json.dumps(data, ensure_ascii=False), str(event_id))

    def _retrying(self, observation: Observation) -> list[bytes]:
        frames: list[bytes] = []
        for one in observation.pending:
            if one.attempt > 1 and self.retries.get(one.id) != one.attempt:
                self.retries[one.id] = one.attempt
                reason = f": {one.last_failure.message}" if one.last_failure else ""
                data = {
                    "step": stage_of(one.id),
                    "status": "running",
                    "attempt": one.attempt,
                    "message": f"{one.id} is tried again (attempt {one.attempt}){reason}",
                    "timestamp": _now(),
                }
                frames.append(frame("step-status", json.dumps(data, ensure_ascii=False)))
        return frames

    def _new_warnings(self, job: JobStatus) -> list[bytes]:
        keys = {f"{one.code} {one.step} {one.message}": one for one in job.warnings}
        fresh = [one for key, one in keys.items() if key not in self.warned]
        self.warned |= set(keys)
        return [self._warning(one) for one in fresh]

    @staticmethod
    def _warning(warning: Warn) -> bytes:
        data = warning.model_dump(mode="json") | {"since": warning.since.isoformat() if warning.since else _now()}
        return frame("warning", json.dumps(data, ensure_ascii=False))


async def stream(watcher: JobWatcher, job_id: str, correlation: str, last: EventId | None) -> AsyncIterator[bytes]:
    """The whole stream: acknowledged first, told until the job has ended."""
    hello = {"jobId": job_id, "message": "Connected", "timestamp": _now(), "correlationId": correlation}
    yield frame("connected", json.dumps(hello))
    teller = Teller(last)
    version, sent_at = 0, time.monotonic()
    while True:
        quiet = HEARTBEAT_SECONDS - (time.monotonic() - sent_at)
        sighting = await watcher.newer_than(version, max(0.0, quiet))
        if sighting is None:
            yield frame("heartbeat", json.dumps({"timestamp": _now(), "status": "alive"}))
            sent_at = time.monotonic()
            continue
        version = sighting.version
        if sighting.missing:
            yield frame("job-not-found", json.dumps({"jobId": job_id, "timestamp": _now()}))
            return
        for told in teller.tell(sighting):
            yield told
            sent_at = time.monotonic()
        if sighting.final:
            return
