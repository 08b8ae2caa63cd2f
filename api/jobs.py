"""Jobs: create, list, look at, cancel."""

import asyncio
import base64
import binascii
import hashlib
import uuid
from datetime import UTC, datetime
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from api.body import read_body
from api.context import Context, Shared
from api.correlation import correlation_id
from api.problems import Problem, ProblemDocument
from jobstate.errors import JobNotFound
from jobstate.names import EXPORT_WORKFLOW, JOB_MEMO
from jobstate.reader import translated
from picturelock.models import (
    TERMINAL,
    ExportInput,
    ExportRequest,
    JobId,
    JobMemo,
    JobStatus,
    Links,
    Model,
    Stage,
    Status,
)
from picturelock.scripting.intake import Complaint, RequestRefused, read_request
from picturelock.stages import EXPORTS_QUEUE
from picturelock.status import etag, links

log = structlog.get_logger()
router = APIRouter(prefix="/api/jobs", tags=["jobs"])

LIST_LIMIT: Final = 100
LONG_POLL_SECONDS: Final = 60.0
START_SECONDS: Final = 5.0
_READ_AT_ONCE: Final = 10
_RUNNING_RETRY_AFTER: Final = "1"
_EXECUTION: Final[dict[str, str]] = {
    "queued": "Running",
    "running": "Running",
    "paused": "Running",
    "completed": "Completed",
    "cancelled": "Canceled",
}
PROBLEM: Final = {"model": ProblemDocument, "description": "What went wrong, as application/problem+json."}


class JobAccepted(Model):
    """The answer to a job that was taken."""

    job_id: str
    status: Status
    stage: Stage
    correlation_id: str
    links: Links


class JobList(Model):
    """One page of jobs."""

    jobs: list[JobStatus]
    next_cursor: str | None
    total: int


@router.post(
    "",
    status_code=202,
    response_model=JobAccepted,
    responses={
        200: {"model": JobAccepted},
        409: PROBLEM,
        413: PROBLEM,
        415: PROBLEM,
        422: PROBLEM,
        503: PROBLEM,
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ExportRequest"}}},
        }
    },
)
async def create_job(
    request: Request,
    shared: Shared,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None,
) -> Response:
    """Starts an export and answers as soon as Temporal has taken it."""
    export = read_request(await read_body(request, shared.settings.max_request_bytes))
    await _require_assets(export, shared)
    digest = hashlib.sha256(export.model_dump_json().encode()).hexdigest()
    job_id = _job_id(idempotency_key)
    now = datetime.now(UTC)
    memo = JobMemo(correlation_id=correlation_id(), created_at=now, metadata=export.metadata, digest=digest)
    title = (export.script.title if export.script else None) or (export.brief.topic[:80] if export.brief else "")
    try:
        async with translated(START_SECONDS):
            await shared.client.start_workflow(
                EXPORT_WORKFLOW,
                ExportInput(request=export, correlation_id=correlation_id(), created_at=now),
                id=job_id,
                task_queue=EXPORTS_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                memo={JOB_MEMO: memo},
                static_summary=title or None,
            )
    except WorkflowAlreadyStartedError:
        return await _same_job(job_id, digest, shared)
    return _accepted(job_id, "queued", "queued", correlation_id(), 202)


def _job_id(key: str | None) -> str:
    """Random, or derived from the client's key, so that Temporal itself refuses a second start."""
    return hashlib.sha256(f"idempotency:{key}".encode()).hexdigest()[:32] if key else uuid.uuid4().hex


async def _same_job(job_id: str, digest: str, shared: Context) -> Response:
    async with translated(START_SECONDS):
        described = await shared.client.get_workflow_handle(job_id).describe()
        memo = await described.memo_value(JOB_MEMO, type_hint=JobMemo)
    if memo.digest != digest:
        raise Problem(409, "IDEMPOTENCY_CONFLICT", "this Idempotency-Key was used with another request", jobId=job_id)
    job = await shared.reader.status(job_id)
    return _accepted(job_id, job.status, job.stage, job.correlation_id, 200)


def _accepted(job_id: str, status: Status, stage: Stage, correlation: str, code: int) -> Response:
    accepted = JobAccepted(job_id=job_id, status=status, stage=stage, correlation_id=correlation, links=links(job_id))
    return JSONResponse(accepted.model_dump(mode="json"), code, {"Location": accepted.links.self})


