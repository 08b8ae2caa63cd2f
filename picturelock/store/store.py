"""The artifact store: files named by the hash of their bytes, and small records that point at them.

Layout below the store's root:

    blobs/ab/abcdef…           file contents, by SHA-256
    records/<kind>/<key>.json  what a cache key was turned into (a narration, a segment, …)
    evicted/<kind>/<key>.json  what was forgotten, until its files are gone too (see `picturelock.store.eviction`)
    assets/sha256-….json       what an uploaded file was found to be
    uploads/…                  files that come in pieces (see `picturelock.store.partial_uploads`)
    batches/<id>.json          which jobs were asked for together
    jobs/<id>/manifest.json    a finished export; written last, so that it exists only when everything else does
    references/…/<holder>      who needs a file (see `picturelock.store.references`)

Every write is whole or not there, and writing the same thing twice is harmless: two attempts may overlap.
"""

import asyncio
import contextlib
import hashlib
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal

import obstore
from obstore.store import S3Store
from pydantic import ValidationError

from picturelock.errors import ArtifactLost, AssetMissing, StorageError, StoreUnavailable
from picturelock.models import ArtifactRef, Asset, Model
from picturelock.models.batch import BatchRecord
from picturelock.settings import settings
from picturelock.store.errors import translated
from picturelock.store.file_cache import FileCache
from picturelock.store.hashing import Integrity, lost, sha256_of
from picturelock.store.objects import AnyModel, Objects
from picturelock.store.tenant import own_key

JSON: Final = "application/json"
LOOKUPS: Final = 16
"""Files that are looked up in a store at once."""

_CHUNK: Final = 1024 * 1024
_COPIES_MAX_BYTES: Final = 10 * 1024**3
_PROBE_SECONDS: Final = 2.0
TOUCH_AFTER: Final = timedelta(hours=1)
"""How old a record or file may be before its use makes it young again."""

Folder = Literal["records", "evicted"]


