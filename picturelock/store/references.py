"""Who needs a file: a small record for each job and each owner that points at it. It goes with the last of them.

Whoever is about to need a file says so before it looks whether the file is there, or puts it: whoever gives one up
looks for others afterwards.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from picturelock.store.store import LOOKUPS, Store

_FOLDER: Final = "references"
JOBS: Final = "job."
OUTPUTS: Final = "output."
OWNERS: Final = "owner."


@dataclass(frozen=True, slots=True)
class References:
    """The references to the files of one store. All methods raise StoreUnavailable."""

    store: Store

    async def add(self, holder: str, hashes: Collection[str]) -> None:
        """Has a holder (`job.<id>`, `output.<id>`, `owner.<name>`) need files, by their hashes."""
        await asyncio.gather(*(self.store.put_note(_path(sha256, holder), b"") for sha256 in set(hashes)))

    async def holders(self, sha256: str) -> list[str]:
        """Who needs a file."""
        return await self.store.list_notes(f"{_FOLDER}/{sha256[:2]}/{sha256}")

    async def release(self, holder: str, hashes: Collection[str]) -> list[str]:
        """A holder needs files no longer. Returns those that nobody needs any more; they are still there."""
        turns = asyncio.Semaphore(LOOKUPS)

        async def give_up(sha256: str) -> str | None:
            async with turns:
                await self.store.delete_note(_path(sha256, holder))
                return None if await self.holders(sha256) else sha256

        released = await asyncio.gather(*(give_up(sha256) for sha256 in set(hashes)))
        return [sha256 for sha256 in released if sha256 is not None]


def job_holder(job_id: str) -> str:
    """The name under which a job needs the uploads that it is made from."""
    return f"{JOBS}{job_id}"


def output_holder(job_id: str) -> str:
    """The name under which a job needs what it has made."""
    return f"{OUTPUTS}{job_id}"


def owner_holder(owner: str) -> str:
    """The name under which an owner needs what he has uploaded."""
    return f"{OWNERS}{owner}"


def _path(sha256: str, holder: str) -> str:
    return f"{_FOLDER}/{sha256[:2]}/{sha256}/{holder}"
