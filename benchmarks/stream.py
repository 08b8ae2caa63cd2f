"""How soon viewers know: `make bench-stream`.

Everything is measured in one run against one Temporal server and API process, on the machine's own loopback.
"""

import asyncio
import json
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx

from benchmarks.freshness import measure_freshness
from benchmarks.report import Report, percentile
from benchmarks.slots import measure_slots
from benchmarks.stand import ROOT, Stand, standing

POSTS = 200
FEW, JOBS, MANY_JOBS = 20, 20, 100
STREAMS, MANY_STREAMS = 2_000, 10_000
WATCHED = 300
CROWDS = 5
SECONDS = 15.0


def request() -> dict[str, Any]:
    return {"script": {"title": uuid.uuid4().hex, "scenes": [{"narration": "Twice a day the sea breathes in."}]}}


async def measure_posts(stand: Stand, report: Report) -> list[str]:
    """Sequential POSTs over one connection, with nothing else to do. Returns the jobs: queued, with no worker."""
    taken, jobs = [], []
    async with httpx.AsyncClient(base_url=stand.api, timeout=30) as http:
        for _ in range(POSTS):
            began = time.perf_counter()
            response = await http.post("/api/jobs", json=request())
            taken.append(time.perf_counter() - began)
            jobs.append(response.raise_for_status().json()["jobId"])
    report.add("POST /api/jobs, p50", 1000 * percentile(taken, 0.5), "ms", 30, f"{POSTS} in sequence")
    report.add("POST /api/jobs, p99", 1000 * percentile(taken, 0.99), "ms", 150)
    return jobs


async def viewers(stand: Stand, streams: int, jobs: list[str], seconds: float = 0, limit: int = 100) -> dict[str, Any]:
    """What that many viewers in a process of their own saw."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.viewers", "--port", str(stand.api_port), "--streams", str(streams),
        "--seconds", str(seconds), "--at-once", str(limit), *jobs,
        stdout=asyncio.subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("the viewers failed")
    found: dict[str, Any] = json.loads(output)
    return found


async def measure_unwatched(stand: Stand, jobs: list[str], report: Report) -> None:
    """Everybody comes at once, each to a job that nobody watches; so several times."""
    taken: list[float] = []
    async with httpx.AsyncClient(base_url=stand.api, timeout=30) as http:
        for _ in range(CROWDS):
            while "picturelock_watchers 0.0" not in (await http.get("/metrics")).text:
                await asyncio.sleep(0.1)
            seen = await viewers(stand, len(jobs), jobs, limit=len(jobs))
            taken += seen["acknowledged"]
    note = (
        f"{CROWDS} times {len(jobs)} at once, each on a job nobody watched; p50 {1000 * percentile(taken, 0.5):.0f} ms"
    )
    report.add("first byte of connected, unwatched, p99", 1000 * percentile(taken, 0.99), "ms", 150, note)


@asynccontextmanager
async def running_jobs(stand: Stand, count: int, beat: float) -> AsyncIterator[list[str]]:
    """Jobs in their rendering, with actors that advance them."""
    await stand.start("actors", sys.executable, "-m", "benchmarks.actors", "--beat", str(beat))
    async with httpx.AsyncClient(base_url=stand.api, timeout=30) as http:
        jobs = [(await http.post("/api/jobs", json=request())).raise_for_status().json()["jobId"] for _ in range(count)]
        for job_id in jobs:
            async with asyncio.timeout(60):
                while (await http.get(f"/api/jobs/{job_id}")).json()["stage"] != "render":
                    await asyncio.sleep(0.05)
        yield jobs
        for job_id in jobs:
            await http.post(f"/api/jobs/{job_id}/cancel")
    await stand.children.pop("actors").stop()


async def measure_watched(stand: Stand, jobs: list[str], report: Report) -> None:
    """One viewer after the other joins a job that is watched already."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=stand.api, timeout=30))
        open_stream = await stack.enter_async_context(http.stream("GET", f"/api/jobs/{jobs[0]}/events"))
        assert open_stream.status_code == 200
        seen = await viewers(stand, WATCHED, jobs[:1], limit=1)
    report.add("first byte of connected, watched, p99", 1000 * seen["acknowledged_p99"], "ms", 50, f"{WATCHED} joined")


