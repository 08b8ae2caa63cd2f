"""Which uploaded files are whose. A file's id is a name, not a right: who knows it may use it only if it is his.

What a file was found to be, and its bytes, are kept once, however many owners have sent it.
"""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from picturelock.models import Asset, Model
from picturelock.store.store import LOOKUPS, Store

_FRESH_SECONDS: Final = 60.0


class OwnedAsset(Model):
    """An owner's upload."""

    asset: Asset
    uploaded_at: datetime


@dataclass(slots=True)
class OwnedAssets:
    """The uploads of every owner, in one store. All methods raise StoreUnavailable."""

    store: Store
    _bytes: dict[str, tuple[float, int]] = field(default_factory=dict)

    async def add(self, owner: str, asset: Asset) -> None:
        """Notes that an owner has sent a file."""
        known = await self.find(owner, asset.asset_id)
        await self.store.remember(_kind(owner), asset.asset_id, OwnedAsset(asset=asset, uploaded_at=datetime.now(UTC)))
        if owner in self._bytes and known is None:
            read_at, size = self._bytes[owner]
            self._bytes[owner] = (read_at, size + asset.size_bytes)

    async def find(self, owner: str, asset_id: str) -> Asset | None:
        """An owner's file, or None."""
        found = await self.store.recall(_kind(owner), asset_id, OwnedAsset, touch=False)
        return found.asset if found else None

    async def all(self, owner: str) -> list[OwnedAsset]:
        """An owner's files, the newest first."""
        listed = await self.store.list_records("records", _kind(owner))
        readers = asyncio.Semaphore(LOOKUPS)

        async def read(asset_id: str) -> OwnedAsset | None:
            async with readers:
                return await self.store.recall(_kind(owner), asset_id, OwnedAsset, touch=False)

        found = await asyncio.gather(*(read(asset_id) for asset_id, _ in listed))
        return sorted((one for one in found if one), key=lambda one: one.uploaded_at, reverse=True)

    async def remove(self, owner: str, asset_id: str) -> bool:
        """Forgets that a file is an owner's. Whether it was."""
        if await self.find(owner, asset_id) is None:
            return False
        await self.store.forget("records", _kind(owner), asset_id)
        self._bytes.pop(owner, None)
        return True

    async def bytes_of(self, owner: str) -> int:
        """About how many bytes an owner has uploaded: what other replicas have taken is seen within a minute."""
        known = self._bytes.get(owner)
        if known is None or time.monotonic() - known[0] > _FRESH_SECONDS:
            size = sum(one.asset.size_bytes for one in await self.all(owner))
            known = self._bytes[owner] = (time.monotonic(), size)
        return known[1]


def _kind(owner: str) -> str:
    return f"assets-of-{owner}"