async def _require_assets(export: ExportRequest, shared: Context) -> None:
    """Refuses a request that names an asset which is not there, with its path."""
    wanted = export.asset_ids()
    found = await asyncio.gather(*(shared.store.find_asset(asset_id) for asset_id in wanted.values()))
    complaints = [
        Complaint(path=path, message=f"there is no asset {asset_id}", code="ASSET_MISSING")
        for (path, asset_id), asset in zip(wanted.items(), found, strict=True)
        if asset is None
    ]
    if complaints:
        raise RequestRefused(complaints)


@router.get("", response_model=JobList, responses={422: PROBLEM, 503: PROBLEM})
async def list_jobs(
    shared: Shared,
    limit: Annotated[int, Query(ge=1, le=LIST_LIMIT)] = 20,
    cursor: Annotated[str | None, Query(max_length=4096)] = None,
    status: Status | None = None,
) -> Response:
    """Open jobs by start, then closed ones by end. `total` counts runs and is approximate."""
    query = f"WorkflowType = '{EXPORT_WORKFLOW}'"
    if status == "failed":
        query += " AND ExecutionStatus IN ('Failed', 'Terminated', 'TimedOut')"
    elif status is not None:
        query += f" AND ExecutionStatus = '{_EXECUTION[status]}'"
    async with translated(START_SECONDS):
        page = shared.client.list_workflows(query, page_size=limit, next_page_token=_token(cursor))
        await page.fetch_next_page()
        total = (await shared.client.count_workflows(query)).count
    ids = list(dict.fromkeys(row.id for row in page.current_page or []))
    gate = asyncio.Semaphore(_READ_AT_ONCE)
    rows = await asyncio.gather(*(_row(job_id, shared, gate) for job_id in ids))
    jobs = [row for row in rows if row is not None and status in {None, row.status}]
    following = base64.urlsafe_b64encode(page.next_page_token).decode() if page.next_page_token else None
    listing = JobList(jobs=jobs, next_cursor=following, total=total)
    return JSONResponse(listing.model_dump(mode="json"))


def _token(cursor: str | None) -> bytes | None:
    if cursor is None:
        return None
    try:
        return base64.b64decode(cursor.encode(), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise Problem(422, "INVALID_REQUEST", "cursor: not a cursor of this list") from error


async def _row(job_id: str, shared: Context, gate: asyncio.Semaphore) -> JobStatus | None:
    async with gate:
        try:
            return await shared.reader.status(job_id)
        except JobNotFound:
            return None
        except Exception:
            log.exception("a job cannot be read", job_id=job_id)
            return None


@router.get(
    "/{job_id}",
    response_model=JobStatus,
    responses={304: {"description": "Unchanged."}, 404: PROBLEM, 422: PROBLEM, 503: PROBLEM},
)
async def read_job(
    job_id: JobId,
    shared: Shared,
    if_none_match: Annotated[str | None, Header()] = None,
    wait: Annotated[float, Query(ge=0, le=LONG_POLL_SECONDS)] = 0,
) -> Response:
    """The job, now; with `wait`, as soon as it differs from `If-None-Match`, or after so many seconds."""
    job = await shared.reader.status(job_id)
    if wait and if_none_match and _matches(if_none_match, etag(job)) and job.status not in TERMINAL:
        job = await _changed(job, if_none_match, wait, shared)
    headers = {"ETag": etag(job), "Cache-Control": "no-cache"}
    if job.status not in TERMINAL:
        headers["Retry-After"] = _RUNNING_RETRY_AFTER
    if if_none_match and _matches(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return JSONResponse(job.model_dump(mode="json"), headers=headers)


def _matches(header: str, tag: str) -> bool:
    return header.strip() == "*" or tag in (part.strip().removeprefix("W/") for part in header.split(","))


async def _changed(job: JobStatus, header: str, wait: float, shared: Context) -> JobStatus:
    """The job as soon as it differs from what the client has. A sighting older than our own reading is no news."""
    deadline = asyncio.get_running_loop().time() + wait
    read_at = datetime.now(UTC)
    version = 0
    async with shared.watchers.subscribe(job.id) as watcher:
        while (left := deadline - asyncio.get_running_loop().time()) > 0:
            sighting = await watcher.newer_than(version, left)
            if sighting is None or sighting.missing:
                break
            version = sighting.version
            fresh = sighting.observation is not None and sighting.observation.now > read_at
            if sighting.job is not None and fresh and not _matches(header, etag(sighting.job)):
                return sighting.job
    return job
