"""What a client may ask of a job that exists: its end, or another attempt."""

import contextlib
from typing import Any, Final

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from api.context import Shared
from api.jobs import PROBLEM, START_SECONDS
from api.problems import Problem
from jobstate.errors import JobNotFound
from jobstate.names import EXPORT_WORKFLOW, JOB_MEMO
from jobstate.reader import translated
from picturelock.models import EarlierAttempt, JobId, JobStatus
from picturelock.stages import EXPORTS_QUEUE

router = APIRouter(prefix="/api/jobs", tags=["jobs"])
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {404: PROBLEM, 409: PROBLEM, 422: PROBLEM, 503: PROBLEM}


@router.post("/{job_id}/cancel", status_code=202, response_model=JobStatus, responses=_ANSWERS)
async def cancel_job(job_id: JobId, shared: Shared) -> Response:
    """Asks for the end of a job. Asking twice is fine; a job that has ended otherwise answers 409."""
    job = _cancellable(await shared.reader.status(job_id))
    if job.status != "cancelled":
        with contextlib.suppress(JobNotFound):  # it has closed in between; the next reading tells how
            async with translated(START_SECONDS):
                await shared.client.get_workflow_handle(job_id).cancel()
        job = _cancellable(await shared.reader.status(job_id))
    return JSONResponse(job.model_dump(mode="json"), 202)


def _cancellable(job: JobStatus) -> JobStatus:
    if job.status in {"completed", "failed"}:
        ended = f"the job has already ended: {job.status}"
        raise Problem(409, "ALREADY_ENDED", ended, jobId=job.id, jobStatus=job.status)
    return job


@router.post("/{job_id}/retry", status_code=202, response_model=JobStatus, responses=_ANSWERS)
async def retry_job(job_id: JobId, shared: Shared) -> Response:
    """Begins a new attempt of a failed or cancelled job under the same id. What was made is found again."""
    job = await shared.reader.status(job_id)
    if job.status not in {"failed", "cancelled"}:
        raise _not_retryable(job)
    before, memo = await shared.reader.started_with(job_id)
    ended = EarlierAttempt(attempt=before.attempt, status=job.status, error=job.error)
    again = before.model_copy(update={"attempt": before.attempt + 1, "earlier": [*before.earlier, ended]})
    try:
        async with translated(START_SECONDS):
            await shared.client.start_workflow(
                EXPORT_WORKFLOW,
                again,
                id=job_id,
                task_queue=EXPORTS_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                memo={JOB_MEMO: memo.model_copy(update={"attempt": again.attempt})},
            )
    except WorkflowAlreadyStartedError as error:
        raise _not_retryable(await shared.reader.status(job_id)) from error
    return JSONResponse((await shared.reader.status(job_id)).model_dump(mode="json"), 202)


def _not_retryable(job: JobStatus) -> Problem:
    detail = f"only a failed or cancelled job can be retried; this one is {job.status}"
    return Problem(409, "NOT_RETRYABLE", detail, jobId=job.id, jobStatus=job.status)
