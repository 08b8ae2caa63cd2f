"""What the heartbeats of one film on many slots cost the server, and how old its progress is meanwhile."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any, Final

import httpx
from temporalio.worker import Worker

from activities.decorators import stage_activity
from activities.heartbeat import HeartbeatReporter
from benchmarks.freshness import Truth
from benchmarks.report import Report, percentile
from benchmarks.stand import Stand
from picturelock.jobs.stages import CONTROL_QUEUE, EXPORTS_QUEUE, HEARTBEAT_SECONDS, RENDER_QUEUE
from picturelock.models import PlannedBatch
from picturelock.temporal import contracts
from picturelock.temporal.connection import connect
from picturelock.temporal.reader import JobReader
from tests.fake_activities import REF, Studio
from workflows.export import ExportWorkflow
from workflows.post_export import PostExportWorkflow

FRAMES: Final = 10_000
FRAMES_PER_SECOND: Final = 10
SECONDS: Final = 20.0
SETTLING_SECONDS: Final = 8.0
_LOOK_SECONDS: Final = 0.25


def rendering(truth: Truth) -> Callable[..., Any]:
    """Draws ten frames a second with everything around it that real rendering has."""

    @stage_activity(contracts.RENDER_BATCH)
    async def render(task: contracts.BatchTask, heartbeat: HeartbeatReporter) -> contracts.RenderedBatch:
        for done in range(FRAMES):
            truth.note(task.segment_ids[-1], done)
            heartbeat.advance(done / FRAMES, "Rendering", done=done, total=FRAMES)
            await asyncio.sleep(1 / FRAMES_PER_SECOND)
        return contracts.RenderedBatch(segments=REF, headers=[], segments_found=0, segments_made=1)

    return render


@asynccontextmanager
async def film_on(stand: Stand, slots: int, truth: Truth) -> AsyncIterator[str]:
    """A job whose rendering fills so many slots of one worker."""
    client = await connect(environment=stand.environment)
    batches = [PlannedBatch(id=f"render-{n:03d}", frames=FRAMES, segment_ids=[f"{n}"]) for n in range(slots)]
    studio = Studio(scenes=1, batches=batches)
    throttle = timedelta(seconds=HEARTBEAT_SECONDS)
    beats: dict[str, Any] = {
        "max_heartbeat_throttle_interval": throttle,
        "default_heartbeat_throttle_interval": throttle,
    }
    async with AsyncExitStack() as stack:
        for worker in (
            Worker(client, task_queue=EXPORTS_QUEUE, workflows=[ExportWorkflow],
                   activities=studio.activities(), **beats),
            Worker(client, task_queue=RENDER_QUEUE, activities=[rendering(truth)], max_concurrent_activities=slots,
                   **beats),
            Worker(client, task_queue=CONTROL_QUEUE, workflows=[PostExportWorkflow],
                   activities=studio.control_activities(), **beats),
        ):  # fmt: skip
            await stack.enter_async_context(worker)
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=stand.api, timeout=30))
        script = {"title": uuid.uuid4().hex, "scenes": [{"narration": "Twice a day."}]}
        answer = await http.post("/api/jobs", json={"script": script})
        job_id = answer.raise_for_status().json()["jobId"]
        yield job_id
        await http.post(f"/api/jobs/{job_id}/cancel")


async def measure_slots(stand: Stand, report: Report, slots: int, beats: float, age: float) -> None:
    """One film on so many slots, for a while."""
    truth = Truth()
    async with film_on(stand, slots, truth) as job_id:
        reader = JobReader(await connect(environment=stand.environment))
        await asyncio.sleep(SETTLING_SECONDS)
        ages: list[float] = []
        before, began = (await stand.temporal_calls())["RecordActivityTaskHeartbeat"], time.time()
        while time.time() - began < SECONDS:
            job = await reader.status(job_id)
            detail = next(step for step in job.steps if step.name == "render").detail
            if detail is not None and detail.frames_done:
                ages.append(time.time() - truth.reached(detail.frames_done))
            await asyncio.sleep(_LOOK_SECONDS)
        calls = ((await stand.temporal_calls())["RecordActivityTaskHeartbeat"] - before) / (time.time() - began)
    name = f"one film on {slots} slots"
    report.add(f"{name}: heartbeats", calls, "/s", beats)
    report.add(f"{name}: age of its progress, p95", percentile(ages, 0.95), "s", age, f"{len(ages)} looks")
