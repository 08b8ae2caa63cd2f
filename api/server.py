"""uvicorn, told to let the viewers of events go before it waits for open requests to end."""

import socket

import uvicorn

from api.context import Context

SHUTDOWN_SECONDS = 5
"""Requests that are being answered get this long to end."""


class Server(uvicorn.Server):
    """Streams would otherwise keep the server from ending; their clients reconnect elsewhere and miss nothing."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends the streams, then the server."""
        app = self.config.loaded_app
        context: Context | None = getattr(getattr(_innermost(app), "state", None), "context", None)
        if context is not None:
            context.watchers.close()
        await super().shutdown(sockets)


def _innermost(app: object) -> object:
    """The application inside uvicorn's own middleware."""
    while (inner := getattr(app, "app", None)) is not None:
        app = inner
    return app
