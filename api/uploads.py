"""Uploads that can be taken up again: tus 1.0.0 with creation, expiration and termination (https://tus.io/protocols/resumable-upload).

A file is announced, sent in as many pieces as it takes, and looked at once it is whole. What has come lies in the
store: another replica takes the next piece, and a server that is killed loses 8 MiB of it at the most.
"""

import asyncio
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Annotated, Any, Final
from weakref import WeakValueDictionary

from fastapi import APIRouter, Header, Path, Request, Response
from pydantic import Field
from starlette.requests import ClientDisconnect

from api.assets import take_file
from api.body import media_type_of
from api.context import Context, Shared
from api.problems import PROBLEM, Problem
from picturelock.errors import AssetUnreadable
from picturelock.models import Asset, Model
from picturelock.store.partial_uploads import PART_BYTES, PartialUpload, PartialUploads, UploadGone
from picturelock.store.scratch import workspace

router = APIRouter(prefix="/api/uploads", tags=["files"])
HEADERS: Final = (
    "Tus-Resumable",
    "Tus-Version",
    "Tus-Extension",
    "Tus-Max-Size",
    "Upload-Offset",
    "Upload-Length",
    "Upload-Expires",
    "Upload-Asset-Id",
)
"""What scripts of another origin have to be let read."""

_VERSION: Final = "1.0.0"
_PIECE: Final = "application/offset+octet-stream"
_LOCKS: Final[WeakValueDictionary[str, asyncio.Lock]] = WeakValueDictionary()
UploadId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
Tus = Annotated[str | None, Header(alias="Tus-Resumable", description="1.0.0, where the client speaks tus.")]
Count = Annotated[str | None, Header(pattern=r"^\d{1,15}$")]
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {404: PROBLEM, 412: PROBLEM, 422: PROBLEM, 503: PROBLEM}


class UploadState(Model):
    """A file that is on its way, or has come."""

    upload_id: str = Field(description="The last part of its address.")
    offset: int = Field(description="How many bytes have come.")
    size_bytes: int = Field(description="How many were announced.")
    expires_at: datetime = Field(description="When it is forgotten, however far it is.")
    asset: Asset | None = Field(description="What the file was found to be, once it was whole.")


@router.options("", status_code=204)
async def describe_uploads(shared: Shared) -> Response:
    """What of tus is spoken."""
    extensions = "creation,expiration,termination"
    headers = {"Tus-Version": _VERSION, "Tus-Extension": extensions, "Tus-Max-Size": str(_longest(shared))}
    return _empty(204, headers)


@router.post(
    "", status_code=201, response_class=Response, responses={**_ANSWERS, 413: PROBLEM, 429: PROBLEM, 507: PROBLEM}
)
async def create_upload(shared: Shared, upload_length: Count = None, tus_resumable: Tus = None) -> Response:
    """Announces a file of `Upload-Length` bytes; `Location` is where its pieces go."""
    _check_version(tus_resumable)
    if upload_length is None:
        raise Problem(422, "INVALID_REQUEST", "say how long the file is: Upload-Length")
    length = int(upload_length)
    if length > _longest(shared):
        raise Problem(413, "REQUEST_TOO_LARGE", f"a file has {_longest(shared)} bytes at the most")
    if length == 0:
        raise AssetUnreadable("the file is empty")
    async with shared.services.quotas.upload(shared, length):
        upload = await _uploads(shared).create(shared.caller.owner, length)
    return _empty(201, {"Location": f"/api/uploads/{upload.upload_id}", **_expiry(upload)})


@router.head("/{upload_id}", response_class=Response, responses=_ANSWERS)
async def read_offset(upload_id: UploadId, shared: Shared, tus_resumable: Tus = None) -> Response:
    """How much of the file has come: `Upload-Offset`."""
    _check_version(tus_resumable)
    upload, offset = await _settled(upload_id, shared)
    return _empty(200, _progress(upload, offset))


@router.get("/{upload_id}", responses=_ANSWERS)
async def read_upload(upload_id: UploadId, shared: Shared) -> UploadState:
    """How much of the file has come, and what it was found to be once it was whole."""
    upload, offset = await _settled(upload_id, shared)
    return UploadState(
        upload_id=upload.upload_id,
        offset=offset,
        size_bytes=upload.size_bytes,
        expires_at=upload.expires_at,
        asset=upload.asset,
    )


