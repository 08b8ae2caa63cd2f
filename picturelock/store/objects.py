"""The objects of a store by their path: small ones read and written whole, in a folder or a bucket."""

import contextlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import unquote, urlsplit

import obstore
from obstore.store import LocalStore, ObjectStore, from_url
from pydantic import ValidationError

from picturelock.errors import StoreUnavailable
from picturelock.models import Model
from picturelock.store.errors import translated

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

AnyModel = TypeVar("AnyModel", bound=Model)
_CLIENT: Final["ClientConfig"] = {
    "allow_http": True,
    "connect_timeout": timedelta(seconds=3),
    "timeout": timedelta(seconds=12),
}
"""A request moves a few megabytes at the most; one that hangs is noticed within 15 seconds."""

_RETRIES: Final["RetryConfig"] = {"max_retries": 3, "retry_timeout": timedelta(seconds=5)}
"""What fails at once is tried again for a moment; activities do the rest of the waiting."""


class Objects:
    """The objects of one location. All methods raise StoreUnavailable when it does not answer, DiskFull when full."""

    def __init__(self, location: str) -> None:
        self.location = location
        parts = urlsplit(location)
        self._root: Path | None = None
        if parts.scheme == "file":
            self._root = Path(unquote(parts.path))
            self._root.mkdir(parents=True, exist_ok=True)
            self._store: ObjectStore = LocalStore(self._root)
        else:
            self._store = from_url(location, client_options=_CLIENT, retry_config=_RETRIES)

    async def put_note(self, path: str, data: bytes) -> None:
        """Writes a small object."""
        with translated():
            await obstore.put_async(self._store, path, data)

    async def note(self, path: str, model: type[AnyModel]) -> AnyModel | None:
        """A small record, or None. A record of an older shape counts as none."""
        return await self._read_model(path, model)

    async def read_note(self, path: str) -> bytes:
        """A small object. Raises StoreUnavailable where there is none: who asks for it has seen it listed."""
        try:
            return await self._get(path)
        except FileNotFoundError as error:
            raise StoreUnavailable("something is not in the store any more that was there just now") from error

    async def list_notes(self, prefix: str) -> list[str]:
        """The names below a folder."""
        return [name for name, _ in await self._listed(prefix)]

    async def dated_notes(self, prefix: str) -> list[tuple[str, datetime]]:
        """The names below a folder, and when each was written."""
        return await self._listed(prefix)

    async def sized_notes(self, prefix: str) -> list[tuple[str, int]]:
        """The names below a folder, each with how many bytes it has."""
        with translated():
            found = await obstore.list(self._store, prefix=f"{prefix}/").collect_async()
        return [(str(one["path"]).removeprefix(f"{prefix}/"), int(one["size"])) for one in found]

    async def delete_note(self, path: str) -> None:
        """Removes an object; one that is not there is fine."""
        with translated(), contextlib.suppress(FileNotFoundError):
            await obstore.delete_async(self._store, path)

    async def put_job_file(self, job_id: str, name: str, data: bytes) -> None:
        """Writes a file of a job, such as its manifest."""
        await self.put_note(f"jobs/{job_id}/{name}", data)

    async def job_files(self, job_id: str, folder: str = "") -> list[str]:
        """The names of a job's files, or of those in one of its folders."""
        return await self.list_notes(f"jobs/{job_id}/{folder}".rstrip("/"))

    async def delete_job_file(self, job_id: str, name: str) -> None:
        """Removes a file of a job; one that is not there is fine."""
        await self.delete_note(f"jobs/{job_id}/{name}")

    async def job_record(self, job_id: str, name: str, model: type[AnyModel]) -> AnyModel | None:
        """A record of a job, or None. A record of an older shape counts as none."""
        return await self._read_model(f"jobs/{job_id}/{name}", model)

    async def _listed(self, prefix: str) -> list[tuple[str, datetime]]:
        with translated():
            found = await obstore.list(self._store, prefix=f"{prefix}/").collect_async()
        return [(str(one["path"]).removeprefix(f"{prefix}/"), one["last_modified"]) for one in found]

    async def _get(self, path: str) -> bytes:
        with translated():
            result = await obstore.get_async(self._store, path)
            return bytes(await result.bytes_async())

    async def _read_model(self, path: str, model: type[AnyModel]) -> AnyModel | None:
        try:
            return model.model_validate_json(await self._get(path))
        except (FileNotFoundError, ValidationError):
            return None
