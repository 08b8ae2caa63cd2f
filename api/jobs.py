"""Jobs: the list, one job, and its history."""

import asyncio
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, Field

from api.context import Context, Shared
from api.listing import Cursor, Filter, read_page
from api.problems import PROBLEM
from api.watch import OwnedWatcher
from picturelock.jobs.status import assemble, etag
from picturelock.models import (
    TERMINAL,
    DeliveryLog,
    EarlierAttempt,
    ExportRequest,
    JobId,
    JobStatus,
    JobWarning,
    Model,
    Status,
    TimelineEvent,
)

router = APIRouter(prefix="/api/jobs", tags=["jobs"])

LIST_LIMIT: Final = 100
LONG_POLL_SECONDS: Final = 60.0
_RUNNING_RETRY_AFTER: Final = "1"


class JobList(Model):
    """One page of jobs."""

    jobs: list[JobStatus] = Field(description="As `GET /api/jobs/{job_id}` has each of them.")
    next_cursor: str | None = Field(description="Where the list goes on; null at its end.")
    total: int = Field(description="About how many there are.")


class JobHistory(Model):
    """How a job came to where it is: its earlier attempts, the present one's timeline, the webhooks' deliveries."""

    job_id: str = Field(description="The job.")
    attempt: int = Field(description="The present or last attempt of the job.")
    status: Status = Field(description="The job's, at the same moment.")
    earlier_attempts: list[EarlierAttempt] = Field(description="The oldest first.")
    timeline: list[TimelineEvent] = Field(
        description="All of it; only the newest entries where no orchestrator answers."
    )
    timeline_total: int = Field(description="How many entries there are in all.")
    warnings: list[JobWarning] = Field(description="The job's own: among them, why attempts failed.")
    webhooks: list[DeliveryLog] = Field(
        description="Of every attempt that has ended, for as long as Temporal keeps it."
    )


@router.head("", include_in_schema=False)
@router.get("", response_model=JobList, responses={422: PROBLEM, 503: PROBLEM})
async def list_jobs(
    request: Request,
    shared: Shared,
    limit: Annotated[int, Query(ge=1, le=LIST_LIMIT)] = 20,
    cursor: Annotated[str | None, Query(max_length=1024)] = None,
    status: Status | None = None,
    q: Annotated[str, Query(max_length=100, description="In the title, whatever its case.")] = "",
    since: Annotated[AwareDatetime | None, Query(description="Started then or later.")] = None,
) -> Response:
    """Open jobs by start, then closed ones by end; `metadata.KEY=VALUE` filters, too. `total` is approximate."""
    wanted = Filter(status, q, _metadata(request), since)
    page = await read_page(shared, wanted, Cursor.parse(cursor, wanted, shared), limit)
    following = page.following.signed(wanted, shared) if page.following else None
    listing = JobList(jobs=page.jobs, next_cursor=following, total=page.total)
    return JSONResponse(listing.model_dump(mode="json"))


def _metadata(request: Request) -> tuple[tuple[str, str], ...]:
    """What the query wants of the jobs' metadata: `metadata.project=42`."""
    named = (
        (name.removeprefix("metadata."), value)
        for name, value in request.query_params.multi_items()
        if name.startswith("metadata.")
    )
    return tuple(named)


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
    seen = await shared.jobs.observe(job_id)
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
    """The job as soon as it differs from what the client has. A state that is older than our own reading is no news."""
    deadline = asyncio.get_running_loop().time() + wait
    version = 0
    async with shared.watchers.subscribe(job.id) as watched:
        watcher = OwnedWatcher(watched, shared.jobs.may_see)
        while (left := deadline - asyncio.get_running_loop().time()) > 0:
            state = await watcher.newer_than(version, left)
            if state is None or state.missing:
                break
            version = state.version
            fresh = state.observation is not None and state.observation.now > read_at
            if state.job is not None and fresh and not _matches(header, etag(state.job)):
                return state.job
    return job


@router.get("/{job_id}/request", responses={404: PROBLEM, 422: PROBLEM, 503: PROBLEM})
async def read_request_of(job_id: JobId, shared: Shared) -> ExportRequest:
    """What was asked for, to be changed and sent again; for as long as Temporal keeps the job's run."""
    started, _ = await shared.jobs.started_with(job_id)
    return started.request


@router.get("/{job_id}/history", responses={404: PROBLEM, 422: PROBLEM, 503: PROBLEM})
async def read_history(job_id: JobId, shared: Shared) -> JobHistory:
    """The job's attempts, the numbered timeline of the present one, and every delivery of its webhook."""
    seen = await shared.jobs.observe(job_id)
    job = assemble(seen)
    return JobHistory(
        job_id=job_id,
        attempt=job.attempt,
        status=job.status,
        earlier_attempts=job.earlier_attempts,
        timeline=await shared.jobs.timeline(seen),
        warnings=job.warnings,
        timeline_total=seen.snapshot.timeline_total if seen.snapshot else 0,
        webhooks=await shared.jobs.deliveries(seen, job.attempt),
    )
