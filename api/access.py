"""Who may ask for what: every request has a caller before any route sees it, and what is not allowed is refused.

Where keys are asked for, a caller shows one in `Authorization: Bearer plk_…` or `X-API-Key`. A browser has a session
instead (a cookie, `api.sessions`), or, for one job, the cookie of a shared address (`api.shares`), a ticket or a link
in the query. `docs/security.md` has the table.
"""

import re
import time
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.context import CALLER, Services
from api.problems import Problem, answer
from picturelock.auth import caller as callers
from picturelock.auth.caller import EVERYBODY, Caller
from picturelock.auth.tokens import Grant, Purpose
from picturelock.errors import StorageError
from picturelock.settings import Settings

COOKIE: Final = "picturelock_session"
SHARE_COOKIE: Final = "picturelock_share"
OPEN: Final = frozenset(
    [(method, path) for method in ("GET", "HEAD") for path in ("/healthz", "/readyz", "/", "/llms.txt", "/web/{file}")]
    + [(method, "/api/session") for method in ("POST", "DELETE")]
    + [("POST", "/api/shares")]
)
"""What needs no key: whether the process answers, the page, and where a key or a shared address is exchanged."""

_PAGE: Final = re.compile(r"/web/[^/]+")

_METRICS: Final = frozenset({"/metrics"})
_DOCS: Final = re.compile(r"/docs(/.*)?|/openapi\.json")
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_POST, _DELETE = frozenset({"POST"}), frozenset({"DELETE"})
_PIECES: Final = frozenset({"POST", "PATCH", "DELETE"})
_TABLE: Final[tuple[tuple[frozenset[str], re.Pattern[str], callers.Scope], ...]] = (
    (_SAFE, re.compile(r"/metrics|/docs(/.*)?|/openapi\.json"), "admin"),
    (_SAFE, re.compile(r"/api/webhook-secret"), "control"),
    (_SAFE | _PIECES, re.compile(r"/api/uploads(/[^/]+)?"), "upload"),
    (_SAFE, re.compile(r".*"), "read"),
    (_POST, re.compile(r"/api/(jobs|batches|plan|stills|sheet)"), "create"),
    (_POST, re.compile(r"/api/jobs/[^/]+/(tickets|links|shares)"), "read"),
    (_POST, re.compile(r"/api/jobs/[^/]+/(cancel|pause|resume|retry)"), "control"),
    (_DELETE, re.compile(r"/api/jobs/[^/]+"), "control"),
    (_POST, re.compile(r"/api/assets"), "upload"),
    (_DELETE, re.compile(r"/api/assets/[^/]+"), "upload"),
)
"""Which scope a request needs, the first line that fits; what none fits is for admins."""

_GRANTED: Final = re.compile(
    r"/api/jobs/(?P<job>[^/]+)/(?:(?P<events>events)|(?P<film>output)|artifacts/(?P<name>[^/]+))"
)
SHARED_FILES: Final = ("poster.jpg", "captions.vtt", "captions.srt", "transcript.txt", "transcript.html")
"""The files of a film that go with it. The others tell how it was made."""

_FILES: Final = "|".join(map(re.escape, SHARED_FILES))
_SHOWN: Final = re.compile(rf"/api/jobs/(?P<job>[^/]+)/(shared|output|preview(\.m3u8|/.+)|artifacts/({_FILES}))")
"""What a shared address opens, for reading."""


def needed(method: str, path: str) -> callers.Scope:
    """The scope that a request needs.

    >>> needed("GET", "/api/jobs"), needed("POST", "/api/jobs"), needed("DELETE", "/api/everything")
    ('read', 'create', 'admin')
    """
    return next((scope for methods, paths, scope in _TABLE if method in methods and paths.fullmatch(path)), "admin")


