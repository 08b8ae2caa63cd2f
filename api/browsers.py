"""What browsers are refused: requests that a page of somebody else makes, and names that are not this server's.

Any page that a user visits may send requests to a server on the user's own machine. What it may not do is read the
answers, unless it makes its own name point at that machine (DNS rebinding). So a name in `Host` has to be known, and a
request that changes something must not come from another site: the algorithm of Go's `http.CrossOriginProtection`
(https://go.dev/src/net/http/csrf.go). Clients that are no browsers send neither header and are not concerned.
"""

import contextlib
import ipaddress
from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Problem, answer

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITE: Final = frozenset({"same-origin", "none"})
_LOOPBACK: Final = frozenset({"localhost"})
_POLICY: Final = b"content-security-policy"
_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)
"""Of every answer: no guessing of media types, no frames of other pages, and no address given away by a link."""


class BrowserGuard:
    """ASGI middleware, which also tells browsers what they may do with an answer.

    `hosts` are the names, beside loopback's, under which the server may be asked; pages of `origins` may ask for
    everything.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = (), origins: Collection[str] = ()) -> None:
        self._app = app
        self._hosts = frozenset(host.strip().lower() for host in hosts if host.strip())
        self._origins = frozenset(origins)
        embedding = b"cross-origin" if origins else b"same-origin"
        self._headers = (*_HEADERS, (b"cross-origin-resource-policy", embedding))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers what is refused, and hands everything else on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"] = [*message.get("headers", ()), *self._headers]
                if not any(name.lower() == _POLICY for name, _ in headers):
                    headers.append((_POLICY, b"default-src 'none'; frame-ancestors 'none'"))
            await send(message)

        if (problem := self._refused(scope)) is not None:
            await answer(problem)(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)

    def _refused(self, scope: Scope) -> Problem | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if _is_address(scope) and not self._is_known(host):
            text = f"PICTURELOCK_ALLOWED_HOSTS does not name {host[:100]!r}"
            return Problem(421, "HOST_NOT_ALLOWED", text)
        if scope["method"] not in _SAFE and _is_from_elsewhere(headers, host, self._origins):
            return Problem(403, "CROSS_SITE", "a page of another site may not ask for that")
        return None

    def _is_known(self, host: str) -> bool:
        """Whether a `Host` is a name of this server. An address is: nobody can make it point elsewhere."""
        name = _host_of(f"//{host}")
        return name in _LOOPBACK or name.endswith(".localhost") or name in self._hosts or _is_ip(name)


def _is_address(scope: Scope) -> bool:
    """Whether the request has come through a network: a test client or a Unix socket has no address."""
    server = scope.get("server")
    return server is not None and _is_ip(str(server[0]))


def _is_ip(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_from_elsewhere(headers: Headers, host: str, origins: Collection[str]) -> bool:
    origin = headers.get("origin")
    if origin is not None and origin in origins:
        return False
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in _OWN_SITE
    return origin is not None and _origin_host(origin) != host.lower()


def _origin_host(origin: str) -> str:
    with contextlib.suppress(ValueError):
        return urlsplit(origin).netloc.lower()
    return ""


def _host_of(url: str) -> str:
    """The name in an address; nothing where it is none."""
    with contextlib.suppress(ValueError):
        return (urlsplit(url).hostname or "").lower()
    return ""
