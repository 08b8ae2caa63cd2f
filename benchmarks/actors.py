"""A worker whose activities only act: every render activity advances a frame at each heartbeat, until it is stopped.

python -m benchmarks.actors --beat 0.25
"""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from temporalio import activity
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.worker import Worker

from picturelock.jobs.stages import CONTROL_QUEUE, EXPORTS_QUEUE, HEARTBEAT_SECONDS, RENDER_QUEUE
from picturelock.models import Heartbeat
from picturelock.temporal.connection import connect
from picturelock.temporal.worker_liveness import HEARTBEAT_SECONDS as WORKER_HEARTBEAT_SECONDS
from tests.fake_activities import Studio
from workflows.export import ExportWorkflow
from workflows.post_export import PostExportWorkflow

FRAMES = 20_000
"""Frames of a segment: at four a second, more than any measurement lasts."""


async def act(beat: float, _task: object) -> None:
    """Renders for as long as anybody looks."""
    for done in range(FRAMES):
        activity.heartbeat(
            Heartbeat(
                fraction=done / FRAMES,
                frames_done=done,
                frames_total=FRAMES,
                last_advance_at=datetime.now(UTC),
                stall_after_seconds=30,
            )
        )
        await asyncio.sleep(beat)


async def work(beat: float) -> None:
    """Works until it is ended."""
    runtime = Runtime(
        telemetry=TelemetryConfig(), worker_heartbeat_interval=timedelta(seconds=WORKER_HEARTBEAT_SECONDS)
    )
    client = await connect(runtime=runtime)
    studio = Studio(scenes=1, segments=1, hooks={"render": partial(act, beat)})
    throttle = timedelta(seconds=HEARTBEAT_SECONDS)
    beats: dict[str, Any] = {
        "max_heartbeat_throttle_interval": throttle,
        "default_heartbeat_throttle_interval": throttle,
    }
    activities: list[Callable[..., Awaitable[Any]]] = studio.activities()
    async with (
        Worker(
            client,
            task_queue=EXPORTS_QUEUE,
            workflows=[ExportWorkflow],
            activities=activities,
            max_concurrent_activities=200,
            **beats,
        ),
        Worker(client, task_queue=RENDER_QUEUE, activities=activities, max_concurrent_activities=400, **beats),
        Worker(
            client,
            task_queue=CONTROL_QUEUE,
            workflows=[PostExportWorkflow],
            activities=studio.control_activities(),
            **beats,
        ),
    ):
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--beat", type=float, default=HEARTBEAT_SECONDS)
    asyncio.run(work(parser.parse_args().beat))
