"""Deleting: a job that has ended with its film, and everything of an owner."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import structlog
from fastapi import APIRouter, Path, Response
from pydantic import Field

from api.assets import forget_asset
from api.context import Context, Shared
from api.problems import PROBLEM, Problem
from picturelock.auth.caller import Caller
from picturelock.jobs.deletion import JobDeletion
from picturelock.jobs.status import assemble
from picturelock.models import TERMINAL, JobId, Model, Observation
from picturelock.store.partial_uploads import PartialUploads
from picturelock.temporal.errors import JobDeleted, JobNotFound, translated
from picturelock.temporal.forget import forget_job
from picturelock.temporal.names import EXPORT_WORKFLOW, OWNER_ATTRIBUTE
from picturelock.temporal.owned_jobs import OwnedJobs

log = structlog.get_logger()
router = APIRouter(prefix="/api", tags=["jobs"])
_LIST_SECONDS: Final = 60.0


class OwnerDeleted(Model):
    """How much of an owner's was deleted, and what is still open."""

    jobs: int = Field(description="How many were deleted.")
    assets: int = Field(description="How many were deleted.")
    still_open: list[str] = Field(description="Jobs that have not ended: cancel them first.")


@router.delete("/jobs/{job_id}", status_code=204, responses={404: PROBLEM, 409: PROBLEM, 410: PROBLEM, 422: PROBLEM,
               503: PROBLEM})  # fmt: skip
async def delete_job(job_id: JobId, shared: Shared) -> Response:
    """Deletes a job that has ended: its film, its files, its script and its history. From then on it answers 410."""
    try:
        seen = await shared.jobs.observe(job_id)
    except JobDeleted:
        await _go_on(job_id, shared)
        return Response(status_code=204)
    status = assemble(seen).status
    if status not in TERMINAL:
        raise Problem(409, "NOT_ENDED", "the job is open: cancel it first", jobId=job_id, jobStatus=status)
    await _delete(seen, shared)
    return Response(status_code=204)


@router.delete("/owners/{owner}", responses={409: PROBLEM, 422: PROBLEM, 503: PROBLEM})
async def delete_owner(
    owner: Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")], shared: Shared
) -> OwnerDeleted:
    """Deletes an owner's jobs that have ended, and his uploads. Keys are revoked one by one (`picturelock keys`)."""
    if shared.caller.key_id is None:
        raise Problem(409, "NO_KEYS", "this installation asks for no keys: there are no owners")
    jobs = OwnedJobs(shared.services.reader, Caller(owner, frozenset({"admin"}), key_id="admin"))
    theirs = Context(shared.services, jobs.caller, jobs)
    count, still_open = 0, []
    query = f"WorkflowType = '{EXPORT_WORKFLOW}' AND {OWNER_ATTRIBUTE} = '{owner}'"
    async with translated(_LIST_SECONDS):
        ids = {run.id async for run in shared.client.list_workflows(query)}
    # Temporal's list lags, and forgets: the records of jobs that have ended are looked through as well.
    ids |= set(await shared.store.archived_jobs(datetime.now(UTC) + timedelta(days=1)))
    for job_id in sorted(ids):
        try:
            seen = await jobs.observe(job_id)
        except JobNotFound:
            continue
        if assemble(seen).status in TERMINAL:
            await _delete(seen, theirs)
            count += 1
        else:
            still_open.append(job_id)
    await PartialUploads(shared.store).remove_all(owner)
    assets = [one.asset for one in await shared.services.assets.all(owner)]
    for asset in assets:
        await forget_asset(asset, theirs)
    return OwnerDeleted(jobs=count, assets=len(assets), still_open=still_open)


async def _go_on(job_id: str, shared: Context) -> None:
    """Finishes a deletion that was broken off. Raises JobDeleted where there is nothing to finish."""
    deletion = JobDeletion(shared.store)
    note = await deletion.find(job_id)
    if note is None:
        raise JobDeleted(job_id)
    seen = await shared.jobs.half_deleted(job_id, note)
    if seen is not None:
        await _delete(seen, shared)
    else:
        await deletion.delete(job_id, note.owner, None, [])
        await deletion.finish(job_id, note.owner)


async def _delete(seen: Observation, shared: Context) -> None:
    """The store first: what is broken off there is asked for again, as long as Temporal knows the job."""
    used: list[str] = []
    if (kept := await shared.jobs.archived(seen.job_id)) is not None:
        used = [asset_id.removeprefix("sha256-") for asset_id in kept.request.asset_ids().values()]
    await JobDeletion(shared.store).delete(seen.job_id, seen.owner, seen.result, used)
    if not seen.archived:
        await forget_job(shared.client, seen.job_id, seen.run_id, seen.attempt)
    await JobDeletion(shared.store).finish(seen.job_id, seen.owner)
    log.info("job deleted", job=seen.job_id)
