"""Browsers: a key is exchanged for a session once; tickets and links open one job to what cannot send a header.

`EventSource` and `<video>` send no headers. A key in an address would be in every log and every referrer, so they get
a ticket or a link: signed, of one job, good for a while, and worth nothing once the key is revoked.
"""

import time
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from api.access import COOKIE
from api.body import described, read_body
from api.context import Shared
from api.problems import PROBLEM, Problem
from picturelock.auth.caller import Scope
from picturelock.auth.tokens import Grant
from picturelock.models import Input, JobId, Model

router = APIRouter(tags=["access"])
SESSION_SECONDS: Final = 12 * 3_600
TICKET_SECONDS: Final = 60
_LOGIN_BYTES: Final = 1_000
_Answers = dict[int | str, dict[str, Any]]
_ANSWERS: Final[_Answers] = {
    404: PROBLEM, 409: PROBLEM, 413: PROBLEM, 415: PROBLEM, 422: PROBLEM, 503: PROBLEM,
}  # fmt: skip
_LOGIN_ANSWERS: Final[_Answers] = {401: PROBLEM, 413: PROBLEM, 415: PROBLEM, 422: PROBLEM, 503: PROBLEM}


class Login(Input):
    """A key, to be exchanged."""

    key: Annotated[str, Field(max_length=200, description="Begins with `plk_`.")]


class Session(Model):
    """Who is logged in, and what he may do."""

    owner: str = Field(description="Whose key it is; `local` where there are no owners.")
    scopes: list[Scope] = Field(description="What it allows.")


class Ticket(Model):
    """What opens the events of one job, if they are asked for in time: `…/events?ticket=…`."""

    ticket: str = Field(description="For the query of `…/events`.")
    expires_in_seconds: int = Field(description="How long it opens a stream; one that is open stays.")


class LinkWanted(Input):
    """Which file of the job; its film when not given."""

    name: Annotated[str | None, Field(max_length=200, description="One of the job's `artifacts`.")] = None


class Link(Model):
    """An address that opens one file to whoever has it."""

    url: str = Field(description="Without the server's name.")
    expires_in_seconds: int = Field(description="How long it is good for.")


@router.post("/api/session", responses=_LOGIN_ANSWERS, openapi_extra=described(Login))
async def log_in(request: Request, shared: Shared) -> Session:
    """Exchanges a key for a session: a cookie that scripts cannot read."""
    body = await read_body(request, _LOGIN_BYTES)
    services = shared.services
    try:
        key = Login.model_validate_json(body).key
    except ValueError as error:
        raise Problem(422, "INVALID_REQUEST", 'send {"key": "plk_…"}') from error
    caller = await services.keyring.caller(key) if services.settings.authentication == "keys" else None
    if caller is None or caller.key_id is None:
        services.quotas.admit_failure(request.client.host if request.client else "-")
        raise Problem(401, "UNAUTHENTICATED", "that is no valid key")
    token = services.signer.sign(Grant(purpose="session", key_id=caller.key_id, expires=time.time() + SESSION_SECONDS))
    session = Session(owner=caller.owner, scopes=sorted(caller.scopes))
    response = JSONResponse(session.model_dump(mode="json"))
    response.set_cookie(
        COOKIE, token, max_age=SESSION_SECONDS, httponly=True, samesite="lax", secure=request.url.scheme == "https"
    )
    return response  # type: ignore[return-value] # what the annotation says is what it holds


@router.get("/api/session", responses={401: PROBLEM})
async def read_session(shared: Shared) -> Session:
    """Whose key or session it is that asks, and what it may do."""
    return Session(owner=shared.caller.owner, scopes=sorted(shared.caller.scopes))


@router.delete("/api/session", status_code=204)
async def log_out() -> Response:
    """Forgets the session of this browser."""
    response = Response(status_code=204)
    response.delete_cookie(COOKIE)
    return response


@router.post("/api/jobs/{job_id}/tickets", status_code=201, responses=_ANSWERS)
async def make_ticket(job_id: JobId, shared: Shared) -> Ticket:
    """What opens the job's events to an `EventSource`, for a minute to begin with."""
    await shared.jobs.observe(job_id)
    expires = time.time() + TICKET_SECONDS
    grant = Grant(purpose="ticket", key_id=_key(shared), job=job_id, expires=expires)
    return Ticket(ticket=shared.services.signer.sign(grant), expires_in_seconds=TICKET_SECONDS)


@router.post(
    "/api/jobs/{job_id}/links",
    status_code=201,
    responses=_ANSWERS,
    openapi_extra=described(LinkWanted, required=False),
)
async def make_link(request: Request, job_id: JobId, shared: Shared) -> Link:
    """An address of the film, or of a file that belongs to it, for a `<video>` or for somebody else."""
    body = await read_body(request, _LOGIN_BYTES) if request.headers.get("content-length", "0") != "0" else b"{}"
    try:
        wanted = LinkWanted.model_validate_json(body)
    except ValueError as error:
        raise Problem(422, "INVALID_REQUEST", 'send {"name": "poster.jpg"}, or nothing for the film') from error
    await shared.jobs.observe(job_id)
    seconds = shared.settings.link_seconds
    grant = Grant(purpose="link", key_id=_key(shared), job=job_id, name=wanted.name, expires=time.time() + seconds)
    path = f"artifacts/{wanted.name}" if wanted.name else "output"
    token = shared.services.signer.sign(grant)
    return Link(url=f"/api/jobs/{job_id}/{path}?link={token}", expires_in_seconds=seconds)


def _key(shared: Shared) -> str:
    key = shared.caller.key_id
    if key is None:
        raise Problem(409, "NO_KEYS", "this installation asks for no keys: its addresses open as they are")
    return key
