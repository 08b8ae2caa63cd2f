"""The event stream of a job: what changed, told to one client, in the vocabulary of the contract."""

import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from api.frames import EventId, connected_frame, frame, stamp, state_frame
from api.notices import StepNotice, WarningNotice, heartbeat, missing
from api.watch import OwnedWatcher, WatchedState
from picturelock.jobs.stages import WORK
from picturelock.jobs.status import not_below
from picturelock.models import TERMINAL, JobStatus, JobWarning, PendingActivity, TimelineEvent

HEARTBEAT_SECONDS: Final = 4.0
_ALMOST: Final = 999
"""The most that an open job may be asked to show, whatever a client says it has seen."""


def already_told(state: WatchedState, last: EventId | None) -> bool:
    """Whether a client has seen the end of the job as it stands: its browser should stop reconnecting."""
    if last is None or not state.final or state.event_id is None:
        return False
    return (state.event_id.attempt, state.event_id.sequence) == (last.attempt, last.sequence)


@dataclass(slots=True)
class EventEncoder:
    """Encodes what one client has not had yet: each step, retry and warning once, and the newest status."""

    last: EventId | None
    job_id: str = ""
    warned: set[str] = field(default_factory=set)
    retries: dict[str, int] = field(default_factory=dict)

    def frames_for(self, state: WatchedState) -> bytes:
        """The frames that a state is worth to this client, in order."""
        if state.job is None or state.event_id is None:
            away = JobWarning(code="STATE_UNAVAILABLE", message=state.away or "")
            return self._warning(away, state.at) if state.away else b""
        job, event_id, newest = state.job, state.event_id, state.state_frame
        floor = self._floor(job)
        known = self._known(job, state.sequence)
        steps = [self._step(event, job) for event in state.timeline if event.sequence > known]
        asides = self._retrying(state.retried, state.at) + self._new_warnings(job.warnings, state.at)
        if job.progress < floor:
            # This client has seen more, from another replica: a frame of its own. All others share the same bytes.
            job = not_below(job, floor)
            event_id = EventId.of(job, state.sequence)
            newest = state_frame(job, event_id, state.at)
        self.last = event_id
        return b"".join([*steps, *asides, newest] if job.status in TERMINAL else [*steps, newest, *asides])

    def _floor(self, job: JobStatus) -> float:
        """The least that may be shown to this client."""
        if self.last is None or self.last.attempt != job.attempt or job.status == "completed":
            return 0.0
        return min(self.last.permille, _ALMOST) / 10

    def _known(self, job: JobStatus, newest: int) -> int:
        """The newest entry of the timeline that the client has seen. A new client starts with the present."""
        if self.last is None:
            return newest
        return min(self.last.sequence, newest) if self.last.attempt == job.attempt else 0

    def _step(self, event: TimelineEvent, job: JobStatus) -> bytes:
        permille = self.last.permille if self.last and self.last.attempt == job.attempt else 0
        event_id = EventId(job.attempt, event.sequence, permille)
        notice = StepNotice(job_id=self.job_id, **event.model_dump(by_alias=False, exclude={"sequence"}))
        return frame("step-status", notice.model_dump(mode="json"), str(event_id))

    def _retrying(self, retried: list[PendingActivity], at: datetime) -> list[bytes]:
        frames: list[bytes] = []
        for activity in retried:
            if activity.stage is not None and self.retries.get(activity.id) != activity.attempt:
                self.retries[activity.id] = activity.attempt
                reason = f": {activity.last_failure.message}" if activity.last_failure else ""
                notice = StepNotice(
                    job_id=self.job_id,
                    step=activity.stage,
                    status="running",
                    attempt=activity.attempt,
                    message=f"{WORK[activity.stage]} is tried again (attempt {activity.attempt}){reason}",
                    timestamp=at,
                )
                frames.append(frame("step-status", notice.model_dump(mode="json")))
        return frames

    def _new_warnings(self, warnings: list[JobWarning], at: datetime) -> list[bytes]:
        fresh = {f"{warning.code} {warning.step} {warning.message}": warning for warning in warnings}
        frames = [self._warning(warning, at) for key, warning in fresh.items() if key not in self.warned]
        self.warned = set(fresh)  # one that goes and comes back is told again
        return frames

    def _warning(self, warning: JobWarning, at: datetime) -> bytes:
        told = warning.model_dump(by_alias=False) | {"since": warning.since or at}
        return frame("warning", WarningNotice(job_id=self.job_id, **told).model_dump(mode="json"))


async def stream(
    watcher: OwnedWatcher, job_id: str, correlation: str, last: EventId | None
) -> AsyncGenerator[bytes, None]:
    """The whole stream: acknowledged first, told until the job has ended or this server does."""
    hello = {"jobId": job_id, "message": "Connected", "timestamp": stamp(), "correlationId": correlation}
    yield connected_frame(hello)
    encoder = EventEncoder(last, job_id)
    version, sent_at = 0, time.monotonic()
    while not watcher.is_closing():
        quiet = HEARTBEAT_SECONDS - (time.monotonic() - sent_at)
        state = await watcher.newer_than(version, max(0.0, quiet))
        if state is None and watcher.is_closing():
            return
        if state is None:
            yield heartbeat()
            sent_at = time.monotonic()
            continue
        version = state.version
        if state.missing:
            yield missing(job_id)
            return
        if already_told(state, last):
            return  # however long it took to see it
        if frames := encoder.frames_for(state):
            yield frames
            sent_at = time.monotonic()
        if state.final:
            return
