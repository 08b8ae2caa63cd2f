"""How old FFmpeg's progress is when a viewer sees it, and how far the progress is from linear: one real export."""

import asyncio
import contextlib
import json
import os
import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import httpx
from httpx_sse import aconnect_sse
from temporalio import activity
from temporalio.runtime import Runtime, TelemetryConfig

from activities import heartbeat
from benchmarks.report import Report, percentile
from benchmarks.stand import ROOT, Stand
from picturelock.jobs.stages import BY_NAME
from picturelock.settings import Settings, settings
from picturelock.store.store import default_store
from picturelock.temporal.connection import connect
from picturelock.temporal.worker_liveness import HEARTBEAT_SECONDS as WORKER_HEARTBEAT_SECONDS
from worker import build_workers

SCRIPT = ROOT / "examples" / "tides.md"


@dataclass
class Truth:
    """What FFmpeg told, when: the frames of each segment, and their sum as it grew."""

    done: dict[str, int] = field(default_factory=dict)
    sums: list[int] = field(default_factory=lambda: [0])
    times: list[float] = field(default_factory=lambda: [0.0])

    def note(self, segment: str, frames: int) -> None:
        if frames > self.done.get(segment, 0):
            self.done[segment] = frames
            self.sums.append(sum(self.done.values()))
            self.times.append(time.time())

    def reached(self, frames: int) -> float:
        """When FFmpeg had told of so many frames."""
        return self.times[min(bisect_left(self.sums, frames), len(self.times) - 1)]


@contextlib.contextmanager
def listening(truth: Truth) -> Iterator[None]:
    """Hears every advance where the activity hears it from FFmpeg."""
    advance = heartbeat.HeartbeatReporter.advance

    def heard(self: heartbeat.HeartbeatReporter, fraction: float, message: str, **counts: int | None) -> None:
        if (done := counts.get("done")) is not None:
            truth.note(activity.info().activity_id, done)
        advance(self, fraction, message, **counts)

    heartbeat.HeartbeatReporter.advance = heard  # type: ignore[method-assign]
    try:
        yield
    finally:
        heartbeat.HeartbeatReporter.advance = advance  # type: ignore[method-assign]


@asynccontextmanager
async def real_workers(stand: Stand) -> AsyncIterator[None]:
    """The real worker, inside this process."""
    runtime = Runtime(
        telemetry=TelemetryConfig(), worker_heartbeat_interval=timedelta(seconds=WORKER_HEARTBEAT_SECONDS)
    )
    client = await connect(runtime=runtime, environment=stand.environment)
    async with AsyncExitStack() as stack:
        for worker in build_workers(client, "all", Settings(data_dir=stand.data)):
            await stack.enter_async_context(worker)
        yield


async def watch(
    stand: Stand, truth: Truth
) -> tuple[list[float], list[float], list[tuple[float, float]], dict[str, Any]]:
    """Ages of FFmpeg's progress, ages of stage changes, (seconds, percent) of every state, and the last state."""
    ages, stages, course = [], [], []
    async with httpx.AsyncClient(base_url=stand.api, timeout=60) as http:
        answer = await http.post("/api/jobs", json={"script": SCRIPT.read_text()})
        job_id = answer.raise_for_status().json()["jobId"]
        began, shown = time.time(), 0
        async with aconnect_sse(http, "GET", f"/api/jobs/{job_id}/events") as source:
            async for event in source.aiter_sse():
                now, data = time.time(), json.loads(event.data)
                if event.event == "step-status" and event.id:
                    stages.append(now - datetime.fromisoformat(data["timestamp"]).timestamp())
                if "percent" in data:
                    course.append((now - began, data["percent"]))
                    detail = next(step for step in data["steps"] if step["name"] == "render")["detail"] or {}
                    frames = detail.get("framesDone") or 0
                    if frames > shown and data["stage"] == "render":
                        shown = frames
                        ages.append(now - truth.reached(frames))
        if course[-1][1] != 100:
            raise RuntimeError("the export did not complete")
    return ages, stages, course, data


async def measure_freshness(stand: Stand, report: Report) -> None:
    """One export of the example with real FFmpeg on all cores."""
    truth = Truth()
    os.environ["PICTURELOCK_DATA_DIR"] = str(stand.data)
    settings.cache_clear()
    default_store.cache_clear()
    with listening(truth):
        async with real_workers(stand):
            ages, stages, course, last = await watch(stand, truth)
    report.add("age of FFmpeg's progress at the viewer, p95", percentile(ages, 0.95), "s", 1.0, f"{len(ages)} advances")
    report.add("age of a stage change at the viewer, p95", percentile(stages, 0.95), "s", 0.6, f"{len(stages)} changes")
    total = course[-1][0]
    off, when = max((abs(percent - 100 * at / total), at) for at, percent in course)
    gaps = [later[0] - earlier[0] for earlier, later in pairwise(course)]
    report.add("progress against a straight line, worst", off, "points", note=f"at {when:.1f} s of {total:.1f} s")
    report.add("longest time without a new state", max(gaps), "s")
    for step in last["steps"]:
        began, ended = (datetime.fromisoformat(step[key]).timestamp() for key in ("startedAt", "completedAt"))
        weight = BY_NAME[step["name"]].weight
        report.add(f"share of the time: {step['name']}", (ended - began) / total, "", note=f"weight {weight:g}")
    await asyncio.sleep(0.1)