class AccessGuard:
    """ASGI middleware: finds the caller of a request, or refuses it."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] == "http":
            try:
                scope[CALLER] = await _admitted(scope, self._settings)
            except Problem as problem:
                await answer(problem)(scope, receive, send)
                return
            except StorageError as error:
                text = f"keys cannot be read now: {error.message}"
                await answer(Problem(503, error.code, text, headers={"Retry-After": "2"}))(scope, receive, send)
                return
        await self._app(scope, receive, send)


async def _admitted(scope: Scope, settings: Settings) -> Caller:
    """The caller of a request that is allowed. Raises Problem (401, 403, 429), StoreUnavailable."""
    path, method = scope["path"], scope["method"]
    if settings.authentication == "off" or (method, "/web/{file}" if _PAGE.fullmatch(path) else path) in OPEN:
        return EVERYBODY
    if (settings.open_metrics and path in _METRICS) or (settings.open_docs and _DOCS.fullmatch(path)):
        return EVERYBODY
    services: Services = scope["app"].state.services
    caller = await _caller(scope, services)
    if caller is None:
        text = "show an API key: Authorization: Bearer plk_…; `picturelock keys create` makes one"
        if _shows_something(scope):
            services.quotas.admit_failure(str((scope.get("client") or ("-",))[0]))
        raise Problem(401, "UNAUTHENTICATED", text, headers={"WWW-Authenticate": "Bearer"})
    scope_needed = needed(method, path)
    if scope_needed not in caller.scopes:
        raise Problem(403, "SCOPE_MISSING", f"the key has no scope {scope_needed!r}")
    services.quotas.admit(caller)
    return caller


async def _caller(scope: Scope, services: Services) -> Caller | None:
    """Whose key, session, ticket or link a request carries, the first that it has."""
    headers = Headers(scope=scope)
    scheme, _, text = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return await services.keyring.caller(text.strip())
    if "x-api-key" in headers:
        return await services.keyring.caller(headers["x-api-key"])
    if b"ticket=" in scope["query_string"] or b"link=" in scope["query_string"]:
        return await _granted(scope, services)
    if (caller := await _shown(scope, headers, services)) is not None:
        return caller
    grant = services.signer.read(_cookie(headers, COOKIE), "session", time.time())
    return await services.keyring.caller_of(grant.key_id) if grant else None


async def _shown(scope: Scope, headers: Headers, services: Services) -> Caller | None:
    """The caller of a shared address's cookie. It comes before a session: that one may be somebody else's."""
    match = _SHOWN.fullmatch(scope["path"])
    if match is None or scope["method"] not in _SAFE:
        return None
    grant = services.signer.read(_cookie(headers, SHARE_COOKIE), "share", time.time())
    return await _restricted(grant, services) if grant and grant.job == match["job"] else None


async def _granted(scope: Scope, services: Services) -> Caller | None:
    """The caller of a ticket (for events) or a link (for one file): of one job, for reading, as long as its key is."""
    match = _GRANTED.fullmatch(scope["path"])
    if match is None or scope["method"] not in _SAFE:
        return None
    purpose: Purpose = "ticket" if match["events"] else "link"
    token = parse_qs(scope["query_string"].decode("latin-1")).get(purpose, [""])[0]
    grant = services.signer.read(token, purpose, time.time())
    return await _restricted(grant, services) if grant and _opens(grant, match) else None


async def _restricted(grant: Grant, services: Services) -> Caller | None:
    """Whoever may read one job, as long as the key is good that it was granted with."""
    whose = await services.keyring.caller_of(grant.key_id)
    return Caller(whose.owner, frozenset({"read"}), whose.key_id, only_job=grant.job) if whose else None


def _opens(grant: Grant, asked: re.Match[str]) -> bool:
    return grant.job == asked["job"] and (bool(asked["events"]) or grant.name == asked["name"])


def _shows_something(scope: Scope) -> bool:
    """Whether a request tries a key or a token, and does not only come without one."""
    names = {name for name, _ in scope["headers"]}
    return bool(names & {b"authorization", b"x-api-key", b"cookie"}) or bool(scope["query_string"])


def _cookie(headers: Headers, name: str) -> str:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return morsel.value if morsel else ""
