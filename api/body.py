"""Reads request bodies: JSON with a limit, and uploads straight into a file."""

import asyncio
import errno
from pathlib import Path

from fastapi import Request

from api.problems import Problem
from picturelock.errors import DiskFull


async def read_body(request: Request, limit: int) -> bytes:
    """A JSON body of at most `limit` bytes. Raises Problem (413, 415).

    A media type has to be given: a page of another site may send a body without one, or as text, and nobody asks.
    """
    media_type = _media_type(request)
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise Problem(415, "UNSUPPORTED_MEDIA_TYPE", f"send application/json, not {media_type or 'no media type'}")
    check_length(request, limit)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
    return b"".join(chunks)


async def save_body(request: Request, path: Path, limit: int) -> None:
    """Streams an upload of at most `limit` bytes into a file. Raises Problem (413, 415)."""
    media_type = _media_type(request)
    if media_type.startswith("multipart/"):
        raise Problem(415, "UNSUPPORTED_MEDIA_TYPE", "send the file itself as the body, not a multipart form")
    if media_type != "application/octet-stream" and not media_type.startswith(("image/", "video/", "audio/")):
        text = f"send application/octet-stream or the file's own media type, not {media_type or 'no media type'}"
        raise Problem(415, "UNSUPPORTED_MEDIA_TYPE", text)
    check_length(request, limit)
    size = 0
    with path.open("wb") as file:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise _too_large(limit)
            try:
                await asyncio.to_thread(file.write, chunk)
            except OSError as error:
                if error.errno == errno.ENOSPC:
                    raise DiskFull("there is no room for this upload") from error
                raise


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").split(";", 1)[0].strip().lower()


def check_length(request: Request, limit: int) -> None:
    """Refuses what says itself that it is too large, before any of it is read. Raises Problem (413)."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)


def _too_large(limit: int) -> Problem:
    return Problem(413, "REQUEST_TOO_LARGE", f"the body has more than {limit} bytes")
