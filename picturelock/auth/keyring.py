"""The keys of an installation, kept in its store, and quick to find again.

Every replica reads them there. A revoked key opens nothing after `FRESH_SECONDS` anywhere.
"""

import asyncio
import contextlib
import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from picturelock.auth import keys
from picturelock.auth.caller import Caller
from picturelock.auth.keys import ApiKey
from picturelock.errors import StorageError
from picturelock.models import Model
from picturelock.store.store import Store

FRESH_SECONDS: Final = 5.0
_USE_NOTED_EVERY: Final = timedelta(hours=1)
_KEPT: Final = 4_096
_HASHES_AT_ONCE: Final = 2
KEYS: Final = "keys"
USES: Final = "key-uses"


class KeyUse(Model):
    """When a key was used last, to the hour."""

    used_at: datetime


@dataclass(slots=True)
class _Known:
    key: ApiKey | None
    read_at: float
    proof: bytes | None = None
    """A quick hash of the text that was found right, so that scrypt is asked once."""


@dataclass(slots=True)
class Keyring:
    """Finds out whose a key is."""

    store: Store
    _known: OrderedDict[str, _Known] = field(default_factory=OrderedDict)
    _noted: dict[str, datetime] = field(default_factory=dict)
    _hashing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_HASHES_AT_ONCE))

    async def caller(self, text: str) -> Caller | None:
        """Who shows a key's text; None where it is nobody's, revoked or expired.

        Raises:
            StoreUnavailable: the keys cannot be read.
        """
        parts = keys.parse(text)
        if parts is None:
            return None
        key_id, secret = parts
        known = await self._read(key_id)
        if known.key is None or not known.key.is_valid(datetime.now(UTC)):
            return None
        proof = hashlib.sha256(text.encode()).digest()
        if known.proof != proof:
            async with self._hashing:
                if not await asyncio.to_thread(keys.matches, known.key, secret):
                    return None
            known.proof = proof
        await self._note_use(key_id)
        return _caller(known.key)

    async def caller_of(self, key_id: str) -> Caller | None:
        """The caller of a key that was shown before, while it is valid. Raises StoreUnavailable."""
        key = (await self._read(key_id)).key
        return _caller(key) if key is not None and key.is_valid(datetime.now(UTC)) else None

    async def add(self, key: ApiKey) -> None:
        """Keeps a new key. Raises StoreUnavailable."""
        await self.store.remember(KEYS, key.id, key)

    async def all(self) -> list[tuple[ApiKey, datetime | None]]:
        """Every key, the oldest first, and when it was last used."""
        listed = await self.store.list_records("records", KEYS)
        found = [await self.store.recall(KEYS, key_id, ApiKey, touch=False) for key_id, _ in listed]
        uses = [await self.store.recall(USES, key_id, KeyUse) for key_id, _ in listed]
        pairs = [(key, use.used_at if use else None) for key, use in zip(found, uses, strict=True) if key]
        return sorted(pairs, key=lambda pair: pair[0].created_at)

    async def revoke(self, key_id: str) -> bool:
        """Ends a key for good. Whether there is one."""
        key = await self.store.recall(KEYS, key_id, ApiKey, touch=False)
        if key is None:
            return False
        if key.revoked_at is None:
            await self.add(key.model_copy(update={"revoked_at": datetime.now(UTC)}))
        return True

    async def _read(self, key_id: str) -> _Known:
        known = self._known.get(key_id)
        if known is not None and time.monotonic() - known.read_at < FRESH_SECONDS:
            return known
        key = await self.store.recall(KEYS, key_id, ApiKey, touch=False)
        same = known is not None and known.key is not None and key is not None and known.key.hash == key.hash
        fresh = _Known(key, time.monotonic(), known.proof if known and same else None)
        self._known[key_id] = fresh
        self._known.move_to_end(key_id)
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return fresh

    async def _note_use(self, key_id: str) -> None:
        now = datetime.now(UTC)
        noted = self._noted.get(key_id)
        if noted is None or now - noted > _USE_NOTED_EVERY:
            self._noted[key_id] = now
            with contextlib.suppress(StorageError):  # a key opens also where nobody can note that it did
                await self.store.remember(USES, key_id, KeyUse(used_at=now))


def _caller(key: ApiKey) -> Caller:
    return Caller(key.owner, frozenset(key.scopes), key.id)
