"""The store of this machine, looked at by commands that start nothing."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from picturelock.forecast import foresee
from picturelock.models import ExportRequest
from picturelock.models.forecast import Forecast
from picturelock.providers import Providers
from picturelock.settings import Settings, settings
from picturelock.store.assets import ingest
from picturelock.store.hashing import sha256_of
from picturelock.store.lookup import Lookup


@dataclass(frozen=True, slots=True)
class LocalStore:
    """What lies in a data folder's store, and what would be made with it."""

    store: Lookup
    scratch: Path
    providers: Providers

    @classmethod
    def of(cls, data: Path | None) -> Self:
        """The store of the settings, or that of a data folder."""
        chosen = settings() if data is None else Settings(data_dir=data)
        chosen.scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(Lookup(chosen.store_location, chosen.scratch), chosen.scratch, Providers.from_settings(chosen))

    async def upload(self, path: Path) -> str:
        """The asset id that a file has or would have; it stays where it is. Raises AssetUnreadable."""
        asset_id = f"sha256-{await asyncio.to_thread(sha256_of, path)}"
        if (known := await self.store.find_asset(asset_id)) is not None:
            await self.store.put_file(path, known.media_type)
            await self.store.put_asset(known)
            return asset_id
        return (await ingest(path, self.store)).asset_id

    async def foresee(self, request: ExportRequest) -> Forecast:
        """What an export would be. Raises like `picturelock.forecast.foresee`."""
        return await foresee(request, self.store, self.scratch, self.providers)
