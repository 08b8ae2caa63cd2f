"""`X-Correlation-ID`: accepted, made when absent, returned, logged."""

import re
import uuid
from contextvars import ContextVar
from typing import Final

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER: Final = "X-Correlation-ID"
_ACCEPTED: Final = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
_CURRENT: ContextVar[str] = ContextVar("correlation_id", default="-")


def correlation_id() -> str:
    """The correlation id of the request that is being answered."""
    return _CURRENT.get()


class CorrelationMiddleware:
    """Plain ASGI: a streaming response passes through untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(HEADER.lower().encode(), b"").decode("latin-1")
        current = given if _ACCEPTED.fullmatch(given) else uuid.uuid4().hex
        _CURRENT.set(current)

        async def send_with_header(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = current
            await send(message)

        with structlog.contextvars.bound_contextvars(correlation_id=current):
            await self._app(scope, receive, send_with_header)
