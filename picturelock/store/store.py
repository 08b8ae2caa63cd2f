"""The artifact store: files named by the hash of their bytes, and small records that point at them.

Layout below the store's root:

    blobs/ab/abcdef…           file contents, by SHA-256
    records/<kind>/<key>.json  what a cache key was turned into (a narration, a segment, …)
    evicted/<kind>/<key>.json  what was forgotten, until its files are gone too (see `picturelock.store.eviction`)
    assets/sha256-….json       what an uploaded file was found to be
    jobs/<id>/manifest.json    a finished export; written last, so that it exists only when everything else does

Every write is whole or not there, and writing the same thing twice is harmless: two attempts may overlap.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeVar
from urllib.parse import unquote, urlsplit

import obstore
from obstore.store import LocalStore, ObjectStore, S3Store, from_url
from pydantic import ValidationError

from picturelock.errors import ArtifactLost, AssetMissing, StorageError, StoreUnavailable
from picturelock.models import ArtifactRef, Asset, Model
from picturelock.settings import settings
from picturelock.store.errors import translated
from picturelock.store.file_cache import FileCache
from picturelock.store.hashing import Integrity, lost, sha256_of

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

AnyModel = TypeVar("AnyModel", bound=Model)
JSON: Final = "application/json"
LOOKUPS: Final = 16
"""Files that are looked up in a store at once."""

_CHUNK: Final = 1024 * 1024
_COPIES_MAX_BYTES: Final = 10 * 1024**3
_PROBE_SECONDS: Final = 2.0
_CLIENT: Final["ClientConfig"] = {
    "allow_http": True,
    "connect_timeout": timedelta(seconds=3),
    "timeout": timedelta(seconds=12),
}
"""A request moves a few megabytes at the most; one that hangs is noticed within 15 seconds."""

_RETRIES: Final["RetryConfig"] = {"max_retries": 3, "retry_timeout": timedelta(seconds=5)}
"""What fails at once is tried again for a moment; activities do the rest of the waiting."""

TOUCH_AFTER: Final = timedelta(hours=1)
"""How old a record or file may be before its use makes it young again."""

Folder = Literal["records", "evicted"]


class Store:
    """One store. All methods raise StoreUnavailable when it does not answer, DiskFull when it is full."""

    def __init__(self, location: str, scratch: Path, copies_max_bytes: int = _COPIES_MAX_BYTES) -> None:
        self.location = location
        self._file_cache = FileCache(scratch / "copies", copies_max_bytes)
        parts = urlsplit(location)
        self._root: Path | None = None
        self._integrity = Integrity(Path())
        if parts.scheme == "file":
            self._root = Path(unquote(parts.path))
            self._root.mkdir(parents=True, exist_ok=True)
            self._integrity = Integrity(self._root / "damaged")
            self._store: ObjectStore = LocalStore(self._root)
        else:
            self._store = from_url(location, client_options=_CLIENT, retry_config=_RETRIES)

    @property
    def is_remote(self) -> bool:
        """Whether files have to be fetched before they can be opened."""
        return self._root is None

    async def put_file(self, path: Path, media_type: str) -> ArtifactRef:
        """Stores a file under the hash of its bytes."""
        digest = await asyncio.to_thread(sha256_of, path)
        ref = ArtifactRef(sha256=digest, size_bytes=path.stat().st_size, media_type=media_type)
        if not await self._has_lately(ref):
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
                    await self._delete(_blob(ref))
                    raise lost(ref, "is damaged")
            made = self._file_cache.find(ref.sha256, hardlink_into)
        if made is None:
            raise StoreUnavailable(f"the copy of {ref.sha256[:12]}… was removed at once")
        return made

    async def remember(self, kind: str, key: str, value: Model) -> None:
        """Writes down what a cache key was turned into."""
        await self._put(f"records/{kind}/{key}.json", value.model_dump_json().encode())

    async def recall(self, kind: str, key: str, model: type[AnyModel]) -> AnyModel | None:
        """What a cache key was turned into, or None. A record of an older shape counts as none.

        A record that is used is younger afterwards: the least recently used are evicted first.
        """
        path = f"records/{kind}/{key}.json"
        try:
            with translated():
                result = await obstore.get_async(self._store, path)
                data = bytes(await result.bytes_async())
            found = model.model_validate_json(data)
        except (FileNotFoundError, ValidationError):
            return None
        if datetime.now(UTC) - result.meta["last_modified"] > TOUCH_AFTER:
            with contextlib.suppress(StorageError):  # what was found was found
                await self._put(path, data)
        return found

    async def remember_evicted(self, kind: str, key: str, value: Model) -> None:
        """Writes down that a record is about to be forgotten."""
        await self._put(f"evicted/{kind}/{key}.json", value.model_dump_json().encode())

    async def list_records(self, folder: Folder, kind: str) -> list[tuple[str, datetime]]:
        """The keys of a kind of records, and when each was used last."""
        prefix = f"{folder}/{kind}/"
        with translated():
            listed = await obstore.list(self._store, prefix=prefix).collect_async()
        return [(str(one["path"]).removeprefix(prefix).removesuffix(".json"), one["last_modified"]) for one in listed]

    async def read_record(self, folder: Folder, kind: str, key: str) -> bytes | None:
        """A record as it is written, or None."""
        try:
            return await self._get(f"{folder}/{kind}/{key}.json")
        except FileNotFoundError:
            return None

    async def forget(self, folder: Folder, kind: str, key: str) -> None:
        """Removes a record; one that is not there is fine."""
        await self._delete(f"{folder}/{kind}/{key}.json")

    async def delete_older(self, ref: ArtifactRef, than: datetime) -> bool:
        """Removes a file, unless it was put (again) since then. Whether there is none any more."""
        try:
            with translated():
                meta = await obstore.head_async(self._store, _blob(ref))
        except FileNotFoundError:
            return True
        if meta["last_modified"] >= than:
            return False
        await self._delete(_blob(ref))
        return True

    async def put_asset(self, asset: Asset) -> None:
        """Writes down what an uploaded file was found to be."""
        with translated():
            await obstore.put_async(self._store, f"assets/{asset.asset_id}.json", asset.model_dump_json().encode())

    async def find_asset(self, asset_id: str) -> Asset | None:
        """What an uploaded file was found to be, or None for an unknown id."""
        return await self._read_model(f"assets/{asset_id}.json", Asset)

    async def asset(self, asset_id: str) -> tuple[Asset, ArtifactRef]:
        """An uploaded file. Raises AssetMissing."""
        found = await self.find_asset(asset_id)
        if found is None:
            raise AssetMissing(f"there is no asset {asset_id}")
        sha256 = asset_id.removeprefix("sha256-")
        return found, ArtifactRef(sha256=sha256, size_bytes=found.size_bytes, media_type=found.media_type)

    async def put_job_file(self, job_id: str, name: str, data: bytes) -> None:
        """Writes a file of a job, such as its manifest."""
        with translated():
            await obstore.put_async(self._store, f"jobs/{job_id}/{name}", data)

    async def job_files(self, job_id: str, folder: str) -> list[str]:
        """The names of a job's files in one of its folders."""
        prefix = f"jobs/{job_id}/{folder}/"
        with translated():
            found = await obstore.list(self._store, prefix=prefix).collect_async()
        return [str(one["path"]).removeprefix(prefix) for one in found]

    async def job_record(self, job_id: str, name: str, model: type[AnyModel]) -> AnyModel | None:
        """A record of a job, or None. A record of an older shape counts as none."""
        return await self._read_model(f"jobs/{job_id}/{name}", model)

    async def sign(self, ref: ArtifactRef, seconds: int) -> str | None:
        """A signed URL for the file, or None when the store cannot sign."""
        if not isinstance(self._store, S3Store):
            return None
        with translated():
            return await obstore.sign_async(self._store, "GET", _blob(ref), timedelta(seconds=seconds))

    async def check_writable(self) -> None:
        """Raises StoreUnavailable unless a small file can be written within two seconds."""
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                with translated():
                    await obstore.put_async(self._store, "health/probe", b"ok")
        except TimeoutError as error:
            raise StoreUnavailable("the artifact store does not answer") from error

    async def _put(self, path: str, data: bytes) -> None:
        with translated():
            await obstore.put_async(self._store, path, data)

    async def _delete(self, path: str) -> None:
        with translated(), contextlib.suppress(FileNotFoundError):
            await obstore.delete_async(self._store, path)

    async def _get(self, path: str) -> bytes:
        with translated():
            result = await obstore.get_async(self._store, path)
            return bytes(await result.bytes_async())

    async def _read_model(self, path: str, model: type[AnyModel]) -> AnyModel | None:
        try:
            return model.model_validate_json(await self._get(path))
        except (FileNotFoundError, ValidationError):
            return None


def _blob(ref: ArtifactRef) -> str:
    return f"blobs/{ref.sha256[:2]}/{ref.sha256}"


@lru_cache(maxsize=1)
def default_store() -> Store:
    """The store of this process's settings."""
    return Store(settings().store_location, settings().scratch, settings().copies_max_bytes)
