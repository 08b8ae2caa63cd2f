"""The event stream on the wire: ids, frames, and a status as the data of one."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from picturelock.jobs.status import event_data, event_name
from picturelock.models import TERMINAL, JobStatus

RETRY_MILLISECONDS: Final = 1_000


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


def frame(event: str, data: object, event_id: str | None = None) -> bytes:
    """One server-sent event with JSON data, on one line."""
    head = f"id: {event_id}\n" if event_id else ""
    return f"{head}event: {event}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()


def connected_frame(hello: dict[str, str]) -> bytes:
    """The first event of a stream, with how soon a browser connects again when the stream is lost."""
    return f"retry: {RETRY_MILLISECONDS}\n".encode() + frame("connected", hello)


def state_frame(job: JobStatus, event_id: EventId, at: datetime) -> bytes:
    """The event with a status: the one shape and `percent`; a comment says when it was read."""
    return f": {stamp(at)}\n".encode() + frame(event_name(job), event_data(job), str(event_id))


def stamp(at: datetime | None = None) -> str:
    """A moment (now) as RFC 3339 in UTC."""
    return (at or datetime.now(UTC)).isoformat().replace("+00:00", "Z")
