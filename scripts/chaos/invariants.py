"""What must hold of everything that was seen of a job, whatever was done to the stack meanwhile. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from picturelock.models import TERMINAL, JobStatus

_ENDS = frozenset({"job-completed", "job-failed", "job-cancelled"})


@dataclass(frozen=True, slots=True)
class Told:
    """One event of a stream."""

    event: str
    id: str
    job: JobStatus | None = None


@dataclass(slots=True)
class Seen:
    """Everything that was seen of one job."""

    name: str
    polls: list[JobStatus] = field(default_factory=list)
    """What one client got that asked again and again."""

    viewers: list[list[Told]] = field(default_factory=list)
    """What each viewer was told, over all its connections."""

    answers: list[int] = field(default_factory=list)
    """What GET answered other than the job and "not now"."""

    first_events: list[str] = field(default_factory=list)
    """The first event of each connection."""

    asked: list[str] = field(default_factory=list)
    """What was asked of the job and not refused."""


def violations(seen: Seen) -> list[str]:
    """What does not hold, in words."""
    found = [f"GET answered {code}" for code in seen.answers]
    found += [*_of_states(seen), *_of_polls(seen.polls), *_of_connections(seen.first_events)]
    for number, told in enumerate(seen.viewers):
        found += [f"viewer {number}: {one}" for one in _of_viewer(told)]
    return [f"{seen.name}: {one}" for one in dict.fromkeys(found)]


def _of_states(seen: Seen) -> list[str]:
    found = []
    for job in [*seen.polls, *(told.job for viewer in seen.viewers for told in viewer if told.job)]:
        done = job.status == "completed"
        if not done == (job.progress == 100) == (job.output_path is not None):
            found.append(f"completed, 100 and a film are not one: {job.status} {job.progress} {job.output_path}")
        if not 0 <= job.progress <= 100:
            found.append(f"progress {job.progress}")
        if job.status == "failed":
            found.append(f"failed: {job.error_message}")
        if job.status == "cancelled" and "cancel" not in seen.asked:
            found.append("cancelled, and nobody had asked for it")
        if (job.status in TERMINAL) != (job.completed_at is not None):
            found.append(f"{job.status} and completedAt {job.completed_at}")
        if [one.attempt for one in job.earlier_attempts] != list(range(1, job.attempt)):
            found.append(f"attempt {job.attempt} after {[one.attempt for one in job.earlier_attempts]}")
    return found


def _of_polls(polls: Sequence[JobStatus]) -> list[str]:
    """One client that waits for each answer before it asks again is never taken back."""
    found = []
    for earlier, later in pairwise(polls):
        if later.attempt < earlier.attempt:
            found.append(f"attempt {earlier.attempt} was followed by {later.attempt}")
        elif later.attempt == earlier.attempt:
            if later.progress < earlier.progress:
                found.append(f"GET went back from {earlier.progress} to {later.progress} ({later.status})")
            if earlier.status in TERMINAL and later.status != earlier.status:
                found.append(f"{earlier.status} was followed by {later.status} in one attempt")
    return found


def _of_connections(first_events: Sequence[str]) -> list[str]:
    return [f"a stream began with {event}" for event in first_events if event != "connected"]


def _of_viewer(told: Sequence[Told]) -> list[str]:
    found = []
    states = [(one.event, one.job) for one in told if one.job is not None]
    for (event, earlier), (_, later) in pairwise(states):
        if (later.attempt, later.progress) < (earlier.attempt, earlier.progress):
            found.append(f"the stream went back from {earlier.progress} to {later.progress} ({later.status})")
        if event in _ENDS and later.attempt == earlier.attempt:
            found.append(f"{event} was not the last of its attempt")
    ends = [(job.attempt, event) for event, job in states if event in _ENDS]
    if len({attempt for attempt, _ in ends}) != len(ends):
        found.append(f"an end was told twice: {ends}")
    return found


def disagreements(name: str, surfaces: dict[str, JobStatus]) -> list[str]:
    """What surfaces say differently of a job at rest; what changes by itself (the ETA) does not count."""
    told = {surface: job.model_copy(update={"eta_seconds": None}) for surface, job in surfaces.items()}
    reference = next(iter(told))
    return [
        f"{name}: {surface} differs from {reference} in {_differing(told[reference], job)}"
        for surface, job in told.items()
        if job != told[reference]
    ]


def _differing(one: JobStatus, other: JobStatus) -> list[str]:
    left, right = one.model_dump(), other.model_dump()
    return [key for key in left if left[key] != right[key]]
