"""What keys, owners and limits cost: POST, GET and `connected` with them and without, in one run, in turns.

    python -m benchmarks.keys [--rounds 300]

The bar: no more than 15 % at the median. Exit code 1 where it is broken.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import httpx

from benchmarks.stand import standing
from picturelock.auth.caller import SCOPES
from picturelock.auth.keyring import Keyring
from picturelock.auth.keys import new_key
from picturelock.store.store import Store

BAR: Final = 0.15
_SCRIPT: Final[dict[str, Any]] = {"script": {"scenes": [{"narration": "Hello there."}]}}
_WITHOUT_LIMITS: Final = {"PICTURELOCK_MAX_OPEN_JOBS": "0", "PICTURELOCK_MAX_OPEN_MINUTES": "0"}
_WITH_LIMITS: Final = {
    "PICTURELOCK_AUTHENTICATION": "keys",
    "PICTURELOCK_SERVER_SECRET": "a secret of this measurement's own",
    "PICTURELOCK_MAX_OPEN_JOBS": "1000",
    "PICTURELOCK_MAX_OPEN_MINUTES": "1000000",
    "PICTURELOCK_MAX_REQUESTS_PER_MINUTE": "1000000",
}


async def post(http: httpx.AsyncClient, _job: str) -> None:
    """One job more."""
    (await http.post("/api/jobs", json=_SCRIPT)).raise_for_status()


async def get(http: httpx.AsyncClient, job: str) -> None:
    """One status."""
    (await http.get(f"/api/jobs/{job}")).raise_for_status()


async def connected(http: httpx.AsyncClient, job: str) -> None:
    """The first byte of an event stream."""
    async with http.stream("GET", f"/api/jobs/{job}/events") as response:
        await anext(response.aiter_raw())


async def seconds(
    work: Callable[[httpx.AsyncClient, str], Awaitable[None]], http: httpx.AsyncClient, job: str
) -> float:
    """How long one takes."""
    began = time.perf_counter()
    await work(http, job)
    return time.perf_counter() - began


async def measure(rounds: int) -> int:
    """Both, in turns; the exit code."""
    async with standing() as stand:
        with tempfile.TemporaryDirectory() as place:
            data = Path(place)
            key, text = new_key("somebody", SCOPES)
            await Keyring(Store((stand.data / "store").as_uri(), data)).add(key)
            clients, jobs = [], []
            for name, limits, headers in (
                ("open", _WITHOUT_LIMITS, {}), ("guarded", _WITH_LIMITS, {"Authorization": f"Bearer {text}"}),
            ):  # fmt: skip
                url = await stand.another_api(name, limits)
                clients.append(httpx.AsyncClient(base_url=url, headers=headers, timeout=30))
                await asyncio.sleep(1)
                jobs.append((await clients[-1].post("/api/jobs", json=_SCRIPT)).raise_for_status().json()["jobId"])
            broken = False
            for work in (post, get, connected):
                times: list[list[float]] = [[], []]
                for _ in range(rounds):
                    for number, http in enumerate(clients):
                        times[number].append(await seconds(work, http, jobs[number]))
                one, other = (statistics.median(values) for values in times)
                broken |= other > one * (1 + BAR)
                cost = other / one - 1
                print(f"{work.__name__}: {1000 * one:.2f} ms without, {1000 * other:.2f} ms with: {cost:+.0%}")
            for http in clients:
                await http.aclose()
    return int(broken)


def main() -> int:
    """Reads the command line and measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    return asyncio.run(measure(parser.parse_args().rounds))


if __name__ == "__main__":
    sys.exit(main())
