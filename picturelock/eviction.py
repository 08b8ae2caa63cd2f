"""Keeps what can be made again within a size: the least recently used goes first, and nothing that a job may have seen.

Two steps, a run apart at least. First a record is forgotten, and a note says when; from then on no job finds it. Its
files go only when every export that was open at that moment has closed: whoever found the record before it was
forgotten is among them. Films, uploads and whatever else was published are no cache and never go.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from picturelock.models import ArtifactRef, Model
from picturelock.storage import Store

KINDS: Final = ("narration", "picture", "segment", "sound")
_TO_SHARE: Final = 0.9
"""How full the cache is after an eviction, so that not every run has to evict."""

_YOUNG: Final = timedelta(minutes=15)
_SETTLED: Final = timedelta(minutes=1)
"""How long Temporal's list of open executions may lag behind."""

_READERS: Final = 32
_JSON: Final = TypeAdapter(dict[str, Any])
Tick = Callable[[], None]


class Eviction(Model):
    """What one run did."""

    cached_bytes: int = 0
    forgotten: int = 0
    deleted: int = 0
    deleted_bytes: int = 0


class Tombstone(Model):
    """A record that was forgotten, and the files it pointed at."""

    at: datetime
    files: list[ArtifactRef]


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: str
    key: str
    used_at: datetime
    files: tuple[ArtifactRef, ...]

    @property
    def size(self) -> int:
        return sum(one.size_bytes for one in self.files)


@dataclass(frozen=True, slots=True)
class Evictor:
    """Evicts from one store. `tick` is called as the work goes on."""

    store: Store
    max_bytes: int
    tick: Tick = lambda: None

    async def run(self, now: datetime, oldest_open: datetime | None) -> Eviction:
        """One run. `oldest_open` is when the oldest export that is still open was started; None: there is none.

        Raises:
            StoreUnavailable.
        """
        entries = await self._entries()
        used = {one.sha256 for entry in entries for one in entry.files}
        deleted, size = await self._delete(used, now, oldest_open)
        forgotten = choose(entries, self.max_bytes, now - _YOUNG)
        for entry in forgotten:
            self.tick()
            await self.store.remember_evicted(entry.kind, entry.key, Tombstone(at=now, files=list(entry.files)))
            await self.store.forget("records", entry.kind, entry.key)
        total = sum(entry.size for entry in entries)
        return Eviction(cached_bytes=total, forgotten=len(forgotten), deleted=deleted, deleted_bytes=size)

    async def _entries(self) -> list[_Entry]:
        """Every record of the cache with its files."""
        readers = asyncio.Semaphore(_READERS)

        async def read(kind: str, key: str, used_at: datetime) -> _Entry | None:
            async with readers:
                self.tick()
                data = await self.store.read_record("records", kind, key)
            try:
                return _Entry(kind, key, used_at, tuple(_files(_JSON.validate_json(data)))) if data else None
            except ValidationError:
                return None

        found: list[_Entry] = []
        for kind in KINDS:
            listed = await self.store.list_records("records", kind)
            read_all = await asyncio.gather(*(read(kind, key, used_at) for key, used_at in listed))
            found += [entry for entry in read_all if entry is not None]
        return found

    async def _delete(self, used: set[str], now: datetime, oldest_open: datetime | None) -> tuple[int, int]:
        """Deletes the files of what was forgotten before every open export began. Returns their number and bytes."""
        until = min(now, oldest_open or now) - _SETTLED
        count = size = 0
        for kind in KINDS:
            for key, _ in await self.store.list_records("evicted", kind):
                self.tick()
                data = await self.store.read_record("evicted", kind, key)
                tombstone = Tombstone.model_validate_json(data) if data else None
                if tombstone is None or tombstone.at >= until:
                    continue
                for file in tombstone.files:
                    if file.sha256 not in used and await self.store.delete_older(file, tombstone.at):
                        count, size = count + 1, size + file.size_bytes
                await self.store.forget("evicted", kind, key)
        return count, size


def choose(entries: list[_Entry], max_bytes: int, before: datetime) -> list[_Entry]:
    """The entries to forget, least recently used first, until what is left is well within the size.

    A file that several entries share counts once, and for its most recent user.
    """
    newest_first = sorted(entries, key=lambda entry: entry.used_at, reverse=True)
    sizes = {one.sha256: one.size_bytes for entry in entries for one in entry.files}
    if sum(sizes.values()) <= max_bytes:
        return []
    kept: set[str] = set()
    total = 0
    forgotten: list[_Entry] = []
    full = False
    for entry in newest_first:
        new = {one.sha256: one.size_bytes for one in entry.files if one.sha256 not in kept}
        full = full or total + sum(new.values()) > max_bytes * _TO_SHARE
        if not full or entry.used_at >= before:
            kept |= new.keys()
            total += sum(new.values())
        else:
            forgotten.append(entry)
    return forgotten[::-1]


def _files(value: object) -> list[ArtifactRef]:
    """Every reference to a file in a record, whatever its shape."""
    if isinstance(value, list):
        return [one for item in value for one in _files(item)]
    if not isinstance(value, dict):
        return []
    if {"sha256", "sizeBytes", "mediaType"} <= value.keys():
        return [ArtifactRef.model_validate(value)]
    return [one for item in value.values() for one in _files(item)]
