"""Batches: many films of one script, a row of values for each."""

from datetime import datetime
from typing import Any

from pydantic import Field

from picturelock.models.base import LOCAL, Input, Model
from picturelock.models.job import JobError, Status

MOST_ROWS = 200


class BatchRequest(Input):
    """A request with `{{fields}}` in its texts, and the values of each film."""

    template: dict[str, Any] = Field(description="The body of `POST /api/jobs`, with `{{fields}}` in its texts.")
    rows: list[dict[str, str | int | float]] = Field(
        min_length=1, max_length=MOST_ROWS, description="For each film, a value of every field."
    )


class BatchRecord(Model):
    """Which jobs are a batch's. It is written once, before they begin; how they stand is Temporal's to tell."""

    batch_id: str
    owner: str = LOCAL
    digest: str = Field(description="SHA-256 of what was asked for.")
    job_ids: list[str]
    created_at: datetime


class BatchJob(Model):
    """One film of a batch."""

    row: int = Field(description="Which row, from 1.")
    job_id: str = Field(description="Its job.")
    status: Status | None = Field(description="How it stands; null where it cannot be read any more.")
    progress: float = Field(default=0.0, description="Percent, from 0 to 100.")
    title: str = Field(default="", description="Of the film.")
    output_path: str | None = Field(default=None, description="Where the film is downloaded, once it is there.")
    error: JobError | None = Field(default=None, description="Why it failed.")


class BatchStatus(Model):
    """A batch: all of its films, and how they stand together."""

    batch_id: str = Field(description="The batch's id.")
    total: int = Field(description="How many films it has.")
    counts: dict[Status, int] = Field(description="How many of them have each status.")
    progress: float = Field(description="Percent of all of them, from 0 to 100.")
    done: bool = Field(description="Whether none of them is open any more.")
    created_at: datetime = Field(description="When it was asked for.")
    jobs: list[BatchJob] = Field(description="In the order of the rows.")