class Store(Objects):
    """One store. All methods raise StoreUnavailable when it does not answer, DiskFull when it is full."""

    def __init__(self, location: str, scratch: Path, copies_max_bytes: int = _COPIES_MAX_BYTES) -> None:
        super().__init__(location)
        self._file_cache = FileCache(scratch / "copies", copies_max_bytes)
        self._integrity = Integrity((self._root or Path()) / "damaged")

    @property
    def is_remote(self) -> bool:
        """Whether files have to be fetched before they can be opened."""
        return self._root is None

    def may_make(self, kind: str) -> None:
        """Asked before anything costly is made. A store that is only looked at (`picturelock.store.lookup`) refuses."""

    async def put_file(self, path: Path, media_type: str, *, always: bool = False) -> ArtifactRef:
        """Stores a file under the hash of its bytes; one that is there is left alone, unless `always`."""
        digest = await asyncio.to_thread(sha256_of, path)
        ref = ArtifactRef(sha256=digest, size_bytes=path.stat().st_size, media_type=media_type)
        if always or not await self._has_lately(ref):
            with translated():
                await obstore.put_async(self._store, _blob(ref), path)
        return ref

    async def put_bytes(self, data: bytes, media_type: str) -> ArtifactRef:
        """Stores bytes under their hash."""
        ref = ArtifactRef(sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data), media_type=media_type)
        with translated():
            await obstore.put_async(self._store, _blob(ref), data)
        return ref

    async def put_model(self, model: Model) -> ArtifactRef:
        """Stores a record as JSON under the hash of its bytes."""
        return await self.put_bytes(model.model_dump_json().encode(), JSON)

    async def get_model(self, ref: ArtifactRef, model: type[AnyModel]) -> AnyModel:
        """A record that was stored. Raises ArtifactLost."""
        return model.model_validate_json(await self.read(ref))

    async def has(self, ref: ArtifactRef) -> bool:
        """Whether the file is there, whole: in a local store what its hash says, elsewhere in full length."""
        if self._root is not None:
            try:
                await self._integrity.check(self._root / _blob(ref), ref)
            except ArtifactLost:
                return False
            return True
        try:
            with translated():
                meta = await obstore.head_async(self._store, _blob(ref))
        except FileNotFoundError:
            return False
        return int(meta["size"]) == ref.size_bytes

    async def _has_lately(self, ref: ArtifactRef) -> bool:
        """Whether the file is there, and was put lately. An older one may be evicted just now: it is put again."""
        try:
            with translated():
                meta = await obstore.head_async(self._store, _blob(ref))
        except FileNotFoundError:
            return False
        return int(meta["size"]) == ref.size_bytes and datetime.now(UTC) - meta["last_modified"] < TOUCH_AFTER

    async def read(self, ref: ArtifactRef) -> bytes:
        """A file's bytes. Raises ArtifactLost when the store has lost it."""
        try:
            return await self._get(_blob(ref))
        except FileNotFoundError as error:
            raise lost(ref, "is not in the store any more") from error

    async def stream(self, ref: ArtifactRef, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `start` up to `end` (exclusive), in chunks."""
        for at in range(start, end, _CHUNK):
            with translated():
                yield bytes(await obstore.get_range_async(self._store, _blob(ref), start=at, end=min(at + _CHUNK, end)))

    async def local(self, ref: ArtifactRef, hardlink_into: Path | None = None) -> Path:
        """A path where the file can be read: in place in a local store, else a verified copy in the scratch folder.

        Copies go when there is no room for them; with `hardlink_into`, a folder below the scratch
        folder, one stays as long as that folder.

        Raises:
            ArtifactLost: the store has lost it, or what it has is damaged (and is gone from now on).
        """
        if self._root is not None:
            path = self._root / _blob(ref)
            await self._integrity.check(path, ref)
            return path
        async with self._file_cache.lock(ref.sha256):
            known = self._file_cache.find(ref.sha256, hardlink_into)
            if known is not None:
                return known
            async with self._file_cache.create(ref.sha256) as path:
                try:
                    with path.open("wb") as file:
                        async for chunk in self.stream(ref, 0, ref.size_bytes):
                            await asyncio.to_thread(file.write, chunk)
                except FileNotFoundError as error:
                    raise lost(ref, "is not in the store any more") from error
                if await asyncio.to_thread(sha256_of, path) != ref.sha256:
                    await self.delete_note(_blob(ref))
                    raise lost(ref, "is damaged")
            made = self._file_cache.find(ref.sha256, hardlink_into)
        if made is None:
            raise StoreUnavailable(f"the copy of {ref.sha256[:12]}… was removed at once")
        return made

    async def remember(self, kind: str, key: str, value: Model) -> None:
        """Writes down what a cache key was turned into."""
        await self.put_note(f"records/{kind}/{own_key(key)}.json", value.model_dump_json().encode())

    async def recall(self, kind: str, key: str, model: type[AnyModel], *, touch: bool = True) -> AnyModel | None:
        """What a cache key was turned into, or None. A record of an older shape counts as none.

        A record that is used is younger afterwards (`touch`): the least recently used are evicted first.
        """
        path = f"records/{kind}/{own_key(key)}.json"
        try:
            with translated():
                result = await obstore.get_async(self._store, path)
                data = bytes(await result.bytes_async())
            found = model.model_validate_json(data)
        except (FileNotFoundError, ValidationError):
            return None
        if touch and datetime.now(UTC) - result.meta["last_modified"] > TOUCH_AFTER:
            with contextlib.suppress(StorageError):  # what was found was found
                await self.put_note(path, data)
        return found

    async def remember_evicted(self, kind: str, key: str, value: Model) -> None:
        """Writes down that a record is about to be forgotten."""
        await self.put_note(f"evicted/{kind}/{key}.json", value.model_dump_json().encode())

    async def list_records(self, folder: Folder, kind: str) -> list[tuple[str, datetime]]:
        """The keys of a kind of records, and when each was used last."""
        listed = await self._listed(f"{folder}/{kind}")
        return [(name.removesuffix(".json"), used_at) for name, used_at in listed]

    async def read_record(self, folder: Folder, kind: str, key: str) -> bytes | None:
        """A record as it is written, or None."""
        try:
            return await self._get(f"{folder}/{kind}/{key}.json")
        except FileNotFoundError:
            return None

    async def forget(self, folder: Folder, kind: str, key: str) -> None:
        """Removes a record; one that is not there is fine."""
        await self.delete_note(f"{folder}/{kind}/{key}.json")

    async def delete_older(self, ref: ArtifactRef, than: datetime) -> bool:
        """Removes a file, unless it was put (again) since then. Whether there is none any more."""
        try:
            with translated():
                meta = await obstore.head_async(self._store, _blob(ref))
        except FileNotFoundError:
            return True
        if meta["last_modified"] >= than:
            return False
        await self.delete_note(_blob(ref))
        return True

    async def put_asset(self, asset: Asset) -> None:
        """Writes down what an uploaded file was found to be."""
        with translated():
            await obstore.put_async(self._store, f"assets/{asset.asset_id}.json", asset.model_dump_json().encode())

    async def find_asset(self, asset_id: str) -> Asset | None:
        """What an uploaded file was found to be, or None for an unknown id."""
        return await self._read_model(f"assets/{asset_id}.json", Asset)

    async def put_batch(self, batch: BatchRecord) -> None:
        """Writes down which jobs are a batch's."""
        await self.put_note(f"batches/{batch.batch_id}.json", batch.model_dump_json().encode())

    async def find_batch(self, batch_id: str) -> BatchRecord | None:
        """Which jobs are a batch's, or None for an unknown id."""
        return await self._read_model(f"batches/{batch_id}.json", BatchRecord)

    async def list_assets(self) -> list[tuple[str, datetime]]:
        """The ids of all uploads, and when each came last."""
        return [(name.removesuffix(".json"), put_at) for name, put_at in await self._listed("assets")]

    async def archived_jobs(self, before: datetime) -> list[str]:
        """The ids of jobs that have a record from before a moment."""
        listed = await self._listed("jobs")
        return sorted({name.partition("/")[0] for name, put_at in listed if put_at < before and "/attempts/" in name})

    async def delete_asset(self, asset_id: str) -> None:
        """Forgets what an uploaded file was found to be; its bytes are another matter."""
        await self.delete_note(f"assets/{asset_id}.json")

    async def asset(self, asset_id: str) -> tuple[Asset, ArtifactRef]:
        """An uploaded file. Raises AssetMissing."""
        found = await self.find_asset(asset_id)
        if found is None:
            raise AssetMissing(f"there is no asset {asset_id}")
        sha256 = asset_id.removeprefix("sha256-")
        return found, ArtifactRef(sha256=sha256, size_bytes=found.size_bytes, media_type=found.media_type)

    async def sign(self, ref: ArtifactRef, seconds: int) -> str | None:
        """A signed URL for the file, or None when the store cannot sign."""
        if not isinstance(self._store, S3Store):
            return None
        with translated():
            return await obstore.sign_async(self._store, "GET", _blob(ref), timedelta(seconds=seconds))

    async def check_there(self) -> None:
        """Raises StoreUnavailable unless the store answers within two seconds. Nothing is written."""
        if self._root is not None and not os.access(self._root, os.W_OK | os.X_OK):
            raise StoreUnavailable("the folder of the artifact store is not there, or cannot be written")
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                with translated(), contextlib.suppress(FileNotFoundError):
                    await obstore.head_async(self._store, "health/probe")
        except TimeoutError as error:
            raise StoreUnavailable("the artifact store does not answer") from error


def blob_path(root: Path, ref: ArtifactRef) -> Path:
    """Where a file lies in a store that is a folder."""
    return root / _blob(ref)


def _blob(ref: ArtifactRef) -> str:
    return f"blobs/{ref.sha256[:2]}/{ref.sha256}"


@lru_cache(maxsize=1)
def default_store() -> Store:
    """The store of this process's settings."""
    return Store(settings().store_location, settings().scratch, settings().copies_max_bytes)
