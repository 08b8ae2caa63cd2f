"""The film strip: every segment of a film, and how far each is."""

from typing import Literal

from pydantic import Field

from picturelock.models.artifacts import ArtifactRef
from picturelock.models.base import Model
from picturelock.models.job import Status

SegmentState = Literal["waiting", "drawing", "made", "found", "failed"]


class FilmBatch(Model):
    """Segments that are rendered by one activity, in their order, and where the finished ones are told of."""

    activity_id: str
    segment_ids: list[str]
    frames: int
    made: ArtifactRef | None = Field(default=None, description="`Segments`, once the activity has ended well.")
    failed: bool = False


class FilmRecord(Model):
    """What the workflow knows of the film in the making, answered by the `film` query."""

    plan: ArtifactRef | None = Field(default=None, description="`RenderPlan`, once the film is composed.")
    batches: list[FilmBatch] = []
    sound: ArtifactRef | None = Field(default=None, description="The mastered sound, once it is there.")
    draft: ArtifactRef | None = Field(default=None, description="What the beginning sounds like until then.")
    draft_seconds: float = 0.0


class StripSegment(Model):
    """One tile of the strip: a run of frames that is rendered on its own."""

    id: str = Field(description="Its name within the film.")
    kind: Literal["body", "transition"] = Field(description="A piece of one part, or the way from one to the next.")
    start_frame: int = Field(description="Its first frame in the film.")
    frames: int = Field(description="How many frames it has.")
    title: str = Field(description="Of the part of the film in which it begins; empty where that has none.")
    state: SegmentState = Field(description="`found` was there before this export; `made` was rendered for it.")
    progress: float = Field(description="Percent of its frames that are drawn and encoded.")
    thumbnail: str | None = Field(
        default=None, description="URL path of a JPEG of its first frame, once there is one; without captions."
    )


class FilmStrip(Model):
    """Every segment of a film, in order. Empty until the film is composed, and for sound alone."""

    job_id: str = Field(description="The job whose film it is.")
    status: Status = Field(description="The job's, at the same moment.")
    fps: int | None = Field(default=None, description="Frames per second; null until the film is composed.")
    total_frames: int | None = Field(default=None, description="Frames of the film; null until it is composed.")
    preview_seconds: float = Field(default=0.0, description="How much of the beginning the preview plays by now.")
    segments: list[StripSegment] = Field(default=[], description="In the order of the film.")
