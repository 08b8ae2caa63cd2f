"""`X-Correlation-ID`: accepted, made when absent, returned, logged."""

import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger()
HEADER: Final = "X-Correlation-ID"
_ACCEPTED: Final = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
_CURRENT: ContextVar[str] = ContextVar("correlation_id", default="-")


def correlation_id() -> str:
    """The correlation id of the request that is being answered."""
    return _CURRENT.get()


class CorrelationMiddleware:
    """Plain ASGI: a streaming response passes through untouched. `on_error` answers what nothing else has answered."""

    def __init__(self, app: ASGIApp, on_error: Callable[[Exception], ASGIApp]) -> None:
        self._app = app
        self._on_error = on_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(HEADER.lower().encode(), b"").decode("latin-1")
        current = given if _ACCEPTED.fullmatch(given) else uuid.uuid4().hex
        _CURRENT.set(current)

        started = False

        async def send_with_header(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message)[HEADER] = current
            await send(message)

        with structlog.contextvars.bound_contextvars(correlation_id=current):
            try:
                await self._app(scope, receive, send_with_header)
            except ClientDisconnect:
                return
            except Exception as error:
                job = scope.get("path_params", {}).get("job_id")
                log.exception("request failed unexpectedly", path=scope["path"], **({"job": job} if job else {}))
                if started:
                    raise
                await self._on_error(error)(scope, receive, send_with_header)
