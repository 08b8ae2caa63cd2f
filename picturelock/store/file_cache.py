"""A worker's own copies of files from a store that is elsewhere: whole, and no more than there is room for."""

import asyncio
import contextlib
import os
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from weakref import WeakValueDictionary

_IN_USE_SECONDS: Final = 600.0
"""A copy that was asked for lately may be about to be opened."""

_PRUNE_SECONDS: Final = 10.0


class FileCache:
    """A folder of files named by their hashes; the least recently asked for go first."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._pruned_at = 0.0

    @asynccontextmanager
    async def lock(self, sha256: str) -> AsyncIterator[None]:
        """One at a time for each file: who comes second finds what the first has fetched."""
        async with self._locks.setdefault(sha256, asyncio.Lock()):
            yield

    def find(self, sha256: str, hardlink_into: Path | None = None) -> Path | None:
        """A copy that is there; it counts as used now. With `hardlink_into`, a second name for it in that folder."""
        path = self._folder / sha256
        try:
            os.utime(path)
            if hardlink_into is not None:
                path = _linked(path, hardlink_into / sha256)
        except FileNotFoundError:
            return None
        return path

    @asynccontextmanager
    async def create(self, sha256: str) -> AsyncIterator[Path]:
        """A place to write a copy to; it appears under its name at the end of the block, whole, or not at all."""
        self._folder.mkdir(parents=True, exist_ok=True)
        temporary = self._folder / f"{sha256}.{uuid.uuid4().hex}"
        try:
            yield temporary
            temporary.replace(self._folder / sha256)
        finally:
            temporary.unlink(missing_ok=True)
        if time.monotonic() - self._pruned_at > _PRUNE_SECONDS:
            self._pruned_at = time.monotonic()
            await asyncio.to_thread(self.prune)

    def prune(self) -> None:
        """Removes what there is no room for, and what is not in use. Another process may do the same."""
        files: list[tuple[float, int, Path]] = []
        for path in self._folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                status = path.stat()
                files.append((status.st_mtime, status.st_size, path))
        left = sum(size for _, size, _ in files)
        for used_at, size, path in sorted(files):
            if left <= self._max_bytes or time.time() - used_at < _IN_USE_SECONDS:
                break
            path.unlink(missing_ok=True)
            left -= size


def _linked(path: Path, name: Path) -> Path:
    with contextlib.suppress(FileExistsError):
        name.hardlink_to(path)
    return name
