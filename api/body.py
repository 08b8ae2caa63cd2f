"""Reads request bodies: JSON, with a limit."""

from typing import Any, Final

from fastapi import Request
from pydantic import BaseModel

from api.problems import Problem

REF: Final = "#/components/schemas/{model}"
"""Where the OpenAPI document has a model."""


def described(model: type[BaseModel], *, required: bool = True) -> dict[str, Any]:
    """What the OpenAPI document says of a body that is read by `read_body`; `api.openapi` has its model."""
    content = {"application/json": {"schema": {"$ref": REF.format(model=model.__name__)}}}
    return {"requestBody": {"required": required, "content": content}}


async def read_body(request: Request, limit: int) -> bytes:
    """A JSON body of at most `limit` bytes. Raises Problem (413, 415).

    A media type has to be given: a page of another site may send a body without one, or as text, and nobody asks.
    """
    media_type = media_type_of(request)
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise Problem(415, "UNSUPPORTED_MEDIA_TYPE", f"send application/json, not {media_type or 'no media type'}")
    check_length(request, limit)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise too_large(limit)
        chunks.append(chunk)
    return b"".join(chunks)


def media_type_of(request: Request) -> str:
    """What a body says that it is, without its parameters."""
    return request.headers.get("content-type", "").split(";", 1)[0].strip().lower()


def check_length(request: Request, limit: int) -> None:
    """Refuses what says itself that it is too large, before any of it is read. Raises Problem (413)."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise too_large(limit)


def too_large(limit: int) -> Problem:
    """The answer to more than is taken."""
    return Problem(413, "REQUEST_TOO_LARGE", f"the body has more than {limit} bytes")
