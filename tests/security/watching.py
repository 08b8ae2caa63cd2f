"""What an attack costs: memory of a process and its children, and how soon the server answers others meanwhile."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ALONE = "ALONE_ON_THIS_MACHINE" in os.environ
"""Whether nothing else runs here (`make test-security`): then what is promised of seconds is looked at, too."""

_LOOK_SECONDS = 0.03
MB = 1024**2


@dataclass
class Cost:
    """The most that was seen while an attack ran."""

    before: int = 0
    memory: int = 0
    slowest: float = 0.0

    @property
    def taken(self) -> int:
        """Bytes above what was there before."""
        return self.memory - self.before


def memory_of(pids: list[int]) -> int:
    """Resident bytes of processes and all that they have started."""
    parents: dict[int, int] = {}
    resident: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError, IndexError, ValueError):
                fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
                parents[int(folder.name)] = int(fields[1])
                resident[int(folder.name)] = int(fields[21]) * 4_096
    family, grown = set(pids), True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        family, grown = family | more, bool(more)
    return sum(resident.get(pid, 0) for pid in family)


@asynccontextmanager
async def watched(url: str, pids: list[int]) -> AsyncIterator[Cost]:
    """Looks at memory and at `/healthz` for as long as the block runs."""
    cost = Cost(before=memory_of(pids))
    cost.memory = cost.before

    async def look() -> None:
        async with httpx.AsyncClient(base_url=url, timeout=10) as http:
            while True:
                began = time.perf_counter()
                assert (await http.get("/healthz")).status_code == 200
                cost.slowest = max(cost.slowest, time.perf_counter() - began)
                cost.memory = max(cost.memory, await asyncio.to_thread(memory_of, pids))
                await asyncio.sleep(_LOOK_SECONDS)

    looking = asyncio.create_task(look())
    try:
        yield cost
    finally:
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking
