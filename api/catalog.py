"""What this installation offers, and whether it is well."""

import asyncio
from typing import Final

from fastapi import APIRouter
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.service import RPCError, RPCStatusCode

from api.context import Context, Shared
from api.problems import PROBLEM, RETRY_AFTER_SECONDS, Problem
from picturelock.errors import PicturelockError
from picturelock.models import Model
from picturelock.presets import DEFAULT_PRESET, PRESETS, Preset

router = APIRouter()
_READY_SECONDS: Final = 2.0


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
    """Temporal answers and the store is writable."""
    troubles = [text for text in await asyncio.gather(_temporal(shared), _store(shared)) if text]
    if troubles:
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        raise Problem(503, "NOT_READY", "; ".join(troubles), headers=headers)
    return Health(status="ready")


async def _temporal(shared: Context) -> str | None:
    try:
        async with asyncio.timeout(_READY_SECONDS):
            namespace = DescribeNamespaceRequest(namespace=shared.client.namespace)
            await shared.client.workflow_service.describe_namespace(namespace)
    except RPCError as error:
        missing = error.status is RPCStatusCode.NOT_FOUND
        return f"Temporal has no namespace {shared.client.namespace}" if missing else "Temporal does not answer"
    except (RuntimeError, TimeoutError):
        return "Temporal does not answer"
    return None


async def _store(shared: Context) -> str | None:
    try:
        await shared.store.check_writable()
    except PicturelockError as error:
        return error.message
    return None
