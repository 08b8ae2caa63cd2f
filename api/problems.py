"""Errors as `application/problem+json` (RFC 9457), each with a code and the correlation id."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.exceptions import HTTPException

from api.correlation import correlation_id
from picturelock.errors import (
    ArtifactLost,
    AssetMissing,
    AssetUnreadable,
    DiskFull,
    GlyphMissing,
    InvalidRequest,
    InvalidScript,
    NotOffered,
    PicturelockError,
    PictureUnavailable,
    StoreUnavailable,
    VoiceUnavailable,
    WriterUnavailable,
)
from picturelock.models import JobId, Model
from picturelock.script.intake import RequestRefused
from picturelock.temporal.errors import JobDeleted, JobNotFound, StateRefused, StateUnavailable

RETRY_AFTER_SECONDS = 2
_SHOWN: Final = 50


class ProblemError(Model):
    """One of several things that are wrong."""

    path: str = Field(description="Of the field, such as `script.scenes.2.narration`.")
    message: str = Field(description="What is wrong with it.")
    code: str = Field(description="One of the codes.")


class ProblemDocument(Model):
    """The body of every error answer."""

    type: str = Field(default="about:blank", description="Always `about:blank`: `code` tells what it is.")
    title: str = Field(description="Of the status code.")
    status: int = Field(description="The answer's status code.")
    detail: str = Field(description="What is wrong, in a sentence.")
    code: str = Field(description="One of the codes.")
    correlation_id: str = Field(description="Of this request; it is in the logs.")
    job_id: str | None = Field(default=None, description="The job that it is about.")
    errors: list[ProblemError] | None = Field(default=None, description="Each thing that is wrong with the request.")


PROBLEM: Final[dict[str, Any]] = {
    "description": "What went wrong, as application/problem+json.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
}


class Problem(Exception):
    """An error answer. `extra` goes into the document (camelCase keys)."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: dict[str, str] | None = None,
        **extra: object,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers or {}
        self.extra = extra


def not_found(job_id: JobId) -> Problem:
    """The answer for an id that Temporal does not know."""
    return Problem(404, "JOB_NOT_FOUND", f"there is no job {job_id}", jobId=job_id)


def answer(problem: Problem) -> JSONResponse:
    """A problem as a response."""
    document = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "correlationId": correlation_id(),
        **problem.extra,
    }
    return JSONResponse(document, problem.status, problem.headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Registers a handler for everything that can go wrong."""
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, _answering(handler))


def _answering(handler: Callable[[Any], Problem]) -> Callable[[Request, Exception], Awaitable[JSONResponse]]:
    async def respond(_request: Request, error: Exception) -> JSONResponse:
        return answer(handler(error))

    return respond


def _refused(error: RequestRefused) -> Problem:
    errors = [complaint.model_dump() for complaint in error.complaints]
    return Problem(422, error.code, str(error), errors=errors)


def _away(code: str, detail: str, **extra: str) -> Problem:
    return Problem(503, code, detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)}, **extra)


def _domain(error: PicturelockError) -> Problem:
    if isinstance(error, StoreUnavailable):
        return _away(error.code, error.message, remediation=error.remediation)
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 500)
    return Problem(status, error.code, error.message, remediation=error.remediation)


def _invalid(error: RequestValidationError) -> Problem:
    errors = [
        {"path": ".".join(str(part) for part in detail["loc"]), "message": detail["msg"], "code": "INVALID_REQUEST"}
        for detail in error.errors()[:_SHOWN]
    ]
    detail = "; ".join(f"{one['path']}: {one['message']}" for one in errors)
    return Problem(422, "INVALID_REQUEST", detail, errors=errors)


def _http(error: HTTPException) -> Problem:
    code = HTTPStatus(error.status_code).name
    return Problem(error.status_code, code, str(error.detail), headers=dict(error.headers or {}))


def unexpected(_error: Exception) -> JSONResponse:
    """The answer to a programming error, which was logged with the correlation id."""
    return answer(Problem(500, "INTERNAL", "the request failed unexpectedly; it was logged with its correlation id"))


_STATUS: Final[dict[type[PicturelockError], int]] = {
    AssetUnreadable: 422,
    AssetMissing: 422,
    ArtifactLost: 410,
    DiskFull: 507,
}
PROBLEM_STATUS: Final = {
    kind.code: 422 for kind in (InvalidScript, InvalidRequest, AssetMissing, AssetUnreadable, NotOffered, GlyphMissing)
} | {VoiceUnavailable.code: 422, WriterUnavailable.code: 422, PictureUnavailable.code: 422}
"""The answers to what was found out by a worker, by its code."""

_HANDLERS: Final[dict[type[Exception], Callable[[Any], Problem]]] = {
    Problem: lambda error: error,
    RequestRefused: _refused,
    JobDeleted: lambda error: Problem(410, "DELETED", f"job {error} was deleted", jobId=str(error)),
    JobNotFound: lambda error: not_found(str(error)),
    StateRefused: lambda error: Problem(422, "INVALID_REQUEST", str(error)),
    StateUnavailable: lambda error: _away("STATE_UNAVAILABLE", str(error)),
    PicturelockError: _domain,
    RequestValidationError: _invalid,
    HTTPException: _http,
}
