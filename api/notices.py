"""What a stream tells beside the job's states, by the names of its events."""

from datetime import datetime
from typing import Final, Literal

from pydantic import Field

from api.frames import frame, stamp
from picturelock.models import JobStatus, JobWarning, Model, StageName
from picturelock.models.job import StepState


class Connected(Model):
    """The first event: the stream is there."""

    job_id: str | None = Field(default=None, description="The job; a stream of several names it with each event.")
    message: str = Field(description="For people.")
    timestamp: str = Field(description="When it was said.")
    correlation_id: str = Field(description="Of this request; it is in the logs.")


class Heartbeat(Model):
    """Nothing has changed for a while, and the stream is still there."""

    timestamp: str = Field(description="When it was said.")
    status: Literal["alive"] = Field(default="alive", description="Always so.")


class JobMissing(Model):
    """There is no such job, or it may not be seen."""

    job_id: str = Field(description="As it was asked for.")
    timestamp: str = Field(description="When it was said.")


class StepNotice(Model):
    """A step has started, completed or failed, or a part of its work is tried again."""

    job_id: str = Field(description="The job.")
    step: StageName = Field(description="Which step it is about.")
    status: StepState = Field(description="What has become of the step.")
    attempt: int = Field(description="The attempt of the step, or of the part of its work.")
    message: str = Field(description="What happened, in a sentence.")
    timestamp: datetime = Field(description="When it happened.")


class WarningNotice(JobWarning):
    """A warning that has come up."""

    job_id: str = Field(description="The job.")


EVENTS: Final[dict[str, type[Model]]] = {
    "connected": Connected,
    "job-progress": JobStatus,
    "step-status": StepNotice,
    "warning": WarningNotice,
    "heartbeat": Heartbeat,
    "job-not-found": JobMissing,
    "job-completed": JobStatus,
    "job-failed": JobStatus,
    "job-cancelled": JobStatus,
}
"""What the data of each event is."""


def heartbeat() -> bytes:
    """The event that says that the stream is there."""
    return frame("heartbeat", Heartbeat(timestamp=stamp()).model_dump(mode="json"))


def missing(job_id: str) -> bytes:
    """The event that says that a job is not there."""
    return frame("job-not-found", JobMissing(job_id=job_id, timestamp=stamp()).model_dump(mode="json"))
