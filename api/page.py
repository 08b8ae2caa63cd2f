"""The page: static files of `web/`, which need no key. What they ask for does."""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Header, Response
from fastapi import Path as InPath

from api.problems import PROBLEM, Problem

router = APIRouter(include_in_schema=False)
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_TYPES: Final = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}


@lru_cache(maxsize=1)
def files() -> dict[str, tuple[bytes, str, str]]:
    """The page's files by name: content, media type, ETag. They do not change while a process runs."""
    here = Path(__file__).parent
    folder = next(place for place in (here / "web", here.parent / "web") if place.is_dir())
    client = here.parent / "clients" / "js" / "picturelock.js"
    found = {}
    for path in sorted([*folder.iterdir(), *([client] if client.is_file() else [])]):
        if media_type := _TYPES.get(path.suffix):
            data = path.read_bytes()
            found[path.name] = (data, f"{media_type}; charset=utf-8", f'"{hashlib.sha256(data).hexdigest()[:20]}"')
    return found


@router.get("/")
async def page(if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """The page itself."""
    return _answer("index.html", if_none_match)


@router.get("/llms.txt")
async def page_for_agents(if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """What agents need to know of this service, in a page (https://llmstxt.org)."""
    return _answer("llms.txt", if_none_match)


@router.get("/web/{file}", responses={404: PROBLEM})
async def page_file(
    file: Annotated[str, InPath(max_length=40)], if_none_match: Annotated[str | None, Header()] = None
) -> Response:
    """A file of the page."""
    return _answer(file, if_none_match)


def _answer(name: str, known: str | None) -> Response:
    if name not in files():
        raise Problem(404, "NOT_FOUND", "the page has no such file")
    data, media_type, etag = files()[name]
    headers = {"etag": etag, "cache-control": "no-cache", "content-security-policy": _POLICY}
    if known == etag:
        return Response(status_code=304, headers=headers)
    return Response(data, headers=headers, media_type=media_type)
