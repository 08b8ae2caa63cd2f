"""Shares: an address that shows one film to whoever has it, and nothing else of the installation.

The address names the page, and a token behind `#`, which browsers send to nobody. The page exchanges it for a cookie
that is sent with requests about this one job; what it opens is in `api.access`. It is worth nothing once it has
expired, or the key that it was made with is revoked.
"""

import time
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from api.access import SHARE_COOKIE, SHARED_FILES
from api.body import described, read_body
from api.context import Shared
from api.problems import PROBLEM, Problem
from api.strip import read_strip
from picturelock.auth.tokens import Grant
from picturelock.jobs.status import assemble
from picturelock.models import ArtifactLink, Input, JobId, Model, Output, Status

router = APIRouter(tags=["access"])
_BYTES: Final = 10_000
_DAY_SECONDS: Final = 86_400
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    404: PROBLEM, 410: PROBLEM, 413: PROBLEM, 415: PROBLEM, 422: PROBLEM, 503: PROBLEM,
}  # fmt: skip


class ShareWanted(Input):
    """For how long a film is shared."""

    days: Annotated[int, Field(ge=1, le=90, description="How long the address is good for.")] = 7


class Share(Model):
    """An address of the page that shows one film; without keys it needs no token, and does not expire."""

    url: str = Field(description="Without the server's name.")
    expires_in_seconds: int | None = Field(description="How long it is good for; null: as long as the film is there.")


class ShareToken(Input):
    """What the address has behind the job's id."""

    token: Annotated[str, Field(max_length=8_192, description="The last part of the address.")]


class ShareOpened(Model):
    """Which job the token opens."""

    job_id: JobId = Field(description="The job that the cookie opens.")


class SharedFilm(Model):
    """A film as those see it whom it is shared with."""

    title: str = Field(description="The film's.")
    status: Status = Field(description="How far it is.")
    progress: float = Field(description="Percent.")
    created_at: datetime = Field(description="When it was asked for.")
    completed_at: datetime | None = Field(description="When it was ready.")
    output_path: str | None = Field(description="Where the film is; set with `completed`.")
    output: Output | None = Field(description="What the film is; set with `completed`.")
    artifacts: list[ArtifactLink] = Field(description="Poster, captions and transcript.")
    preview_seconds: float = Field(description="How much of the beginning the preview plays by now.")
    duration_seconds: float | None = Field(description="Of the whole film; null until it is composed.")


@router.post(
    "/api/jobs/{job_id}/shares",
    status_code=201,
    responses=_ANSWERS,
    openapi_extra=described(ShareWanted, required=False),
)
async def make_share(request: Request, job_id: JobId, shared: Shared) -> Share:
    """An address that shows the film, and how far it is, to whoever has it."""
    empty = request.headers.get("content-length", "0") == "0" and "transfer-encoding" not in request.headers
    body = b"{}" if empty else await read_body(request, _BYTES)
    try:
        wanted = ShareWanted.model_validate_json(body)
    except ValueError as error:
        raise Problem(422, "INVALID_REQUEST", 'send {"days": 7} (1 to 90), or nothing') from error
    await shared.jobs.observe(job_id)
    if shared.caller.key_id is None:
        return Share(url=f"/#/shared/{job_id}", expires_in_seconds=None)
    seconds = wanted.days * _DAY_SECONDS
    grant = Grant(purpose="share", key_id=shared.caller.key_id, job=job_id, expires=time.time() + seconds)
    return Share(url=f"/#/shared/{job_id}/{shared.services.signer.sign(grant)}", expires_in_seconds=seconds)


@router.post(
    "/api/shares",
    responses={401: PROBLEM, 413: PROBLEM, 415: PROBLEM, 422: PROBLEM, 503: PROBLEM},
    openapi_extra=described(ShareToken),
)
async def open_share(request: Request, shared: Shared) -> ShareOpened:
    """Exchanges the token of a shared address for a cookie that opens this one film."""
    try:
        token = ShareToken.model_validate_json(await read_body(request, _BYTES)).token
    except ValueError as error:
        raise Problem(422, "INVALID_REQUEST", 'send {"token": "…"}') from error
    services, now = shared.services, time.time()
    grant = services.signer.read(token, "share", now)
    if grant is None or grant.job is None or await services.keyring.caller_of(grant.key_id) is None:
        services.quotas.admit_failure(request.client.host if request.client else "-")
        raise Problem(401, "UNAUTHENTICATED", "this address is not good any more")
    response = JSONResponse(ShareOpened(job_id=grant.job).model_dump(mode="json"))
    response.set_cookie(
        SHARE_COOKIE,
        token,
        max_age=max(1, int(grant.expires - now)),
        path=f"/api/jobs/{grant.job}",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response  # type: ignore[return-value] # what the annotation says is what it holds


@router.head("/api/jobs/{job_id}/shared", include_in_schema=False)
@router.get("/api/jobs/{job_id}/shared", response_model=SharedFilm, responses=_ANSWERS)
async def read_shared_film(job_id: JobId, shared: Shared) -> Response:
    """The film as those see it whom it is shared with: no script, no metadata, no history."""
    job, strip = assemble(await shared.jobs.observe(job_id)), await read_strip(job_id, shared)
    film = SharedFilm(
        preview_seconds=strip.preview_seconds,
        duration_seconds=strip.total_frames / strip.fps if strip.total_frames and strip.fps else None,
        title=job.title,
        status=job.status,
        progress=job.progress,
        created_at=job.created_at,
        completed_at=job.completed_at,
        output_path=job.output_path,
        output=job.output,
        artifacts=[file for file in job.artifacts if file.name in SHARED_FILES],
    )
    return JSONResponse(film.model_dump(mode="json"), headers={"Cache-Control": "no-store"})
