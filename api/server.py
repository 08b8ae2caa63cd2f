"""uvicorn, with limits: heads that are too long or too slow, bodies that drip, viewers that stop reading.

It also lets the viewers of events go before it ends. What a proxy usually does in front of a server is done here,
because a stack on somebody's own machine has no proxy.
"""

import asyncio
import json
import resource
import socket
from http import HTTPStatus
from typing import Any, Final

import uvicorn
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.context import Services

SHUTDOWN_SECONDS: Final = 5
"""Requests that are being answered get this long to end."""

BACKLOG: Final = 4096
"""Clients that may knock in the same moment, as after the restart of a server that had many."""

HEAD_BYTES: Final = 32_768
_LONG_HEAD: Final = f"a head has {HEAD_BYTES} bytes at the most"
TARGET_BYTES: Final = 8_192
HEAD_SECONDS: Final = 10.0
"""How long a client may take from the first byte of a connection or request to the end of its head."""

BODY_SECONDS: Final = 10.0
BODY_BYTES: Final = 4_096
"""The least of a body that has to come in `BODY_SECONDS`."""

_SPARE_FILES: Final = 200
_TRANSPORT: Final = "picturelock.transport"


class Server(uvicorn.Server):
    """Streams would otherwise keep the server from ending; their clients reconnect elsewhere and miss nothing."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends the streams, then the server."""
        app = self.config.loaded_app
        services: Services | None = getattr(getattr(_innermost(app), "state", None), "services", None)
        if services is not None:
            services.watchers.close()
        await super().shutdown(sockets)


class Protocol(HttpToolsProtocol):
    """uvicorn's own, with limits of what may come and how slowly; it tells an application the transport of its request.

    A head counts as too long while it comes: the parser keeps one header of any length until it is complete.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*args, **kwargs)
        self._head_bytes = 0
        self._in_head = True
        self._refused = False
        self._body_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected: its head is due."""
        super().connection_made(transport)
        self._expect(HEAD_SECONDS, self._late)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._expect_nothing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some of a request has come."""
        if self._refused:
            return
        super().data_received(data)
        if self._refused or self.transport.is_closing():
            return
        between = self.cycle is None or self.cycle.response_complete
        if between and self._deadline is None:  # line ends before a request count as nothing, and hold the line
            self._in_head, self._head_bytes = True, 0
            self._expect(HEAD_SECONDS, self._late)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, _LONG_HEAD, code="HEAD_TOO_LARGE")

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        if self._deadline is None:
            self._expect(HEAD_SECONDS, self._late)
        self.scope.setdefault("extensions", {})[_TRANSPORT] = {"transport": self.transport}

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._in_head = False
        self._expect_nothing()
        if self._refused:
            return
        if len(self.url) > TARGET_BYTES:
            text = f"an address has {TARGET_BYTES} bytes at the most"
            self._refuse(HTTPStatus.REQUEST_URI_TOO_LONG, text, code="TARGET_TOO_LONG")
        elif sum(len(name) + len(value) + 4 for name, value in self.headers) > HEAD_BYTES:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, _LONG_HEAD, code="HEAD_TOO_LARGE")
        else:
            super().on_headers_complete()
            if any(name in {b"content-length", b"transfer-encoding"} for name, _ in self.headers):
                self._body_bytes = 0
                self._expect(BODY_SECONDS, self._look_at_body)

    def on_body(self, body: bytes) -> None:
        """Some of a body has come."""
        if not self._refused:
            self._body_bytes += len(body)
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is there."""
        self._expect_nothing()
        if not self._refused:
            super().on_message_complete()

    def _look_at_body(self) -> None:
        """Cuts a body that drips. One that the application does not take just now is not the client's fault."""
        self._deadline = None
        if self._body_bytes < BODY_BYTES and not self.flow.read_paused:
            self._late()
            return
        self._body_bytes = 0
        self._expect(BODY_SECONDS, self._look_at_body)

    def _expect(self, seconds: float, otherwise: Any) -> None:  # noqa: ANN401 - a method of this class
        self._expect_nothing()
        self._deadline = self.loop.call_later(seconds, otherwise)

    def _expect_nothing(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        self._refuse(HTTPStatus.REQUEST_TIMEOUT, "the request came too slowly", code="TOO_SLOW")

    def _refuse(self, status: HTTPStatus, detail: str, *, code: str) -> None:
        """Answers what the application never sees, unless it has begun to answer, and closes the connection."""
        self._refused = True
        self._expect_nothing()
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(_problem(status, detail, code))
        self.transport.close()


def _problem(status: HTTPStatus, detail: str, code: str) -> bytes:
    document = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail, "code": code}
    body = json.dumps(document).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/problem+json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body


def configuration(app: Any, *, host: str = "127.0.0.1", port: int = 8080) -> uvicorn.Config:  # noqa: ANN401 - ASGI
    """How uvicorn serves the API: with our protocol, and as many clients as there may be open files."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        server_header=False,
        backlog=BACKLOG,
        limit_concurrency=_open_files() - _SPARE_FILES,
    )


def _open_files() -> int:
    """How many files this process may have open, after asking for all that it may ask for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 1_048_576 if hard == resource.RLIM_INFINITY else hard
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def limit_stall(scope: Scope, seconds: float) -> None:
    """Has the kernel cut the request's connection when its client takes nothing of what is sent for so long (0: never).

    No time-out in this process could do it: closing a connection waits for what is buffered, which nobody will read.
    """
    extension: dict[str, Any] = scope.get("extensions", {}).get(_TRANSPORT, {})
    transport: asyncio.Transport | None = extension.get("transport")
    connection = transport.get_extra_info("socket") if transport else None
    if connection is not None and not getattr(transport, "is_closing", lambda: False)():
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1000))


def _innermost(app: object) -> object:
    """The application inside uvicorn's own middleware."""
    while (inner := getattr(app, "app", None)) is not None:
        app = inner
    return app
