"""Whole exports through the real stack, with what Temporal's history says of where the time went."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from temporalio.client import Client

from benchmarks.speed.film import Inputs
from benchmarks.stand import Stand
from picturelock.models import JobStatus

_BINARY = {"content-type": "application/octet-stream"}
_LOOK_SECONDS = 0.5
"""A look costs Temporal and the API about 10 ms; the moment of the end is read from the job, not from the looks."""

WORK = ("render_batch", "master_sound", "finalize_film")


@dataclass(frozen=True)
class Exported:
    """One export: seconds from the request to `completed`, and the intervals of its activities by type."""

    job: JobStatus
    seconds: float
    activities: dict[str, list[tuple[datetime, datetime]]]
    events: int

    @property
    def overhead(self) -> float:
        """Seconds in which no segment, mix, join or gate was running."""
        return self.seconds - _union([one for name in WORK for one in self.activities.get(name, [])])

    def spent(self, name: str) -> float:
        """Seconds in which an activity of that type was running."""
        return _union(self.activities.get(name, []))


def _union(intervals: list[tuple[datetime, datetime]]) -> float:
    total, until = 0.0, None
    for start, end in sorted(intervals):
        begin = start if until is None or start > until else until
        if end > begin:
            total += (end - begin).total_seconds()
            until = end
    return total


@dataclass(frozen=True)
class Exporter:
    """Asks a stand for films."""

    stand: Stand
    http: httpx.AsyncClient
    client: Client

    async def upload(self, path: Path) -> str:
        answer = await self.http.post(
            "/api/assets", content=path.read_bytes(), headers={"content-type": "application/octet-stream"}
        )
        return str(answer.raise_for_status().json()["assetId"])

    async def upload_all(self, inputs: Inputs) -> tuple[list[str], list[str]]:
        return ([await self.upload(path) for path in inputs.photographs],
                [await self.upload(path) for path in inputs.narrations])  # fmt: skip

    async def create(self, request: dict[str, Any]) -> str:
        answer = await self.http.post("/api/jobs", json=request)
        return str(answer.raise_for_status().json()["jobId"])

    async def completed(self, job_id: str, *, look_seconds: float = _LOOK_SECONDS) -> JobStatus:
        while True:
            job = JobStatus.model_validate((await self.http.get(f"/api/jobs/{job_id}")).json())
            if job.status in {"failed", "cancelled"}:
                raise RuntimeError(f"{job_id}: {job.error_message}")
            if job.status == "completed":
                return job
            await asyncio.sleep(look_seconds)

    async def export(self, request: dict[str, Any]) -> Exported:
        began = datetime.now(UTC)
        job_id = await self.create(request)
        job = await self.completed(job_id)
        seconds = ((job.completed_at or began) - began).total_seconds()
        activities, events = await self._history(job_id)
        return Exported(job, seconds, activities, events)

    async def _history(self, job_id: str) -> tuple[dict[str, list[tuple[datetime, datetime]]], int]:
        history = await self.client.get_workflow_handle(job_id).fetch_history()
        names, started, found = {}, {}, dict[str, list[tuple[datetime, datetime]]]()
        for event in history.events:
            at = event.event_time.ToDatetime()
            if event.HasField("activity_task_scheduled_event_attributes"):
                names[event.event_id] = event.activity_task_scheduled_event_attributes.activity_type.name
            elif event.HasField("activity_task_started_event_attributes"):
                started[event.event_id] = at
            elif event.HasField("activity_task_completed_event_attributes"):
                done = event.activity_task_completed_event_attributes
                found.setdefault(names[done.scheduled_event_id], []).append((started[done.started_event_id], at))
        return found, len(history.events)

    async def manifest(self, job: JobStatus) -> dict[str, Any]:
        answer = await self.http.get(f"/api/jobs/{job.id}/artifacts/manifest.json")
        found: dict[str, Any] = json.loads(answer.content)
        return found


@asynccontextmanager
async def exporting(stand: Stand) -> AsyncIterator[Exporter]:
    async with httpx.AsyncClient(base_url=stand.api, timeout=60, follow_redirects=True) as http:
        yield Exporter(stand, http, await stand.client())


class Memory:
    """The most memory (bytes, shared pages in proportion) that a process and all below it have had together."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.peak = 0

    async def watch(self) -> None:
        """Looks four times a second until cancelled."""
        while True:
            self.peak = max(self.peak, await asyncio.to_thread(self.now))
            await asyncio.sleep(0.25)

    def now(self) -> int:
        """The memory at this moment."""
        return sum(_proportional(pid) for pid in _descendants(self._pid))


def _descendants(pid: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            parents.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for one in found:
        found += parents.get(one, [])
    return found


def _proportional(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    line = next((one for one in text.splitlines() if one.startswith("Pss:")), "Pss: 0 kB")
    return int(line.split()[1]) * 1024