async def calls_per_second(stand: Stand, streams: int, jobs: list[str]) -> tuple[dict[str, Any], float]:
    """What viewers saw, and how many requests a second Temporal answered for the API meanwhile."""
    watching = asyncio.create_task(viewers(stand, streams, jobs, SECONDS))
    await asyncio.sleep(SECONDS * 0.3 + streams / 2_000)
    began, before = time.perf_counter(), await stand.temporal_calls()
    await asyncio.sleep(SECONDS * 0.6)
    after, took = await stand.temporal_calls(), time.perf_counter() - began
    asked = ("DescribeWorkflowExecution", "QueryWorkflow", "ListWorkers", "ListWorkflowExecutions")
    calls = sum(after.get(one, 0) - before.get(one, 0) for one in asked)
    return await watching, calls / took


async def measure_crowd(stand: Stand, jobs: list[str], report: Report) -> None:
    """Two thousand viewers cost Temporal what twenty do."""
    _, few = await calls_per_second(stand, FEW, jobs)
    report.add(f"Temporal calls, {FEW} streams", few, "/s", note=f"{len(jobs)} jobs")
    await stand.restart_api()
    async with httpx.AsyncClient(base_url=stand.api) as http:
        for _ in range(50):  # what a process loads once is no stream's cost
            await http.get(f"/api/jobs/{jobs[0]}")
    empty = stand.memory_of("api")
    watching = asyncio.create_task(calls_per_second(stand, STREAMS, jobs))
    peak = empty
    while not watching.done():
        peak = max(peak, stand.memory_of("api"))
        await asyncio.sleep(0.2)
    seen, many = await watching
    name = f"{STREAMS} streams, {len(jobs)} jobs"
    report.add(f"{name}: lost or silent", seen["lost"] + seen["silent"], "streams", 0, f"{seen['states']} states told")
    report.add(f"{name}: watcher to client, p99", seen["lag_p99"], "s", 0.6, f"p50 {seen['lag_p50']:.3f} s")
    report.add(f"{name}: Temporal calls", many, "/s", few * 1.1, f"{many / few - 1:+.1%} against {FEW} streams")
    report.add(f"{name}: memory a stream", (peak - empty) / STREAMS / 1000, "kB", 60)


async def measure_great_crowd(stand: Stand, jobs: list[str], report: Report) -> None:
    await stand.restart_api()
    seen = await viewers(stand, MANY_STREAMS, jobs, SECONDS, limit=200)
    name = f"{MANY_STREAMS} streams, {len(jobs)} jobs"
    report.add(f"{name}: lost or silent", seen["lost"] + seen["silent"], "streams", 0, f"{seen['states']} states told")
    report.add(f"{name}: watcher to client, p99", seen["lag_p99"], "s", 2.0, f"p50 {seen['lag_p50']:.3f} s")


async def main() -> int:
    parts = set(sys.argv[1:]) or {"knock", "crowd", "great-crowd", "freshness", "slots"}
    report = Report()
    if "knock" in parts:
        async with standing() as stand:
            queued = await measure_posts(stand, report)
            await stand.restart_api()
            await measure_unwatched(stand, queued, report)
    if "crowd" in parts:
        async with standing() as stand, running_jobs(stand, JOBS, beat=0.25) as jobs:
            await measure_watched(stand, jobs, report)
            await measure_crowd(stand, jobs, report)
    if "great-crowd" in parts:
        async with standing() as stand, running_jobs(stand, MANY_JOBS, beat=1.0) as jobs:
            await measure_great_crowd(stand, jobs, report)
    if "freshness" in parts:
        async with standing() as stand:
            await measure_freshness(stand, report)
    if "slots" in parts:
        async with standing() as stand:
            await measure_slots(stand, report, 8, beats=60, age=1.0)
            await measure_slots(stand, report, 200, beats=60, age=2.5)
    return 0 if report.table("How soon viewers know") else 1


if __name__ == "__main__":
    code = asyncio.run(main())
    sys.exit(code)
