"""What an export would be, and how its scenes look, before it is asked for."""

import asyncio
import hashlib
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response

from api.body import described, read_body
from api.context import Context, Shared
from api.create import require_assets
from api.problems import PROBLEM
from api.short_work import ShortWork, done_by_worker
from picturelock.models import ExportRequest
from picturelock.models.forecast import Forecast
from picturelock.script.intake import read_request
from picturelock.temporal.contracts import DrawnStill, ForecastTask, Foreseen, StillTask
from picturelock.temporal.names import FORECAST_WORKFLOW, STILL_WORKFLOW, look_id

router = APIRouter(prefix="/api", tags=["plan"])
_SECONDS: Final = 20.0
_SCENES: Final = 300
_BODY: Final = described(ExportRequest)


@router.post(
    "/plan",
    response_model=Forecast,
    responses={413: PROBLEM, 415: PROBLEM, 422: PROBLEM, 503: PROBLEM},
    openapi_extra=_BODY,
)
async def plan_export(request: Request, shared: Shared) -> Forecast:
    """What an export of this request would be: what is found, what would be made, its length. Nothing is made."""
    export, digest = await _read(request, shared)
    task = ForecastTask(request=export, owner=shared.caller.restricted_to)
    work = ShortWork(FORECAST_WORKFLOW, task, look_id("plan", digest), "the plan", _SECONDS)
    return (await done_by_worker(work, Foreseen, shared)).forecast


@router.post(
    "/stills",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}, 413: PROBLEM, 415: PROBLEM, 422: PROBLEM, 503: PROBLEM},
    openapi_extra=_BODY,
)
async def draw_still(
    request: Request,
    shared: Shared,
    scene: Annotated[int, Query(ge=1, le=_SCENES, description="Which scene, from 1.")] = 1,
) -> Response:
    """One scene of this request as a JPEG of 640 pixels across, drawn as in the film, without captions."""
    return await _drawn(request, shared, scene)


@router.post(
    "/sheet",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}, 413: PROBLEM, 415: PROBLEM, 422: PROBLEM, 503: PROBLEM},
    openapi_extra=_BODY,
)
async def draw_sheet(request: Request, shared: Shared) -> Response:
    """All scenes of this request, up to 24, as one numbered contact sheet: a JPEG of 100 kB at the most."""
    return await _drawn(request, shared, None)


async def _drawn(request: Request, shared: Context, scene: int | None) -> Response:
    export, digest = await _read(request, shared)
    index = None if scene is None else scene - 1
    task = StillTask(request=export, scene_index=index, owner=shared.caller.restricted_to)
    work = ShortWork(STILL_WORKFLOW, task, look_id(f"still-{scene or 'all'}", digest), "the still", _SECONDS)
    still = await done_by_worker(work, DrawnStill, shared)
    headers = {"ETag": f'"{still.image.sha256}"', "Cache-Control": "no-store"}
    return Response(await shared.store.read(still.image), media_type=still.image.media_type, headers=headers)


async def _read(request: Request, shared: Context) -> tuple[ExportRequest, str]:
    """The request that was sent, and a digest of it and its owner: who asks the same meanwhile waits for the same."""
    body = await read_body(request, shared.settings.max_request_bytes)
    export = await asyncio.to_thread(read_request, body)
    await require_assets(export, shared)
    return export, hashlib.sha256(f"{shared.caller.owner}\0".encode() + body).hexdigest()
