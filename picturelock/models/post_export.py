"""What follows an export's end: the record that outlives Temporal, and the deliveries of its webhook."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from picturelock.models.artifacts import ArtifactRef
from picturelock.models.base import Model
from picturelock.models.job import Observation
from picturelock.models.request import ExportRequest

DeliveryOutcome = Literal["delivered", "failed", "gone", "refused", "superseded"]
DeliveryState = Literal["delivering", "delivered", "failed"]


class PostExportInput(Model):
    """One closed (or closing) run of an export, and where its end is to be told."""

    job_id: str
    run_id: str
    attempt: int
    webhook_url: str | None = None


class ArchivedJob(Model):
    """The last observation of a run, with the request: what answers when Temporal has forgotten it."""

    observation: Observation
    request: ExportRequest
    digest: str


class Message(Model):
    """The stored body of a webhook; the same bytes at every delivery."""

    body: ArtifactRef
    owner: str | None = Field(default=None, description="Whose secret signs it; None where there are no owners.")


class Delivery(Model):
    """One attempt to deliver a webhook.

    `gone` (the receiver answered 410), `refused` (its address is not allowed) and `superseded` (another attempt of the
    job has begun meanwhile) end the deliveries, like `delivered`.
    """

    number: int = Field(description="Counts from 1.")
    at: datetime = Field(description="When it began.")
    seconds: float = Field(description="How long it took.")
    outcome: DeliveryOutcome = Field(description="What came of it.")
    status_code: int | None = Field(default=None, description="What the receiver answered, if it did.")
    message: str = Field(default="", description="Why it failed, in words.")


class DeliveryLog(Model):
    """Every delivery of one webhook so far, and when the next one is due."""

    url: str = Field(description="The receiver's address.")
    attempt: int = Field(description="The attempt of the job whose end is told.")
    state: DeliveryState = Field(description="Whether there is more to come.")
    deliveries: list[Delivery] = Field(default=[], description="The newest last.")
    next_at: datetime | None = Field(default=None, description="When the next one is due.")
