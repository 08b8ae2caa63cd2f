"""What a client may ask of a job that exists: its end, a pause, another attempt."""

import contextlib
from typing import Any, Final

import structlog
from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from temporalio.exceptions import WorkflowAlreadyStartedError

from api.context import Context, Shared
from api.problems import PROBLEM, Problem
from api.start import START_SECONDS, start_run
from picturelock.jobs.stages import job_priority
from picturelock.models import NOTES_KEPT, TERMINAL, EarlierAttempt, JobId, JobStatus
from picturelock.temporal.errors import JobNotFound, translated
from picturelock.temporal.names import PAUSE_SIGNAL, RESUME_SIGNAL

log = structlog.get_logger()
router = APIRouter(prefix="/api/jobs", tags=["jobs"])
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {404: PROBLEM, 409: PROBLEM, 422: PROBLEM, 503: PROBLEM}


@router.post("/{job_id}/cancel", status_code=202, response_model=JobStatus, responses=_ANSWERS)
async def cancel_job(job_id: JobId, shared: Shared) -> Response:
    """Asks for the end of a job. Asking twice is fine; a job that has ended otherwise answers 409."""
    job = _cancellable(await shared.jobs.status(job_id))
    if job.status != "cancelled":
        with contextlib.suppress(JobNotFound):  # it has closed in between; the next reading tells how
            async with translated(START_SECONDS):
                await shared.client.get_workflow_handle(job_id).cancel()
            log.info("asked for", what="cancel", job=job_id)
        job = _cancellable(await shared.jobs.status(job_id))
    return _answer(job)


@router.post("/{job_id}/pause", status_code=202, response_model=JobStatus, responses=_ANSWERS)
async def pause_job(job_id: JobId, shared: Shared) -> Response:
    """Nothing new begins; what runs is finished. `pauseRequested` until then, `paused` from then on."""
    return await _signal(job_id, PAUSE_SIGNAL, shared)


@router.post("/{job_id}/resume", status_code=202, response_model=JobStatus, responses=_ANSWERS)
async def resume_job(job_id: JobId, shared: Shared) -> Response:
    """The work goes on. Resuming a job that is not paused is fine."""
    return await _signal(job_id, RESUME_SIGNAL, shared)


async def _signal(job_id: str, name: str, shared: Context) -> Response:
    _open(await shared.jobs.status(job_id))
    with contextlib.suppress(JobNotFound):  # it has closed in between
        async with translated(START_SECONDS):
            await shared.client.get_workflow_handle(job_id).signal(name)
        log.info("asked for", what=name, job=job_id)
    return _answer(_open(await shared.jobs.status(job_id)))


@router.post("/{job_id}/retry", status_code=202, response_model=JobStatus, responses=_ANSWERS)
async def retry_job(job_id: JobId, shared: Shared) -> Response:
    """Begins a new attempt of a failed or cancelled job under the same id. What was made is found again."""
    job = await shared.jobs.status(job_id)
    if job.status not in {"failed", "cancelled"}:
        raise _not_retryable(job)
    if job.archived:
        detail = "the job is archived: Temporal has forgotten what it was started with; send the request again"
        raise Problem(409, "ARCHIVED", detail, jobId=job.id, jobStatus=job.status)
    before, memo = await shared.jobs.started_with(job_id)
    opened = await shared.services.quotas.admit_job(shared, job_id, memo.pixels)
    again = before.model_copy(update={"attempt": before.attempt + 1, "priority": job_priority(opened)})
    ended = memo.model_copy(update={"attempt": again.attempt, "earlier": [*memo.earlier, _earlier(job)][-NOTES_KEPT:]})
    try:
        await start_run(job_id, again, ended, shared)
    except WorkflowAlreadyStartedError as error:
        raise _not_retryable(await shared.jobs.status(job_id)) from error
    return _answer(await shared.jobs.status(job_id))


def _earlier(job: JobStatus) -> EarlierAttempt:
    """How the attempt ended, without the long tail of its error: it travels in every memo from here on."""
    error = job.error.model_copy(update={"detail": None}) if job.error else None
    return EarlierAttempt(attempt=job.attempt, status=job.status, error=error, completed_at=job.completed_at)


def _cancellable(job: JobStatus) -> JobStatus:
    return job if job.status == "cancelled" else _open(job)


def _open(job: JobStatus) -> JobStatus:
    if job.status in TERMINAL:
        ended = f"the job has already ended: {job.status}"
        raise Problem(409, "ALREADY_ENDED", ended, jobId=job.id, jobStatus=job.status)
    return job


def _not_retryable(job: JobStatus) -> Problem:
    detail = f"only a failed or cancelled job can be retried; this one is {job.status}"
    return Problem(409, "NOT_RETRYABLE", detail, jobId=job.id, jobStatus=job.status)


def _answer(job: JobStatus) -> Response:
    return JSONResponse(job.model_dump(mode="json"), 202)
