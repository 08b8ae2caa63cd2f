"""Keeps what can be made again within a size: the least recently used goes first, and nothing that a job may have seen.

Two steps, a run apart at least. First a record is forgotten, and a note says when; from then on no job finds it. Its
files go only when every export that was open at that moment has closed: whoever found the record before it was
forgotten is among them. A file that was put again meanwhile stays for two hours at least, by when its record is seen.
Films, uploads and whatever else was published are no cache and never go.
"""

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from pydantic import TypeAdapter, ValidationError

from picturelock.errors import DiskFull
from picturelock.models import ArtifactRef, Eviction, Model
from picturelock.store.store import TOUCH_AFTER, Store

KINDS: Final = ("narration", "page", "page-ahead", "picture", "segment", "sound", "insert", "still")
_TO_SHARE: Final = 0.9
"""How full the cache is after an eviction, so that not every run has to evict."""

_YOUNG: Final = timedelta(minutes=15)
_SETTLED: Final = timedelta(minutes=1)
"""How long Temporal's list of open executions may lag behind."""

_READERS: Final = 32
_JSON: Final = TypeAdapter(dict[str, Any])
Tick = Callable[[], None]
Outcome = Literal["deleted", "kept", "later"]


class Tombstone(Model):
    """A record that was forgotten, the moment from which nobody could find it, and the files it pointed at."""

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
        return sum(file.size_bytes for file in self.files)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Evictor:
    """Evicts from one store. `tick` is called as the work goes on."""

    store: Store
    max_bytes: int
    tick: Tick = lambda: None
    clock: Callable[[], datetime] = _now

    async def run(self, oldest_open: datetime | None) -> Eviction:
        """One run. `oldest_open` is when the oldest export that is still open was started; None: there is none.

        Raises:
            StoreUnavailable, DiskFull: also when the store is so full that nothing can be noted while exports are open.
        """
        began = self.clock()
        entries = await self._entries()
        used = {file.sha256 for entry in entries for file in entry.files}
        deleted, size = await self._bury(used, began, oldest_open)
        forgotten = choose(entries, self.max_bytes, began - _YOUNG)
        kept = {file.sha256 for entry in entries if entry not in forgotten for file in entry.files}
        for entry in forgotten:
            self.tick()
            at_once = await self._forget(entry, kept, nothing_open=oldest_open is None)
            deleted, size = deleted + len(at_once), size + sum(file.size_bytes for file in at_once)
        cached = {file.sha256: file.size_bytes for entry in entries for file in entry.files}
        total = sum(cached.values())
        return Eviction(cached_bytes=total, forgotten=len(forgotten), deleted=deleted, deleted_bytes=size)

    async def _forget(self, entry: _Entry, kept: set[str], *, nothing_open: bool) -> list[ArtifactRef]:
        """Notes that a record goes, lets it go, and notes when it was gone. The names of notes never meet.

        A store that is too full for a note is helped at once, where nothing is open that could miss the files: they are
        deleted, but for those that a `kept` record points at. Returns what was deleted.
        """
        # Noted before and after: a process that dies in between leaves a note, and never files that nothing points at.
        note = f"{entry.key}.{uuid.uuid4().hex}"
        try:
            await self._note(entry, note)
        except DiskFull:
            if not nothing_open:
                raise
            await self.store.forget("records", entry.kind, entry.key)
            files = [file for file in entry.files if file.sha256 not in kept]
            return [file for file in files if await self._delete(file, self.clock()) == "deleted"]
        await self.store.forget("records", entry.kind, entry.key)
        await self._note(entry, note)
        return []

    async def _note(self, entry: _Entry, name: str) -> None:
        await self.store.remember_evicted(entry.kind, name, Tombstone(at=self.clock(), files=list(entry.files)))

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

        entries: list[_Entry] = []
        for kind in KINDS:
            listed = await self.store.list_records("records", kind)
            read_all = await asyncio.gather(*(read(kind, key, used_at) for key, used_at in listed))
            entries += [entry for entry in read_all if entry is not None]
        return entries

    async def _bury(self, used: set[str], now: datetime, oldest_open: datetime | None) -> tuple[int, int]:
        """Deletes the files of what was forgotten before every open export began. Returns their number and bytes."""
        # An export that was open when the record was forgotten may have found it before, and may still read its files.
        until = min(now, oldest_open or now) - _SETTLED
        count = size = 0
        for kind in KINDS:
            for name, _ in await self.store.list_records("evicted", kind):
                self.tick()
                data = await self.store.read_record("evicted", kind, name)
                tombstone = _read_tombstone(data) if data else None
                if tombstone is None:  # what it was about cannot be known; it must not stop every run to come
                    await self.store.forget("evicted", kind, name)
                    continue
                if tombstone.at >= until:
                    continue
                # A file that another record points at goes with that record, not with this one.
                files = [file for file in tombstone.files if file.sha256 not in used]
                outcomes = [await self._delete(file, now - 2 * TOUCH_AFTER) for file in files]
                gone = [file for file, outcome in zip(files, outcomes, strict=True) if outcome == "deleted"]
                count, size = count + len(gone), size + sum(file.size_bytes for file in gone)
                if "later" not in outcomes:
                    await self.store.forget("evicted", kind, name)
        return count, size

    async def _delete(self, file: ArtifactRef, before: datetime) -> Outcome:
        """Deletes a file, unless it was put since `before` ("later"), or is somebody's upload, too ("kept").

        What was put lately may be of a job that has not written its record down yet.
        """
        if await self.store.find_asset(f"sha256-{file.sha256}") is not None:
            return "kept"
        return "deleted" if await self.store.delete_older(file, before) else "later"


def _read_tombstone(data: bytes) -> Tombstone | None:
    try:
        return Tombstone.model_validate_json(data)
    except ValidationError:
        return None


def choose(entries: list[_Entry], max_bytes: int, before: datetime) -> list[_Entry]:
    """The entries to forget, least recently used first, until what is left is well within the size.

    A file that several entries share counts once, and for its most recent user.
    """
    newest_first = sorted(entries, key=lambda entry: entry.used_at, reverse=True)
    sizes = {file.sha256: file.size_bytes for entry in entries for file in entry.files}
    if sum(sizes.values()) <= max_bytes:
        return []
    kept: set[str] = set()
    total = 0
    forgotten: list[_Entry] = []
    full = False
    for entry in newest_first:
        new = {file.sha256: file.size_bytes for file in entry.files if file.sha256 not in kept}
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
        return [file for item in value for file in _files(item)]
    if not isinstance(value, dict):
        return []
    if {"sha256", "sizeBytes", "mediaType"} <= value.keys():
        return [ArtifactRef.model_validate(value)]
    return [file for item in value.values() for file in _files(item)]
