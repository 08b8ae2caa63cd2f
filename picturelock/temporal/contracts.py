"""One typed contract for each activity: what goes in, what comes out, its stage and its task queue.

A workflow calls an activity through its contract and an activity implements it, so that mypy checks both ends. Readers
learn the stage and the queue of a pending activity from its type. Large things travel as references into the store.

    >>> activity_named("master_sound").queue
    'exports'
"""

from dataclasses import dataclass
from datetime import datetime
from types import NoneType
from typing import Any, Final, Generic, TypeVar

from pydantic import Field

from picturelock.jobs.stages import BY_NAME, CONTROL_QUEUE, EXPORTS_QUEUE
from picturelock.models import (
    ArtifactRef,
    CachedResult,
    Delivery,
    DraftSound,
    Eviction,
    ExportRequest,
    ExportResult,
    Message,
    Model,
    PlainResult,
    PlannedBatch,
    PostExportInput,
    Sound,
    StageName,
    Voice,
)
from picturelock.models.forecast import Forecast

_DRAFT_FROM_SECONDS: Final = 30.0

Task = TypeVar("Task")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Activity(Generic[Task, Result]):
    """One type of activity. `stage` is None beside the stages: such an activity shows no progress of the job."""

    name: str
    task: type[Task]
    result: type[Result]
    stage: StageName | None
    queue: str


class NoTask(Model):
    """Nothing but the execution itself is asked about."""


class ScriptTask(Model):
    """The request whose brief or script becomes the film's script."""

    request: ExportRequest


class WrittenScript(PlainResult):
    """A validated script in the store, with the request it came from."""

    request: ArtifactRef
    script: ArtifactRef
    scenes: int


class SpeechTask(Model):
    """One scene to narrate."""

    request: ArtifactRef
    script: ArtifactRef
    scene_index: int


class SpokenScene(CachedResult):
    """A stored narration."""

    narration: ArtifactRef
    scene_index: int
    samples: int


class SpokenSample(CachedResult):
    """A voice's stored sample."""

    audio: ArtifactRef


class ForecastTask(Model):
    """A request to look at, and whose it is (None where there are no owners)."""

    request: ExportRequest
    owner: str | None = None


class Foreseen(PlainResult):
    """What an export would be."""

    forecast: Forecast


class StillTask(Model):
    """One scene of a request to draw; None: all of them, on one sheet."""

    request: ExportRequest
    scene_index: int | None
    owner: str | None = None


class DrawnStill(PlainResult):
    """A drawn scene, as JPEG in the store."""

    image: ArtifactRef


class CompositionTask(Model):
    """Everything the timeline is made of."""

    request: ArtifactRef
    script: ArtifactRef
    narrations: list[ArtifactRef]


class Composition(CachedResult):
    """The stored plan and what it asks to be rendered."""

    plan: ArtifactRef
    batches: list[PlannedBatch] = Field(description="In the order in which they are to be scheduled.")
    total_frames: int
    duration_seconds: float
    hardware: bool = Field(default=False, description="Whether a hardware encoder is wished for.")
    warnings: list[str] = Field(default=[], description="The newest of them; the plan holds them all.")
    warnings_total: int = 0
    pictures_found: int = 0
    pictures_made: int = 0

    @property
    def hits(self) -> int:
        """The pictures that were found. The plan itself is always made."""
        return self.pictures_found

    @property
    def misses(self) -> int:
        """The pictures that were made."""
        return self.pictures_made

    @property
    def wants_draft(self) -> bool:
        """Whether the sound takes so long that a preview would wait for it."""
        return bool(self.batches) and self.duration_seconds > _DRAFT_FROM_SECONDS

    @property
    def segment_count(self) -> int:
        """How many segments the film has."""
        return sum(len(batch.segment_ids) for batch in self.batches)


class EncoderTask(Model):
    """The film for which a hardware encoder is sought."""

    plan: ArtifactRef


class ChosenEncoder(PlainResult):
    """A hardware encoder that has passed its trial, or None; what was said of those that have not."""

    encoder: str | None = None
    failures: list[str] = []


class BatchTask(Model):
    """One batch of a plan, and the encoder of the whole film (None: the codec's software encoder)."""

    plan: ArtifactRef
    segment_ids: list[str]
    frames: int
    found: ArtifactRef | None = None
    encoder: str | None = None


