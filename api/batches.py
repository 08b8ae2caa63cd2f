"""`/api/batches`: many films of one script. Every row is checked before any film begins."""

import asyncio
import hashlib
import json
import uuid
from collections import Counter
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from api.body import described, read_body
from api.context import Context, Shared
from api.create import accept, admit
from api.problems import PROBLEM, Problem
from picturelock.concurrency import gather_limited
from picturelock.models import TERMINAL, ExportRequest, JobId
from picturelock.models.batch import BatchJob, BatchRecord, BatchRequest, BatchStatus
from picturelock.script.intake import FieldError, RequestRefused, complaints_of, read_body_of, request_of
from picturelock.script.template import FieldMissing, filled
from picturelock.temporal.errors import JobNotFound

router = APIRouter(prefix="/api/batches", tags=["batches"])
_AT_ONCE = 16


@router.post(
    "",
    status_code=202,
    response_model=BatchStatus,
    responses={
        200: {"model": BatchStatus, "description": "The key was used before, with the same request: the same batch."},
        409: PROBLEM,
        413: PROBLEM,
        415: PROBLEM,
        422: PROBLEM,
        429: PROBLEM,
        503: PROBLEM,
    },
    openapi_extra=described(BatchRequest),
)
async def create_batch(
    request: Request,
    shared: Shared,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None,
) -> Response:
    """Starts a film for each row, or refuses all of them: with the path of each thing that is wrong in a row."""
    body = await read_body(request, shared.settings.max_request_bytes)
    asked, exports = await asyncio.to_thread(_read, body)
    digest = hashlib.sha256(json.dumps(asked.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()
    named = shared.services.signer.name("batch", shared.caller.owner, idempotency_key) if idempotency_key else None
    batch_id = named or uuid.uuid4().hex
    record = await shared.store.find_batch(batch_id)
    if record is not None and record.digest != digest:
        text = "this Idempotency-Key was used with another request"
        raise Problem(409, "IDEMPOTENCY_CONFLICT", text)
    known = record is not None
    if record is None:
        name = shared.services.signer.name
        ids = [name("batch-job", shared.caller.owner, f"{batch_id} {row}") for row in range(len(exports))]
        record = BatchRecord(
            batch_id=batch_id, owner=shared.caller.owner, digest=digest, job_ids=ids, created_at=datetime.now(UTC)
        )
    jobs = dict(zip(record.job_ids, exports, strict=True))
    admitted = [await admit(job_id, export, shared) for job_id, export in jobs.items()]
    await shared.store.put_batch(record)
    await gather_limited(*(accept(job, shared) for job in admitted), limit=_AT_ONCE)
    status = await _status(record, shared)
    headers = {"Location": f"/api/batches/{batch_id}"}
    return JSONResponse(status.model_dump(mode="json"), 200 if known else 202, headers)


@router.head("/{batch_id}", include_in_schema=False)
@router.get("/{batch_id}", responses={404: PROBLEM, 422: PROBLEM, 503: PROBLEM})
async def read_batch(batch_id: JobId, shared: Shared) -> BatchStatus:
    """How a batch's films stand, each and together."""
    record = await shared.store.find_batch(batch_id)
    if record is None or shared.caller.restricted_to not in {None, record.owner} or shared.caller.only_job:
        raise Problem(404, "BATCH_NOT_FOUND", f"there is no batch {batch_id}")
    return await _status(record, shared)


def _read(body: bytes) -> tuple[BatchRequest, list[ExportRequest]]:
    """The batch, and the request of each of its rows. Raises RequestRefused: with all complaints about all rows."""
    try:
        asked = BatchRequest.model_validate(read_body_of(body), by_alias=True, by_name=False)
    except ValidationError as error:
        raise RequestRefused(complaints_of(error)) from error
    exports, complaints = [], []
    for number, row in enumerate(asked.rows):
        try:
            exports.append(_export_of(asked.template, row))
        except FieldMissing as error:
            path = f"rows[{number}].{error.name}" if error.name else "template"
            complaints.append(FieldError(path=path, message=str(error), code="INVALID_REQUEST"))
        except RequestRefused as error:
            complaints += [one.model_copy(update={"path": f"rows[{number}]: {one.path}"}) for one in error.complaints]
    if complaints:
        raise RequestRefused(complaints)
    return asked, exports


def _export_of(template: dict[str, Any], row: dict[str, str | int | float]) -> ExportRequest:
    return request_of(filled(template, row))


async def _status(record: BatchRecord, shared: Context) -> BatchStatus:
    rows = enumerate(record.job_ids, 1)
    jobs = await gather_limited(*(_job(row, job_id, shared) for row, job_id in rows), limit=_AT_ONCE)
    return BatchStatus(
        batch_id=record.batch_id,
        total=len(jobs),
        counts=dict(Counter(job.status for job in jobs if job.status is not None)),
        progress=round(sum(job.progress for job in jobs) / len(jobs), 1),
        done=all(job.status is None or job.status in TERMINAL for job in jobs),
        created_at=record.created_at,
        jobs=jobs,
    )


async def _job(row: int, job_id: str, shared: Context) -> BatchJob:
    try:
        job = await shared.jobs.status(job_id)
    except JobNotFound:
        return BatchJob(row=row, job_id=job_id, status=None)
    return BatchJob(
        row=row,
        job_id=job_id,
        status=job.status,
        progress=job.progress,
        title=job.title,
        output_path=job.output_path,
        error=job.error,
    )
