"""Whether the process answers, and whether it could answer about jobs."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Final

from fastapi import APIRouter
from pydantic import Field

from api.context import Context, Services, Shared
from api.problems import PROBLEM, RETRY_AFTER_SECONDS, Problem
from picturelock.errors import PicturelockError
from picturelock.models import Model
from picturelock.temporal.errors import JobNotFound, StateUnavailable, translated

router = APIRouter(tags=["health"])
_READY_SECONDS: Final = 2.0
_FRESH_SECONDS: Final = 2.0
_NO_JOB: Final = "ready?"


class Health(Model):
    """Well, or not."""

    status: str = Field(description="`ok` or `ready`.")


@dataclass(slots=True)
class Readiness:
    """What is in the way of answering. Looked at every two seconds at the most, however many ask."""

    _troubles: list[str] = field(default_factory=list)
    _read_at: float = float("-inf")
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def troubles(self, services: Services) -> list[str]:
        """What is in the way, in words; nothing where all is well."""
        async with self._lock:
            if time.monotonic() - self._read_at > _FRESH_SECONDS:
                found = await asyncio.gather(_temporal(services), _store(services))
                self._troubles = [text for text in found if text]
                # Trouble is looked at anew each time: whoever waits for its end must not wait longer.
                self._read_at = float("-inf") if self._troubles else time.monotonic()
            return self._troubles


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz")
async def healthz() -> Health:
    """The process answers."""
    return Health(status="ok")


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", responses={503: PROBLEM})
async def readyz(shared: Shared) -> Health:
    """Temporal describes executions, which every GET of a job needs, and the store is there."""
    troubles = await shared.services.readiness.troubles(shared.services)
    if troubles:
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        raise Problem(503, "NOT_READY", _told(troubles, shared), headers=headers)
    return Health(status="ready")


def _told(troubles: list[str], shared: Context) -> str:
    """What is in the way; where keys are asked for, addresses and reasons are no stranger's business."""
    return "Temporal or the store is away" if shared.settings.authentication == "keys" else "; ".join(troubles)


async def _temporal(services: Services) -> str | None:
    """Why no job could be told of now; None where one could. The id asked for is no job's."""
    try:
        async with translated(_READY_SECONDS):
            await services.client.get_workflow_handle(_NO_JOB).describe()
    except StateUnavailable as error:
        return str(error)
    except JobNotFound:
        return None
    return None


async def _store(services: Services) -> str | None:
    try:
        await services.store.check_there()
    except PicturelockError as error:
        return error.message
    return None