class RenderedBatch(CachedResult):
    """The segments of a batch. It counts as found when all of them were."""

    segments: ArtifactRef = Field(description="`Segments`.")
    headers: list[str] = Field(description="SHA-256 of each set of codec headers that its segments have.")
    segments_found: int
    segments_made: int

    @property
    def hits(self) -> int:
        """The segments that were found."""
        return self.segments_found

    @property
    def misses(self) -> int:
        """The segments that were rendered."""
        return self.segments_made


class SoundTask(Model):
    """The sound of a plan."""

    plan: ArtifactRef


class FinalizeTask(Model):
    """All that is joined, verified and published."""

    attempt: int
    correlation_id: str
    created_at: datetime
    request: ArtifactRef
    script: ArtifactRef
    plan: ArtifactRef
    narrations: list[ArtifactRef]
    segments: list[ArtifactRef] = Field(description="`Segments` of each batch.")
    sound: Sound


class Fractions(Model):
    """How far running activities have told that they are, by activity id."""

    fractions: dict[str, float] = {}


class PauseOutcome(Model):
    """What came of a pause: the activities that wait and that this server cannot pause."""

    not_paused: list[str] = []


class DeliveryTask(Model):
    """One delivery of a webhook's message about an attempt of a job."""

    job_id: str
    attempt: int
    url: str
    message: Message
    number: int


def _of_stage(
    stage: StageName, name: str, task: type[Task], result: type[Result], queue: str | None = None
) -> Activity[Task, Result]:
    return Activity(name, task, result, stage, queue or BY_NAME[stage].queue)


def _control(name: str, task: type[Task], result: type[Result]) -> Activity[Task, Result]:
    return Activity(name, task, result, None, CONTROL_QUEUE)


WRITE_SCRIPT: Final = _of_stage("script", "write_script", ScriptTask, WrittenScript)
SPEAK_SCENE: Final = _of_stage("tts", "speak_scene", SpeechTask, SpokenScene)
SPEAK_SAMPLE: Final = _of_stage("tts", "speak_sample", Voice, SpokenSample)
FORESEE: Final = _of_stage("script", "foresee_film", ForecastTask, Foreseen)
DRAW_STILL: Final = _of_stage("composition", "draw_still", StillTask, DrawnStill)
COMPOSE: Final = _of_stage("composition", "compose_film", CompositionTask, Composition)
CHOOSE_ENCODER: Final = _of_stage("render", "choose_encoder", EncoderTask, ChosenEncoder)
RENDER_BATCH: Final = _of_stage("render", "render_batch", BatchTask, RenderedBatch)
MASTER_SOUND: Final = _of_stage("render", "master_sound", SoundTask, Sound, EXPORTS_QUEUE)
"""Sound is mastered beside the rendering, by the workers of the light queue."""

DRAFT_SOUND: Final = _of_stage("render", "draft_sound", SoundTask, DraftSound, EXPORTS_QUEUE)
FINALIZE: Final = _of_stage("finalize", "finalize_film", FinalizeTask, ExportResult)

PAUSE_ACTIVITIES: Final = _control("pause_activities", NoTask, PauseOutcome)
UNPAUSE_ACTIVITIES: Final = _control("unpause_activities", NoTask, NoneType)
READ_FRACTIONS: Final = Activity("read_fractions", NoTask, Fractions, None, EXPORTS_QUEUE)
"""Runs beside its workflow, as a local activity."""

ARCHIVE_JOB: Final = _control("archive_job", PostExportInput, Message)
DELIVER_WEBHOOK: Final = _control("deliver_webhook", DeliveryTask, Delivery)
EVICT_CACHE: Final = _control("evict_cache", NoTask, Eviction)

ACTIVITIES: Final[tuple[Activity[Any, Any], ...]] = (
    WRITE_SCRIPT,
    SPEAK_SCENE,
    SPEAK_SAMPLE,
    FORESEE,
    DRAW_STILL,
    COMPOSE,
    CHOOSE_ENCODER,
    RENDER_BATCH,
    MASTER_SOUND,
    DRAFT_SOUND,
    FINALIZE,
    PAUSE_ACTIVITIES,
    UNPAUSE_ACTIVITIES,
    READ_FRACTIONS,
    ARCHIVE_JOB,
    DELIVER_WEBHOOK,
    EVICT_CACHE,
)
_BY_NAME: Final = {activity.name: activity for activity in ACTIVITIES}


def activity_named(name: str) -> Activity[Any, Any] | None:
    """The contract of an activity's type; None for one that this version does not know."""
    return _BY_NAME.get(name)
