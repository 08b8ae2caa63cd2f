"""The state of a job: what the workflow records, what activities report, what is observed of both."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from picturelock.models.base import LOCAL, Model
from picturelock.models.film import ExportResult
from picturelock.models.request import ExportRequest

StageName = Literal["script", "tts", "composition", "render", "finalize"]
Stage = Literal["queued", "complete"] | StageName
StepState = Literal["pending", "running", "paused", "completed", "failed", "cancelled"]
Status = Literal["queued", "running", "paused", "completed", "failed", "cancelled"]
RunStatus = Literal["open", "completed", "failed", "cancelled", "terminated", "timed-out"]
JobId = Annotated[str, StringConstraints(pattern=r"^[0-9a-zA-Z][0-9a-zA-Z_-]{7,63}$")]
TERMINAL: frozenset[Status] = frozenset({"completed", "failed", "cancelled"})


class JobError(Model):
    """Why a job failed, for people who want to do something about it."""

    code: str = Field(description="One of the codes below, the same for the same cause.")
    stage: StageName | None = Field(default=None, description="The step in which it happened.")
    message: str = Field(description="What went wrong, in a sentence.")
    remediation: str = Field(description="What to do about it.")
    retryable: bool = Field(description="Whether the same job may succeed when it is tried again.")
    attempt: int = Field(default=1, description="The attempt of the activity that failed last.")
    detail: str | None = Field(default=None, description="The end of ffmpeg's stderr, server paths removed.")
    field: str | None = Field(default=None, description="The field of the request that has to change, as a JSON path.")


class Heartbeat(Model):
    """What a running activity says of itself, up to four times a second. `fraction` counts from 0 to 1."""

    fraction: float = Field(default=0.0, ge=0, le=1)
    message: str = ""
    frames_done: int | None = None
    frames_total: int | None = None
    speed: float | None = Field(default=None, description="Frames encoded per second of real time.")
    last_advance_at: datetime = Field(description="By the worker's clock.")
    quiet_seconds: float = Field(default=0.0, description="How long before this heartbeat the last advance was.")
    stall_after_seconds: float
    begun: int = Field(default=0, description="Attempts that a worker has begun, this one included.")
    failed: int = Field(default=0, description="Attempts of which it is known why they ended.")
    failures: list[str] = Field(default=[], description="Why the newest of them did.")
    waited: int = Field(default=0, description="Attempts that ended because the store or a provider was away.")


class StepRecord(Model):
    """One stage in the workflow's own record. `units` are what its activities count: scenes, frames, steps."""

    name: StageName
    state: StepState = "pending"
    attempt: int = 1
    started_at: datetime | None = None
    completed_at: datetime | None = None
    planned: int = Field(default=0, description="Activities this step will take, as far as is known.")
    units_total: int = 0
    units_done: int = Field(default=0, description="Units of finished activities.")
    units_shown: int = Field(default=0, description="Units that had been done and are done again: shown as done.")
    scheduled: int = Field(default=0, description="Activities scheduled so far.")
    finished: int = Field(default=0, description="Activities finished so far.")
    cache_hits: int = 0
    cache_misses: int = 0
    paused_before: float = Field(default=0.0, description="Seconds of pauses before this step began.")


class TimelineEvent(Model):
    """One numbered entry of a job's history of steps."""

    sequence: int = Field(description="Counts from 1 in each attempt of the job.")
    step: StageName = Field(description="Which step it is about.")
    status: StepState = Field(description="What has become of the step.")
    attempt: int = Field(description="The step's attempt.")
    message: str = Field(description="What happened, in a sentence.")
    timestamp: datetime = Field(description="When it happened.")


class JobWarning(Model):
    """Something a person may want to know while the job goes on."""

    code: str = Field(description="One of the warnings below.")
    message: str = Field(description="What there is to know, in a sentence.")
    step: StageName | None = Field(default=None, description="The step that it is about.")
    since: datetime | None = Field(default=None, description="Since when it has been so.")


NOTES_KEPT = 20
"""So many warnings and entries of the timeline, the newest, are in a job's record. The others are counted."""


NOTE_LETTERS = 500
"""Characters of a warning or a message; what is longer is cut."""


