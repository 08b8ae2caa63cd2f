"""Jobs: the list, one job, and how it came to where it is."""

import asyncio
import base64
import binascii
from datetime import datetime
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from api.context import Context, Shared
from api.problems import PROBLEM, Problem
from jobstate.errors import JobNotFound, translated
from jobstate.names import EXPORT_WORKFLOW
from picturelock.models import (
    TERMINAL,
    DeliveryLog,
    EarlierAttempt,
    JobId,
    JobStatus,
    Model,
    Status,
    TimelineEvent,
)
from picturelock.status import assemble, etag

log = structlog.get_logger()
router = APIRouter(prefix="/api/jobs", tags=["jobs"])

LIST_LIMIT: Final = 100
LONG_POLL_SECONDS: Final = 60.0
LIST_SECONDS: Final = 5.0
_READ_AT_ONCE: Final = 10
_RUNNING_RETRY_AFTER: Final = "1"
_EXECUTION: Final[dict[str, str]] = {
    "queued": "Running",
    "running": "Running",
    "paused": "Running",
    "completed": "Completed",
    "cancelled": "Canceled",
}


class JobList(Model):
    """One page of jobs."""

    jobs: list[JobStatus]
    next_cursor: str | None
    total: int


class JobHistory(Model):
    """How a job came to where it is: its earlier attempts, the present one's timeline, the webhooks' deliveries."""

    job_id: str
    attempt: int
    status: Status
    earlier_attempts: list[EarlierAttempt]
    timeline: list[TimelineEvent] = Field(
        description="All of it; only the newest entries where no orchestrator answers."
    )
    timeline_total: int
    webhooks: list[DeliveryLog] = Field(
        description="Of every attempt that has ended, for as long as Temporal keeps it."
    )


@router.head("", include_in_schema=False)
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
    async with translated(LIST_SECONDS, cursor=cursor is not None):
        page = shared.client.list_workflows(query, page_size=limit, next_page_token=_token(cursor))
        await page.fetch_next_page()
        total = (await shared.client.count_workflows(query)).count
    gate = asyncio.Semaphore(_READ_AT_ONCE)
    rows = await asyncio.gather(*(_row(one.id, one.run_id, shared, gate) for one in page.current_page or []))
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


async def _row(job_id: str, run_id: str, shared: Context, gate: asyncio.Semaphore) -> JobStatus | None:
    """A job, in the place of its newest run; None in the places of earlier ones, and for what is no job of ours."""
    async with gate:
        try:
            seen = await shared.reader.observe(job_id)
        except JobNotFound:
            return None
        except (ValueError, TypeError):
            log.exception("a job cannot be read", job_id=job_id)
            return None
    return assemble(seen) if seen.run_id == run_id else None


@router.head("/{job_id}", include_in_schema=False)
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
    seen = await shared.reader.observe(job_id)
    job = assemble(seen)
    if wait and if_none_match and _matches(if_none_match, etag(job)) and job.status not in TERMINAL:
        job = await _changed(job, seen.now, if_none_match, wait, shared)
    headers = {"ETag": etag(job), "Cache-Control": "no-cache"}
    if job.status not in TERMINAL:
        headers["Retry-After"] = _RUNNING_RETRY_AFTER
    if if_none_match and _matches(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return JSONResponse(job.model_dump(mode="json"), headers=headers)


def _matches(header: str, tag: str) -> bool:
    return header.strip() == "*" or tag in (part.strip().removeprefix("W/") for part in header.split(","))


async def _changed(job: JobStatus, read_at: datetime, header: str, wait: float, shared: Context) -> JobStatus:
    """The job as soon as it differs from what the client has. A sighting older than our own reading is no news."""
    deadline = asyncio.get_running_loop().time() + wait
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


@router.get("/{job_id}/history", responses={404: PROBLEM, 422: PROBLEM, 503: PROBLEM})
async def read_history(job_id: JobId, shared: Shared) -> JobHistory:
    """The job's attempts, the numbered timeline of the present one, and every delivery of its webhook."""
    seen = await shared.reader.observe(job_id)
    job = assemble(seen)
    return JobHistory(
        job_id=job_id,
        attempt=job.attempt,
        status=job.status,
        earlier_attempts=job.earlier_attempts,
        timeline=await shared.reader.timeline(seen),
        timeline_total=seen.snapshot.timeline_total if seen.snapshot else 0,
        webhooks=await shared.reader.deliveries(job_id, job.attempt),
    )