@router.patch(
    "/{upload_id}",
    status_code=204,
    response_class=Response,
    responses={**_ANSWERS, 409: PROBLEM, 413: PROBLEM, 415: PROBLEM, 507: PROBLEM},
    openapi_extra={
        "requestBody": {"required": True, "content": {_PIECE: {"schema": {"type": "string", "format": "binary"}}}}
    },
)
async def append_piece(
    request: Request, upload_id: UploadId, shared: Shared, upload_offset: Count = None, tus_resumable: Tus = None
) -> Response:
    """Takes the piece that begins at `Upload-Offset`. After the last one, `Upload-Asset-Id` names the file."""
    _check_version(tus_resumable)
    if media_type_of(request) != _PIECE:
        raise Problem(415, "UNSUPPORTED_MEDIA_TYPE", f"send a piece as {_PIECE}")
    upload, offset = await _settled(upload_id, shared)
    if upload_offset is None or int(upload_offset) != offset:
        text = f"{offset} bytes have come: Upload-Offset has to be {offset}"
        raise Problem(409, "OFFSET_MISMATCH", text, headers={"Upload-Offset": str(offset)}, offset=offset)
    if upload.asset is None:
        try:
            await receive(request, upload, offset, _uploads(shared))
        except UploadGone as error:
            raise _missing(upload_id) from error
        upload, offset = await _settled(upload_id, shared)
    return _empty(204, _progress(upload, offset))


@router.delete("/{upload_id}", status_code=204, response_class=Response, responses=_ANSWERS)
async def delete_upload(upload_id: UploadId, shared: Shared, tus_resumable: Tus = None) -> Response:
    """Forgets what has come. A file that was whole stays: it is among the assets."""
    _check_version(tus_resumable)
    await _uploads(shared).remove(await _owned(upload_id, shared))
    return _empty(204, {})


async def receive(request: Request, upload: PartialUpload, offset: int, uploads: PartialUploads) -> None:
    """Keeps what comes, also of a request that breaks off. Raises Problem (413), StoreUnavailable, DiskFull."""
    piece, position = bytearray(), offset
    try:
        async for chunk in request.stream():
            if position + len(piece) + len(chunk) > upload.size_bytes:
                raise Problem(413, "REQUEST_TOO_LARGE", f"the file was announced with {upload.size_bytes} bytes")
            piece += chunk
            if len(piece) >= PART_BYTES:
                await uploads.write(upload, position, bytes(piece))
                position += len(piece)
                piece.clear()
    except ClientDisconnect:
        pass  # it comes back, and asks how far we are
    if piece:
        await uploads.write(upload, position, bytes(piece))


async def _settled(upload_id: str, shared: Context) -> tuple[PartialUpload, int]:
    """An upload and its offset; one that is whole has been looked at, whoever had begun to and was killed over it.

    Raises:
        Problem: 404.
        AssetUnreadable: it is no picture, film or sound; it is forgotten.
        StoreUnavailable: the store does not answer.
    """
    upload, uploads = await _owned(upload_id, shared), _uploads(shared)
    if upload.asset is not None:
        return upload, upload.size_bytes
    received = await uploads.received(upload)
    if received < upload.size_bytes:
        return upload, received
    async with _looking(upload_id):
        upload = await _owned(upload_id, shared)  # somebody else may have looked meanwhile
        if upload.asset is None:
            upload = await _looked_at(upload, uploads, shared)
    return upload, upload.size_bytes


async def _looked_at(upload: PartialUpload, uploads: PartialUploads, shared: Context) -> PartialUpload:
    with workspace(shared.settings.scratch, "upload") as folder:
        await uploads.assemble(upload, folder / "upload")
        try:
            asset = await take_file(folder / "upload", shared)
        except AssetUnreadable:
            await uploads.remove(upload)
            raise
    return await uploads.finish(upload, asset)


def _looking(upload_id: str) -> asyncio.Lock:
    """Whoever asks about a whole upload while it is looked at waits: looking takes room, and a minute."""
    return _LOCKS.setdefault(upload_id, asyncio.Lock())


async def _owned(upload_id: str, shared: Context) -> PartialUpload:
    upload = await _uploads(shared).find(shared.caller.owner, upload_id)
    if upload is None:
        raise _missing(upload_id)
    return upload


def _missing(upload_id: str) -> Problem:
    return Problem(404, "UPLOAD_MISSING", f"there is no upload {upload_id}, or it has expired")


def _uploads(shared: Context) -> PartialUploads:
    return PartialUploads(shared.store)


def _longest(shared: Context) -> int:
    return shared.settings.max_asset_bytes


def _check_version(version: str | None) -> None:
    if version not in (None, _VERSION):
        raise Problem(412, "TUS_VERSION", f"tus {_VERSION} is spoken here", headers={"Tus-Version": _VERSION})


def _progress(upload: PartialUpload, offset: int) -> dict[str, str]:
    found = {"Upload-Asset-Id": upload.asset.asset_id} if upload.asset else {}
    return {"Upload-Offset": str(offset), "Upload-Length": str(upload.size_bytes), **_expiry(upload), **found}


def _expiry(upload: PartialUpload) -> dict[str, str]:
    return {"Upload-Expires": format_datetime(upload.expires_at.astimezone(UTC), usegmt=True)}


def _empty(status: int, headers: dict[str, str]) -> Response:
    return Response(status_code=status, headers={"Tus-Resumable": _VERSION, "Cache-Control": "no-store", **headers})
