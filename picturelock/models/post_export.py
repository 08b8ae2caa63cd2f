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

    number: int
    at: datetime
    seconds: float
    outcome: DeliveryOutcome
    status_code: int | None = None
    message: str = ""


class DeliveryLog(Model):
    """Every delivery of one webhook so far, and when the next one is due."""

    url: str
    attempt: int = Field(description="The attempt of the job whose end is told.")
    state: DeliveryState
    deliveries: list[Delivery] = []
    next_at: datetime | None = None
