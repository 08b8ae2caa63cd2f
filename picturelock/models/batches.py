"""Segments that are rendered in one go, before and after."""

from pydantic import Field

from picturelock.models.artifacts import ArtifactRef
from picturelock.models.base import Model
from picturelock.models.film import RenderedSegment


class PlannedBatch(Model):
    """Segments of one activity: a transition with the piece after it, a piece alone, or what needs no rendering."""

    id: str
    frames: int
    segment_ids: list[str]
    urgency: int = Field(default=0, description="Batches of a higher one are begun before others.")
    found: ArtifactRef | None = Field(default=None, description="`Segments`, where nothing has to be rendered.")


class Segments(Model):
    """Encoded segments of a batch. It is stored: a list that grows with the film is no part of a job's history."""

    segments: list[RenderedSegment]
