"""What this installation offers, and whether it is well."""

import asyncio
from typing import Final

from fastapi import APIRouter

from api.context import Context, Shared
from api.problems import PROBLEM, RETRY_AFTER_SECONDS, Problem
from picturelock.errors import PicturelockError
from picturelock.models import Model
from picturelock.presets import DEFAULT_PRESET, PRESETS, Preset
from picturelock.temporal.errors import JobNotFound, StateUnavailable, translated

router = APIRouter()
_READY_SECONDS: Final = 2.0
_NO_JOB: Final = "ready?"


class PresetList(Model):
    """The video presets, and which of them is used when none is named."""

    default: str
    presets: list[Preset]


class Health(Model):
    """Well, or not."""

    status: str


@router.get("/api/presets", tags=["catalog"])
async def list_presets() -> PresetList:
    """Video presets by slug, with the platforms' limits."""
    return PresetList(default=DEFAULT_PRESET, presets=list(PRESETS.values()))


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz", tags=["health"])
async def healthz() -> Health:
    """The process answers."""
    return Health(status="ok")


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", tags=["health"], responses={503: PROBLEM})
async def readyz(shared: Shared) -> Health:
    """Temporal describes executions, which every GET of a job needs, and the store is writable."""
    troubles = [text for text in await asyncio.gather(_temporal(shared), _store(shared)) if text]
    if troubles:
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        raise Problem(503, "NOT_READY", "; ".join(troubles), headers=headers)
    return Health(status="ready")


async def _temporal(shared: Context) -> str | None:
    """Why no job could be told of now; None where one could. The id asked for is no job's."""
    try:
        async with translated(_READY_SECONDS):
            await shared.client.get_workflow_handle(_NO_JOB).describe()
    except StateUnavailable as error:
        return str(error)
    except JobNotFound:
        return None
    return None


async def _store(shared: Context) -> str | None:
    try:
        await shared.store.check_writable()
    except PicturelockError as error:
        return error.message
    return None
