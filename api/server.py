"""uvicorn, told to let the viewers of events go before it ends, and to cut off those that stop reading."""

import asyncio
import socket
from typing import Any, Final

import uvicorn
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.context import Context

SHUTDOWN_SECONDS: Final = 5
"""Requests that are being answered get this long to end."""

BACKLOG: Final = 4096
"""Clients that may knock in the same moment, as after the restart of a server that had many."""

_TRANSPORT: Final = "picturelock.transport"


class Server(uvicorn.Server):
    """Streams would otherwise keep the server from ending; their clients reconnect elsewhere and miss nothing."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends the streams, then the server."""
        app = self.config.loaded_app
        context: Context | None = getattr(getattr(_innermost(app), "state", None), "context", None)
        if context is not None:
            context.watchers.close()
        await super().shutdown(sockets)


class Protocol(HttpToolsProtocol):
    """uvicorn's own, which also tells an application the transport of its request."""

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self.scope.setdefault("extensions", {})[_TRANSPORT] = {"transport": self.transport}


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
