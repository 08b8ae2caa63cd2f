"""Two owners: how long the quieter one waits for a film while the other one has two hundred queued.

    python -m benchmarks.fairness [--queued 200] [--rounds 3]

The bar: no more than twice as long as alone. Exit code 1 where it is broken.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
from temporalio.client import Client

from picturelock.auth.caller import SCOPES
from picturelock.auth.keyring import Keyring
from picturelock.auth.keys import new_key
from picturelock.cli.stack import Ports, StackPlan, running
from picturelock.store.store import Store
from picturelock.temporal.connection import connect

BAR: Final = 2.0
_LOOK_SECONDS: Final = 0.1
_LIMITS: Final = {
    "PICTURELOCK_MAX_OPEN_JOBS": "1000",
    "PICTURELOCK_MAX_OPEN_MINUTES": "0",
    "PICTURELOCK_MAX_REQUESTS_PER_MINUTE": "0",
}


def film() -> dict[str, Any]:
    """A film of three scenes that nobody has made before."""
    word = "".join(character for character in uuid.uuid4().hex if character.isalpha())
    scenes = [
        {"narration": f"Scene {number} says {word}, and goes on for a moment."} for number in ("one", "two", "three")
    ]
    return {"script": {"title": word, "scenes": scenes}, "video": {"preset": "preview"}}


async def key_of(owner: str, store: Store) -> str:
    """The text of a new key."""
    key, text = new_key(owner, SCOPES)
    await Keyring(store).add(key)
    return text


async def waits_of(client: Client, job_id: str) -> float:
    """How long the activities of a job have waited for a worker, in all."""
    scheduled: dict[int, datetime] = {}
    waited = timedelta()
    async for event in client.get_workflow_handle(job_id).fetch_history_events():
        at = event.event_time.ToDatetime()
        if event.HasField("activity_task_scheduled_event_attributes"):
            scheduled[event.event_id] = at
        elif event.HasField("activity_task_started_event_attributes"):
            waited += at - scheduled[event.activity_task_started_event_attributes.scheduled_event_id]
    return waited.total_seconds()


async def seconds_of(http: httpx.AsyncClient, client: Client) -> tuple[float, float]:
    """How long one film takes from the request to its end, and how long its activities wait for a worker."""
    began = time.monotonic()
    job_id = (await http.post("/api/jobs", json=film())).raise_for_status().json()["jobId"]
    while True:
        job = (await http.get(f"/api/jobs/{job_id}")).json()
        if job["status"] == "completed":
            return time.monotonic() - began, await waits_of(client, job_id)
        if job["status"] in {"failed", "cancelled"}:
            raise RuntimeError(job["error"])
        await asyncio.sleep(_LOOK_SECONDS)


async def measure(queued: int, rounds: int) -> int:
    """Both waits, side by side; the exit code."""
    with tempfile.TemporaryDirectory() as place:
        data = Path(place) / "data"
        store = Store((data / "store").as_uri(), data / "scratch")
        busy_key, quiet_key = await key_of("busy", store), await key_of("quiet", store)
        os.environ.update(_LIMITS)
        plan = StackPlan(data, Ports(0, 0, 0), keys=True, ui=False)
        async with running(plan, say=print, stop=asyncio.Event()) as stack:
            headers = [{"Authorization": f"Bearer {key}"} for key in (busy_key, quiet_key)]
            async with (
                httpx.AsyncClient(base_url=stack.api_url, headers=headers[0], timeout=30) as busy,
                httpx.AsyncClient(base_url=stack.api_url, headers=headers[1], timeout=30) as quiet,
            ):
                client = await connect(environment={"TEMPORAL_ADDRESS": f"127.0.0.1:{stack.temporal_port}"})
                await seconds_of(quiet, client)  # the voice is loaded, and fonts are known
                alone = [await seconds_of(quiet, client) for _ in range(rounds)]
                for _ in range(queued):
                    (await busy.post("/api/jobs", json=film())).raise_for_status()
                beside = [await seconds_of(quiet, client) for _ in range(rounds)]
                left = (await busy.get("/api/jobs", params={"limit": 1})).json()["total"]
    ratios = []
    for number, what in enumerate(("the film", "its waits for workers")):
        one, other = (statistics.median(values[number] for values in measured) for measured in (alone, beside))
        ratios.append(other / one)
        print(f"{what}: alone {one:.2f} s, beside {queued} films of another owner {other:.2f} s: {other / one:.2f}")
    print(
        "each film:", *(f"{one:.1f}" for one, _ in alone), "|", *(f"{one:.1f}" for one, _ in beside), f"({left} in all)"
    )
    return 0 if max(ratios) <= BAR else 1


def main() -> int:
    """Reads the command line and measures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queued", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    return asyncio.run(measure(chosen.queued, chosen.rounds))


if __name__ == "__main__":
    sys.exit(main())