class Snapshot(Model):
    """The workflow's record of a job, answered by the `status` query and kept in the memo. Its size is bounded."""

    stage: Stage = "queued"
    message: str = "Waiting for a worker"
    steps: list[StepRecord]
    timeline: list[TimelineEvent] = Field(default=[], description="The newest entries.")
    timeline_total: int = Field(default=0, description="How many entries there have been.")
    open_units: dict[StageName, dict[str, int]] = Field(
        default={}, description="Step -> its scheduled, unfinished activities' ids -> the units of each."
    )
    warnings: list[JobWarning] = Field(default=[], description="The newest ones.")
    warnings_total: int = Field(default=0, description="How many there have been.")
    pause_requested: bool = False
    paused: bool = Field(default=False, description="The pause has taken effect: nothing runs.")
    paused_seconds: float = Field(default=0.0, description="How long earlier pauses took.")
    last_fractions: dict[str, float] = Field(
        default={}, description="Activity id -> how far it had reported to be when it was cancelled or failed."
    )
    attempt: int = 1


class EarlierAttempt(Model):
    """How an earlier attempt of a retried job ended."""

    attempt: int = Field(description="Its number, from 1.")
    status: Status = Field(description="How it ended.")
    error: JobError | None = Field(default=None, description="Why it failed.")
    completed_at: datetime | None = Field(default=None, description="When it ended.")


class JobMemo(Model):
    """What a job's execution is started with, readable without any worker."""

    correlation_id: str
    owner: str = Field(default=LOCAL, description="Whose job it is.")
    pixels: int = Field(default=0, description="About how many pixels the film has, over all of its frames.")
    created_at: datetime
    attempt: int = 1
    metadata: dict[str, str] = {}
    title: str = Field(default="", description="Of the film; the topic of a brief.")
    digest: str = Field(description="SHA-256 of the request's canonical JSON; shows whether a key is used again.")
    earlier: list[EarlierAttempt] = Field(default=[], description="The newest of them.")
    webhook: bool = Field(default=False, description="Whether somebody wants to be told of the end.")


class ExportInput(Model):
    """What an execution is started with. A retry is a new run under the same id, one attempt higher."""

    request: ExportRequest
    owner: str | None = Field(default=None, description="Whose work it is; None where there are no owners.")
    priority: int = Field(default=3, description="Temporal's, 1 first, 5 last.")
    correlation_id: str
    created_at: datetime
    attempt: int = 1


class PendingActivity(Model):
    """An activity that Temporal has not seen the end of."""

    id: str
    stage: StageName | None = Field(description="None for an activity that this version does not know.")
    queue: str = Field(description="The task queue whose workers run it.")
    attempt: int = 1
    started: bool = False
    paused: bool = Field(default=False, description="Scheduled, and paused in Temporal.")
    heartbeat: Heartbeat | None = None
    started_at: datetime | None = None
    heartbeat_at: datetime | None = None
    scheduled_at: datetime | None = None
    last_failure: JobError | None = None


class Observation(Model):
    """Everything Temporal said of one execution at one moment; `status.assemble` turns it into a `JobStatus`."""

    job_id: str
    owner: str = LOCAL
    run_id: str = ""
    now: datetime = Field(description="When Temporal described the execution, by the reader's clock.")
    run_status: RunStatus
    created_at: datetime
    started_at: datetime
    closed_at: datetime | None = None
    correlation_id: str
    metadata: dict[str, str] = {}
    title: str = ""
    attempt: int = 1
    earlier: list[EarlierAttempt] = []
    snapshot: Snapshot | None = None
    snapshot_is_memo: bool = Field(default=True, description="As old as describe; a query's answer is newer.")
    pending: list[PendingActivity] = []
    history_length: int = 0
    cancel_requested: bool = False
    pause_signal: bool | None = Field(
        default=None, description="What was last asked for and no orchestrator has taken note of: a pause, or its end."
    )
    workflow_task_attempt: int = 1
    live_queues: list[str] | None = Field(
        default=[], description="Task queues that a live worker serves; None where the server cannot tell."
    )
    queues_heard_at: dict[str, datetime] = Field(
        default={}, description="When a worker of each task queue was last heard of, by the reader's clock."
    )
    watched_since: datetime | None = Field(
        default=None, description="Since when the reader has looked for workers, by its own clock."
    )
    ahead: int | None = Field(default=None, description="Open exports that were started before this one.")
    result: ExportResult | None = None
    error: JobError | None = None
    end_reason: str | None = Field(default=None, description="Why somebody, or a limit, terminated the execution.")
    temporal_ui: str | None = None
    archived: bool = False
