"""`POST /api/jobs`: a request becomes a job."""

import asyncio
import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field
from temporalio.exceptions import WorkflowAlreadyStartedError

from api.body import described, read_body
from api.context import Context, Shared
from api.correlation import correlation_id
from api.problems import PROBLEM, Problem
from api.start import start_run, title_of
from picturelock.errors import NotOffered, WebhookRefused
from picturelock.jobs.deletion import JobDeletion
from picturelock.jobs.stages import job_priority
from picturelock.jobs.status import links
from picturelock.jobs.webhooks import check_receiver
from picturelock.models import ExportInput, ExportRequest, JobMemo, JobStatus, Links, Model, Stage, Status
from picturelock.presets import resolve
from picturelock.script.estimate import film_seconds
from picturelock.script.intake import FieldError, RequestRefused, read_request
from picturelock.store.references import References, job_holder
from picturelock.temporal.errors import JobDeleted

router = APIRouter(prefix="/api/jobs", tags=["jobs"])


class JobAccepted(Model):
    """The answer to a job that was taken."""

    job_id: str = Field(description="The job's id from now on.")
    status: Status = Field(description="How it stands, right after.")
    stage: Stage = Field(description="Where it is, right after.")
    correlation_id: str = Field(description="Of this request; it is in every line of the logs about the job.")
    links: Links = Field(description="Where to go from here.")


@router.post(
    "",
    status_code=202,
    response_model=JobAccepted,
    responses={
        200: {"model": JobAccepted, "description": "The key was used before, with the same request: the same job."},
        409: PROBLEM,
        413: PROBLEM,
        415: PROBLEM,
        422: PROBLEM,
        503: PROBLEM,
    },
    openapi_extra=described(ExportRequest),
)
async def create_job(
    request: Request,
    shared: Shared,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None,
) -> Response:
    """Starts an export and answers as soon as Temporal has taken it."""
    body = await read_body(request, shared.settings.max_request_bytes)
    export = await asyncio.to_thread(read_request, body)
    digest = _digest(export)
    job_id = _job_id(idempotency_key, shared)
    if idempotency_key and (kept := await shared.jobs.archived(job_id)):
        return await _same_job(job_id, kept.digest, digest, shared)
    if idempotency_key and await JobDeletion(shared.store).find(job_id) is not None:
        raise JobDeleted(job_id)
    job = await admit(job_id, export, shared)
    if not await accept(job, shared):
        _, first = await shared.jobs.started_with(job_id)
        return await _same_job(job_id, first.digest, digest, shared)
    return _accepted(job_id, "queued", "queued", job.started.correlation_id, 202)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A job that may begin: it was checked, and its owner's quotas allow it."""

    job_id: str
    started: ExportInput
    memo: JobMemo


async def admit(job_id: str, export: ExportRequest, shared: Context) -> Accepted:
    """A job that was asked for, counted. Nothing of it is started.

    Raises:
        RequestRefused: it names what is not there.
        Problem: 429, its owner has too much open.
    """
    await _check(export, shared)
    now, correlation, pixels = datetime.now(UTC), correlation_id(), _pixels(export)
    opened = await shared.services.quotas.admit_job(shared, job_id, pixels)
    started = ExportInput(
        request=export,
        owner=shared.caller.restricted_to,
        priority=job_priority(opened),
        correlation_id=correlation,
        created_at=now,
    )
    memo = JobMemo(
        correlation_id=correlation,
        owner=shared.caller.owner,
        pixels=pixels,
        created_at=now,
        metadata=export.metadata,
        title=title_of(export),
        digest=_digest(export),
        webhook=export.webhook is not None,
    )
    return Accepted(job_id, started, memo)


async def accept(job: Accepted, shared: Context) -> bool:
    """Starts a job. False where it has ever been started. Raises StateUnavailable, StoreUnavailable."""
    await _hold_assets(job.job_id, job.started.request, shared)
    try:
        await start_run(job.job_id, job.started, job.memo, shared)
    except WorkflowAlreadyStartedError:
        return False
    return True


async def _check(export: ExportRequest, shared: Context) -> None:
    _require_webhook(export, shared)
    await require_assets(export, shared)


def _pixels(export: ExportRequest) -> int:
    """About how many pixels the film has, over all of its frames."""
    video = resolve(export.video)
    return round(film_seconds(export) * video.fps * video.width * video.height) if video.has_picture else 0


async def _hold_assets(job_id: str, export: ExportRequest, shared: Context) -> None:
    """Has the job need the files that it names, before it begins."""
    hashes = [asset_id.removeprefix("sha256-") for asset_id in export.asset_ids().values()]
    await References(shared.store).add(job_holder(job_id), hashes)


def _digest(export: ExportRequest) -> str:
    """The same for whatever asks for the same film, in whichever order it says so."""
    asked = export.model_dump(mode="json", exclude_defaults=True)
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def _job_id(key: str | None, shared: Context) -> str:
    """Random, or derived from the client's key, so that Temporal itself refuses a second start.

    Two owners' keys never meet, and nobody can work out whether another one has used a key.
    """
    return shared.services.signer.name("idempotency", shared.caller.owner, key) if key else uuid.uuid4().hex


async def _same_job(job_id: str, known_digest: str, digest: str, shared: Context) -> Response:
    if known_digest != digest:
        raise Problem(409, "IDEMPOTENCY_CONFLICT", "this Idempotency-Key was used with another request", jobId=job_id)
    job: JobStatus = await shared.jobs.status(job_id)
    return _accepted(job_id, job.status, job.stage, job.correlation_id, 200)


def _accepted(job_id: str, status: Status, stage: Stage, correlation: str, code: int) -> Response:
    accepted = JobAccepted(job_id=job_id, status=status, stage=stage, correlation_id=correlation, links=links(job_id))
    return JSONResponse(accepted.model_dump(mode="json"), code, {"Location": accepted.links.self})


def _require_webhook(export: ExportRequest, shared: Context) -> None:
    """Refuses a webhook that would never be delivered."""
    if export.webhook is None:
        return
    if shared.settings.webhook_secret is None:
        text = "webhooks need a secret to be signed with; this installation has none (PICTURELOCK_WEBHOOK_SECRET)"
        raise RequestRefused([FieldError(path="webhook", message=text, code=NotOffered.code)])
    try:
        check_receiver(str(export.webhook.url), allow_private=shared.settings.webhook_allow_private)
    except WebhookRefused as error:
        raise RequestRefused([FieldError(path="webhook.url", message=error.message, code=error.code)]) from error


async def require_assets(export: ExportRequest, shared: Context) -> None:
    """Refuses a request that names an asset which is not there, with its path."""
    wanted = export.asset_ids()
    owner, find = shared.caller.restricted_to, shared.services.assets.find
    assets = await asyncio.gather(
        *(find(owner, one) if owner else shared.store.find_asset(one) for one in wanted.values())
    )
    complaints = [
        FieldError(path=path, message=f"there is no asset {asset_id}", code="ASSET_MISSING")
        for (path, asset_id), asset in zip(wanted.items(), assets, strict=True)
        if asset is None
    ]
    if complaints:
        raise RequestRefused(complaints)
