"""uvicorn, told to let the viewers of events go before it waits for open requests to end."""

import socket
from typing import Final

import uvicorn

from api.context import Context

SHUTDOWN_SECONDS: Final = 5
"""Requests that are being answered get this long to end."""

STALL_SECONDS: Final = 15.0
"""How long a client may take nothing of what is sent to it before its connection is cut."""

BACKLOG: Final = 4096
"""Clients that may knock in the same moment, as after the restart of a server that had many."""


class Server(uvicorn.Server):
    """Streams would otherwise keep the server from ending; their clients reconnect elsewhere and miss nothing."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends the streams, then the server."""
        app = self.config.loaded_app
        context: Context | None = getattr(getattr(_innermost(app), "state", None), "context", None)
        if context is not None:
            context.watchers.close()
        await super().shutdown(sockets)


def listen(host: str, port: int, stall_seconds: float = STALL_SECONDS) -> socket.socket:
    """A listening socket whose connections are cut by the kernel when their client reads nothing for too long.

    No time-out in this process could do it: closing a connection waits for what is buffered, which nobody will read.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(stall_seconds * 1000))
    listening.settimeout(0)
    return listening


def _innermost(app: object) -> object:
    """The application inside uvicorn's own middleware."""
    while (inner := getattr(app, "app", None)) is not None:
        app = inner
    return app
