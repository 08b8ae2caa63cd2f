"""Uploads that come in pieces: what has come so far lies in the store, so that any replica takes the next piece.

Layout below the store's root:

    uploads/<owner>/<id>/upload.json    how long the file is, and what it was found to be once it was whole
    uploads/<owner>/<id>/parts/<start>-<size>  a stretch of its bytes

Two requests may send the same stretch, as when a client comes back before the server has noticed that it had gone:
stretches may overlap, none takes another's place, and what is read is put together from them.
"""

import asyncio
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from picturelock.errors import StoreUnavailable
from picturelock.models import Asset, Model
from picturelock.store.errors import translated
from picturelock.store.store import LOOKUPS, Store

PART_BYTES: Final = 8 * 1024**2
"""How much is written at once: the most that a killed server loses of what has come."""

KEPT_FOR: Final = timedelta(hours=24)
"""How long an upload may take, counted from its beginning."""

_FOLDER: Final = "uploads"


class UploadGone(Exception):
    """An upload that was removed while a piece of it came."""


class PartialUpload(Model):
    """A file that is on its way, or has come."""

    upload_id: str
    owner: str
    size_bytes: int
    created_at: datetime
    asset: Asset | None = None

    @property
    def expires_at(self) -> datetime:
        """When it is forgotten, however far it is."""
        return self.created_at + KEPT_FOR


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    start: int
    size: int

    @property
    def end(self) -> int:
        return self.start + self.size


@dataclass(frozen=True, slots=True)
class PartialUploads:
    """The uploads of every owner, in one store. All methods raise StoreUnavailable, and DiskFull where they write."""

    store: Store

    async def create(self, owner: str, size_bytes: int) -> PartialUpload:
        """Begins one."""
        upload = PartialUpload(
            upload_id=secrets.token_hex(16), owner=owner, size_bytes=size_bytes, created_at=datetime.now(UTC)
        )
        await self._write(upload)
        return upload

    async def find(self, owner: str, upload_id: str) -> PartialUpload | None:
        """An owner's upload, unless it has expired."""
        upload = await self.store.note(f"{_folder(owner, upload_id)}/upload.json", PartialUpload)
        return upload if upload and datetime.now(UTC) < upload.expires_at else None

    async def received(self, upload: PartialUpload) -> int:
        """How many bytes have come without a gap."""
        return max((part.end for part, _ in _chain(await self._parts(upload))), default=0)

    async def write(self, upload: PartialUpload, start: int, data: bytes) -> None:
        """Keeps a stretch of the file. Raises UploadGone where it was removed meanwhile."""
        if await self.find(upload.owner, upload.upload_id) is None:
            raise UploadGone(upload.upload_id)
        name = f"{start:015}-{len(data)}"  # a shorter one that comes late must not take the place of a longer one
        await self.store.put_note(f"{_folder(upload.owner, upload.upload_id)}/parts/{name}", data)

    async def assemble(self, upload: PartialUpload, path: Path) -> None:
        """Puts the file together. Raises StoreUnavailable where the store has lost a part of it."""
        folder = f"{_folder(upload.owner, upload.upload_id)}/parts"
        with translated(), path.open("wb", buffering=0) as file:
            for part, skipped in _chain(await self._parts(upload)):
                data = await self.store.read_note(f"{folder}/{part.name}")
                await asyncio.to_thread(file.write, memoryview(data)[skipped:])
            complete = file.tell() == upload.size_bytes
        if not complete:
            raise StoreUnavailable("a part of the upload is not in the store any more: send it again")

    async def finish(self, upload: PartialUpload, asset: Asset) -> PartialUpload:
        """Notes what the whole file was found to be; its parts are needed no longer. One that was removed stays so."""
        finished = upload.model_copy(update={"asset": asset})
        if await self.find(upload.owner, upload.upload_id) is not None:
            await self._write(finished)
        await self._delete_parts(upload)
        return finished

    async def remove(self, upload: PartialUpload) -> None:
        """Forgets an upload. The file that it has become stays."""
        await self.store.delete_note(f"{_folder(upload.owner, upload.upload_id)}/upload.json")
        await self._delete_parts(upload)

    async def all(self, owner: str) -> list[PartialUpload]:
        """An owner's uploads."""
        names = await self.store.list_notes(f"{_FOLDER}/{owner}")
        ids = [name.removesuffix("/upload.json") for name in names if name.endswith("/upload.json")]
        turns = asyncio.Semaphore(LOOKUPS)

        async def read(upload_id: str) -> PartialUpload | None:
            async with turns:
                return await self.find(owner, upload_id)

        return [upload for upload in await asyncio.gather(*map(read, ids)) if upload]

    async def remove_all(self, owner: str) -> None:
        """Forgets all that an owner has on its way, and what is left of earlier uploads."""
        for name in await self.store.list_notes(f"{_FOLDER}/{owner}"):
            await self.store.delete_note(f"{_FOLDER}/{owner}/{name}")

    async def bytes_of(self, owner: str) -> int:
        """How many bytes an owner's files have, or will have, that are on their way."""
        return sum(upload.size_bytes for upload in await self.all(owner) if upload.asset is None)

    async def delete_older(self, than: datetime) -> int:
        """Removes what is left of uploads that began before a moment; how many objects."""
        old = [name for name, put_at in await self.store.dated_notes(_FOLDER) if put_at < than]
        for name in old:
            await self.store.delete_note(f"{_FOLDER}/{name}")
        return len(old)

    async def _write(self, upload: PartialUpload) -> None:
        path = f"{_folder(upload.owner, upload.upload_id)}/upload.json"
        await self.store.put_note(path, upload.model_dump_json().encode())

    async def _parts(self, upload: PartialUpload) -> list[_Part]:
        listed = await self.store.sized_notes(f"{_folder(upload.owner, upload.upload_id)}/parts")
        parts = (_Part(name, int(name.partition("-")[0]), size) for name, size in listed)
        return sorted(parts, key=lambda part: (part.start, -part.size))

    async def _delete_parts(self, upload: PartialUpload) -> None:
        folder = f"{_folder(upload.owner, upload.upload_id)}/parts"
        for name in await self.store.list_notes(folder):
            await self.store.delete_note(f"{folder}/{name}")


def _folder(owner: str, upload_id: str) -> str:
    return f"{_FOLDER}/{owner}/{upload_id}"


def _chain(parts: Iterable[_Part]) -> Iterable[tuple[_Part, int]]:
    """The parts that make up the file's beginning, each with how many of its bytes have come in those before it."""
    position = 0
    for part in parts:
        if part.start > position:
            return
        if part.end > position:
            yield part, position - part.start
            position = part.end
