"""What the world sees of a job: the one shape that every surface shows."""

from datetime import datetime

from pydantic import Field, computed_field

from picturelock.models.base import Model
from picturelock.models.job import EarlierAttempt, JobError, JobWarning, Stage, StageName, Status, StepState


class Output(Model):
    """The finished film, as clients see it; a podcast has no picture."""

    path: str = Field(description="Where it is downloaded, as URL path.")
    size_bytes: int = Field(description="Bytes of the file.")
    duration_seconds: float = Field(description="Its measured length.")
    width: int | None = Field(default=None, description="Pixels across.")
    height: int | None = Field(default=None, description="Pixels down.")
    fps: float | None = Field(default=None, description="Frames per second.")
    video_codec: str | None = Field(default=None, description="`h264`, `hevc`, `vp9` or `av1`.")
    audio_codec: str = Field(description="`aac` or `opus`.")
    sha256: str = Field(description="Of the file, in hexadecimal; also the download's `ETag`.")
    loudness_lufs: float = Field(description="Measured integrated loudness (EBU R 128).")
    true_peak_dbtp: float = Field(description="Measured true peak.")


class ArtifactLink(Model):
    """A file that can be downloaded beside the film."""

    name: str = Field(description="Its file name.")
    path: str = Field(description="Where it is downloaded, as URL path.")
    media_type: str = Field(description="Its media type.")
    size_bytes: int = Field(description="Bytes of the file.")


class StepDetail(Model):
    """How far a step is in its own units."""

    frames_done: int | None = Field(default=None, description="Frames that are drawn and encoded; `render` only.")
    frames_total: int | None = Field(default=None, description="Frames of the film; `render` only.")
    items_done: int | None = Field(default=None, description="Activities that have ended.")
    items_total: int | None = Field(default=None, description="Activities that the step takes.")


class CacheUse(Model):
    """How many of a step's things (narrations, pictures, segments, sound, film) were found, and how many made."""

    hits: int = Field(default=0, description="Things that were there already.")
    misses: int = Field(default=0, description="Things that had to be made.")


class StepStatus(Model):
    """One of a job's steps, as clients see it."""

    name: StageName = Field(description="Which step it is.")
    status: StepState = Field(description="How it stands.")
    progress: float = Field(description="Percent, from 0 to 100.")
    attempt: int = Field(default=1, description="The highest attempt of any of its activities.")
    started_at: datetime | None = Field(default=None, description="When it began.")
    completed_at: datetime | None = Field(default=None, description="When it ended.")
    detail: StepDetail | None = Field(default=None, description="How far it is in its own units.")
    cache: CacheUse | None = Field(default=None, description="What was found and what was made, so far.")


class Links(Model):
    """Where a client goes from here, as URL paths."""

    self: str = Field(description="The job.")
    events: str = Field(description="Its event stream.")
    cancel: str = Field(description="POST: end it.")
    retry: str = Field(description="POST: begin another attempt.")
    pause: str = Field(description="POST: let nothing new begin.")
    resume: str = Field(description="POST: let the work go on.")
    output: str = Field(description="The film.")
    history: str = Field(description="How it came to where it is.")
    segments: str = Field(description="Its film strip: every segment, and how far it is.")
    preview: str = Field(description="Its finished beginning, for a player of HLS.")
    temporal_ui: str | None = Field(default=None, description="Its run in the Temporal UI, where one is configured.")


class JobStatus(Model):
    """The one shape every surface shows. `completed` <=> progress 100 <=> `outputPath` set."""

    id: str = Field(description="The job's id.")
    title: str = Field(default="", description="The film's title, or the topic of its brief.")
    status: Status = Field(description="How the job stands; the last three are final.")
    progress: float = Field(description="Percent of the whole export, from 0 to 100; never falls within an attempt.")
    stage: Stage = Field(description="The step that is being worked on.")
    message: str = Field(description="What is being done, or why not, in a sentence.")
    steps: list[StepStatus] = Field(description="The steps, in order.")
    created_at: datetime = Field(description="When it was asked for.")
    started_at: datetime | None = Field(default=None, description="When the first step of this attempt began.")
    completed_at: datetime | None = Field(default=None, description="When this attempt ended.")
    eta_seconds: float | None = Field(default=None, description="Seconds that are left, by the present rate.")
    output_path: str | None = Field(default=None, description="Where the film is downloaded; set with `completed`.")
    output: Output | None = Field(default=None, description="The film; set with `completed`.")
    artifacts: list[ArtifactLink] = Field(default=[], description="The files beside the film; set with `completed`.")
    error: JobError | None = Field(default=None, description="Why it failed; set with `failed`.")
    error_message: str | None = Field(
        default=None, description='`error.message` behind "Export failed: ", for simple clients.'
    )
    warnings: list[JobWarning] = Field(
        default=[], description="What to know of it now; the newest, where there are many."
    )
    warnings_total: int = Field(default=0, description="How many there are.")
    attempt: int = Field(default=1, description="The job's attempt; a retry is one higher.")
    earlier_attempts: list[EarlierAttempt] = Field(
        default=[], description="How the attempts before this one ended; the newest 20 of them."
    )
    cancel_requested: bool = Field(default=False, description="Somebody has asked for its end.")
    pause_requested: bool = Field(default=False, description="A pause is asked for and not yet in effect.")
    resume_requested: bool = Field(default=False, description="A pause is to end, and no orchestrator has seen to it.")
    worker_available: bool | None = Field(
        default=True, description="A live worker serves what the job needs now; null where Temporal cannot tell."
    )
    archived: bool = Field(default=False, description="Temporal has forgotten the execution; the store has not.")
    correlation_id: str = Field(description="`X-Correlation-ID` of the request that started it.")
    metadata: dict[str, str] = Field(default={}, description="The request's own, unchanged.")
    links: Links = Field(description="Where to go from here.")

    @computed_field(description="The same as `id`, as answers to POST and events call it.")  # type: ignore[prop-decorator]
    @property
    def job_id(self) -> str:
        """The job's id, by its other name."""
        return self.id

    @computed_field(description="The same as `progress`, as events call it.")  # type: ignore[prop-decorator]
    @property
    def percent(self) -> float:
        """The progress, by its other name."""
        return self.progress
