"""Errors as `application/problem+json` (RFC 9457), each with a code and the correlation id."""

from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api.correlation import correlation_id
from jobstate.errors import JobNotFound, StateRefused, StateUnavailable
from picturelock.errors import AssetUnreadable, PicturelockError, StoreUnavailable
from picturelock.models import JobId, Model
from picturelock.scripting.intake import RequestRefused

log = structlog.get_logger()
RETRY_AFTER_SECONDS = 2


class ProblemError(Model):
    """One of several things that are wrong."""

    path: str
    message: str
    code: str


class ProblemDocument(Model):
    """The body of every error answer."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    correlation_id: str
    job_id: str | None = None
    errors: list[ProblemError] | None = None


class Problem(Exception):
    """An error answer. `extra` goes into the document (camelCase keys)."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: dict[str, str] | None = None,
        **extra: Any,  # noqa: ANN401
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

    @app.exception_handler(Problem)
    async def problem(_request: Request, error: Problem) -> JSONResponse:
        return answer(error)

    @app.exception_handler(RequestRefused)
    async def refused(_request: Request, error: RequestRefused) -> JSONResponse:
        errors = [complaint.model_dump() for complaint in error.complaints]
        return answer(Problem(422, error.code, str(error), errors=errors))

    @app.exception_handler(JobNotFound)
    async def unknown(_request: Request, error: JobNotFound) -> JSONResponse:
        return answer(Problem(404, "JOB_NOT_FOUND", f"there is no such job: {error}"))

    @app.exception_handler(StateRefused)
    async def not_understood(_request: Request, error: StateRefused) -> JSONResponse:
        return answer(Problem(422, "INVALID_REQUEST", str(error)))

    @app.exception_handler(StateUnavailable)
    async def unavailable(_request: Request, error: StateUnavailable) -> JSONResponse:
        return answer(Problem(503, "STATE_UNAVAILABLE", str(error), headers={"Retry-After": str(RETRY_AFTER_SECONDS)}))

    @app.exception_handler(PicturelockError)
    async def domain(_request: Request, error: PicturelockError) -> JSONResponse:
        if isinstance(error, StoreUnavailable):
            headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
            return answer(Problem(503, error.code, error.message, headers=headers, remediation=error.remediation))
        status = 422 if isinstance(error, AssetUnreadable) else 400
        return answer(Problem(status, error.code, error.message, remediation=error.remediation))

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        errors = [
            {
                "path": ".".join(str(part) for part in one["loc"]),
                "message": one["msg"],
                "code": "INVALID_REQUEST",
            }
            for one in error.errors()
        ]
        detail = "; ".join(f"{one['path']}: {one['message']}" for one in errors)
        return answer(Problem(422, "INVALID_REQUEST", detail, errors=errors))

    @app.exception_handler(HTTPException)
    async def http(_request: Request, error: HTTPException) -> JSONResponse:
        code = HTTPStatus(error.status_code).name
        return answer(Problem(error.status_code, code, str(error.detail), headers=dict(error.headers or {})))

    @app.exception_handler(Exception)
    async def unexpected(_request: Request, error: Exception) -> JSONResponse:
        log.error("request failed unexpectedly", exc_info=error)
        return answer(
            Problem(500, "INTERNAL", "the request failed unexpectedly; it was logged with its correlation id")
        )
