"""Uploads: taken, listed, described, deleted. What a file is, is found by decoding it."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path as FilePath
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request, Response
from pydantic import Field

from api.context import Context, Shared
from api.forms import save_file
from api.problems import PROBLEM, Problem
from picturelock.models import TERMINAL, ArtifactRef, Asset, Model
from picturelock.store.assets import ingest
from picturelock.store.references import JOBS, OUTPUTS, OWNERS, References, owner_holder
from picturelock.store.scratch import workspace
from picturelock.temporal.errors import JobNotFound

router = APIRouter(prefix="/api/assets", tags=["files"])
_AT_ONCE: Final = 8
_LOOKED_AT: Final = 200
_FILE: Final = {"type": "string", "format": "binary"}
_BODIES: Final = {
    "application/octet-stream": {"schema": _FILE},
    "multipart/form-data": {"schema": {"type": "object", "properties": {"file": _FILE}, "required": ["file"]}},
}
AssetId = Annotated[str, Path(pattern=r"^sha256-[0-9a-f]{64}$")]


class AssetList(Model):
    """The files that the caller has uploaded, the newest first."""

    assets: list[Asset] = Field(description="The newest first.")
    total_bytes: int = Field(description="Of all of them.")


async def take_file(path: FilePath, shared: Context) -> Asset:
    """Identifies a file that has come, stores it and notes that it is the caller's.

    Raises:
        AssetUnreadable: it is no picture, film or sound.
        StoreUnavailable, DiskFull: it cannot be kept.
    """
    owner, known = shared.caller.owner, shared.caller.restricted_to is not None
    asset = await ingest(path, shared.store, always=known, holder=owner_holder(owner))
    await shared.services.assets.add(owner, asset)
    return asset


@router.post(
    "",
    status_code=201,
    response_model=Asset,
    responses={413: PROBLEM, 415: PROBLEM, 422: PROBLEM, 503: PROBLEM, 507: PROBLEM},
    openapi_extra={"requestBody": {"required": True, "content": _BODIES}},
)
async def upload_asset(request: Request, shared: Shared) -> Asset:
    """Takes a file as the body, or as the one file of a form. What it is, is found by decoding it.

    A large file, or one on a bad line, is better sent in pieces (`POST /api/uploads`).
    """
    limit, declared = shared.settings.max_asset_bytes, request.headers.get("content-length", "")
    size = min(int(declared), limit) if declared.isdigit() else limit
    async with shared.services.quotas.upload(shared, size):
        with workspace(shared.settings.scratch, "upload") as folder:
            await save_file(request, folder / "upload", limit)
            return await take_file(folder / "upload", shared)


@router.get("", responses={503: PROBLEM})
async def list_assets(shared: Shared) -> AssetList:
    """The files that the caller has uploaded."""
    owned = await shared.services.assets.all(shared.caller.owner)
    return AssetList(assets=[one.asset for one in owned], total_bytes=sum(one.asset.size_bytes for one in owned))


@router.get("/{asset_id}", responses={404: PROBLEM, 422: PROBLEM, 503: PROBLEM})
async def read_asset(asset_id: AssetId, shared: Shared) -> Asset:
    """What an uploaded file was found to be."""
    return await _owned(asset_id, shared)


@router.delete("/{asset_id}", status_code=204, responses={404: PROBLEM, 409: PROBLEM, 422: PROBLEM, 503: PROBLEM})
async def delete_asset(asset_id: AssetId, shared: Shared) -> Response:
    """Forgets a file; its bytes go when nobody else has sent the same. An open export that uses it answers 409."""
    asset = await _owned(asset_id, shared)
    holders = await References(shared.store).holders(_sha256(asset_id))
    await _require_unused(asset_id, holders, shared)
    await forget_asset(asset, shared)
    return Response(status_code=204)


async def forget_asset(asset: Asset, shared: Context) -> None:
    """Has a file be the caller's no longer; it goes with the last owner who has sent it.

    Jobs that have ended do not keep it: whoever deletes it wants it gone.
    """
    references, sha256 = References(shared.store), _sha256(asset.asset_id)
    await shared.services.assets.remove(shared.caller.owner, asset.asset_id)
    await references.release(owner_holder(shared.caller.owner), [sha256])
    # It may be the same as a film that somebody has had made: that one is not an upload, and stays.
    if not any(holder.startswith((OWNERS, OUTPUTS)) for holder in await references.holders(sha256)):
        await shared.store.delete_asset(asset.asset_id)
        ref = ArtifactRef(sha256=sha256, size_bytes=asset.size_bytes, media_type=asset.media_type)
        await shared.store.delete_older(ref, datetime.now(UTC))


async def _owned(asset_id: str, shared: Context) -> Asset:
    asset = await shared.services.assets.find(shared.caller.owner, asset_id)
    if asset is None:
        raise Problem(404, "ASSET_MISSING", f"there is no asset {asset_id}")
    return asset


async def _require_unused(asset_id: str, holders: list[str], shared: Context) -> None:
    """Refuses the deletion of a file that an open export of the caller's needs. Raises Problem (409)."""
    turns = asyncio.Semaphore(_AT_ONCE)

    async def is_open(job_id: str) -> bool:
        async with turns:
            try:
                return (await shared.jobs.status(job_id)).status not in TERMINAL
            except JobNotFound:
                return False

    jobs = [holder.removeprefix(JOBS) for holder in holders if holder.startswith(JOBS)][-_LOOKED_AT:]
    opened = [job for job, still in zip(jobs, await asyncio.gather(*map(is_open, jobs)), strict=True) if still]
    if opened:
        raise Problem(409, "IN_USE", f"an open export uses {asset_id}", jobId=opened[0])


def _sha256(asset_id: str) -> str:
    return asset_id.removeprefix("sha256-")
