"""What goes into and comes out of each activity. Large things travel as references into the store."""

from datetime import datetime
from typing import Final

from pydantic import Field

from picturelock.models import ArtifactRef, ExportRequest, Made, Message, Model, RenderedSegment, Sound

WRITE_SCRIPT: Final = "write_script"
SPEAK_SCENE: Final = "speak_scene"
SPEAK_SAMPLE: Final = "speak_sample"
COMPOSE: Final = "compose_film"
RENDER_BATCH: Final = "render_batch"
MASTER_SOUND: Final = "master_sound"
CHOOSE_ENCODER: Final = "choose_encoder"
FINALIZE: Final = "finalize_film"
CLOSE_BOOKS: Final = "close_books"
DELIVER_WEBHOOK: Final = "deliver_webhook"
EVICT_CACHE: Final = "evict_cache"

GIVEN_UP: Final = "GIVEN_UP"
"""The type of the failure by which cancelled work tells how far it was."""

LOOKUPS: Final = 16
"""Segments that are looked up in the store at once."""


class ScriptTask(Model):
    """The request whose brief or script becomes the film's script."""

    request: ExportRequest


class Fresh(Made):
    """What is never looked for: it counts neither as found nor as made."""

    @property
    def hits(self) -> int:
        """None."""
        return 0

    @property
    def misses(self) -> int:
        """None."""
        return 0


class WrittenScript(Fresh):
    """A validated script in the store, with the request it came from."""

    request: ArtifactRef
    script: ArtifactRef
    scenes: int


class SpeechTask(Model):
    """One scene to narrate."""

    request: ArtifactRef
    script: ArtifactRef
    scene_index: int


class SpokenScene(Made):
    """A stored narration."""

    narration: ArtifactRef
    scene_index: int
    samples: int


class SpokenSample(Made):
    """A voice's stored sample."""

    audio: ArtifactRef


class CompositionTask(Model):
    """Everything the timeline is made of."""

    request: ArtifactRef
    script: ArtifactRef
    narrations: list[ArtifactRef]


class PlannedBatch(Model):
    """Segments of one activity: a transition with the piece after it, a piece alone, or what needs no rendering."""

    id: str
    frames: int
    segment_ids: list[str]
    found: ArtifactRef | None = Field(default=None, description="`Segments`, where nothing has to be rendered.")


class Segments(Model):
    """Encoded segments of a batch. It is stored: a list that grows with the film is no part of a job's history."""

    segments: list[RenderedSegment]


class Composition(Made):
    """The stored plan and what it asks to be rendered."""

    plan: ArtifactRef
    segments: list[PlannedBatch] = Field(description="In the order in which they are to be scheduled.")
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
    def segment_count(self) -> int:
        """How many segments the film has."""
        return sum(len(batch.segment_ids) for batch in self.segments)


class EncoderTask(Model):
    """The film that an encoder is looked for."""

    plan: ArtifactRef


class ChosenEncoder(Fresh):
    """A hardware encoder that has passed its trial, or None; what was said of those that have not."""

    encoder: str | None = None
    failures: list[str] = []


class BatchTask(Model):
    """One batch of a plan, and the encoder of the whole film (None: the codec's software encoder)."""

    plan: ArtifactRef
    segment_id: str = Field(description="The id of the batch.")
    segment_ids: list[str]
    frames: int
    found: ArtifactRef | None = None
    encoder: str | None = None


class RenderedBatch(Made):
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


class Held(Model):
    """What came of a hold: the activities that wait and that this server does not hold back."""

    unheld: list[str] = []


class DeliveryTask(Model):
    """One delivery of a webhook's message about an attempt of a job."""

    job_id: str
    attempt: int
    url: str
    message: Message
    number: int
