"""The manifest of a film: what it was made from and with, enough to trust it and to make it again."""

import json
from datetime import datetime

from picturelock.models import (
    Attribution,
    Check,
    ExportRequest,
    FilmFacts,
    Model,
    NamedArtifact,
    Narration,
    RenderedSegment,
    Sound,
)


class Manifest(Model):
    """How a film came to be: enough to trust it, and to make it again."""

    job_id: str
    attempt: int
    correlation_id: str
    created_at: datetime
    completed_at: datetime
    picturelock: str
    tools: dict[str, str]
    request: ExportRequest
    film: NamedArtifact
    facts: FilmFacts
    checks: list[Check]
    attributions: list[Attribution]
    warnings: list[str]
    artifacts: list[NamedArtifact]
    narrations: list[Narration]
    segments: list[RenderedSegment]
    sound: Sound
    metadata: dict[str, str]


def pretty(model: Model) -> bytes:
    """A record as JSON for people: indented, in its own letters."""
    return (json.dumps(model.model_dump(mode="json"), ensure_ascii=False, indent=2) + "\n").encode()
