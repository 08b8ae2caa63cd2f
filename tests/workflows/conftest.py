"""A workflow, its fake studio, and the way to run one against the other."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker, WorkerDeploymentConfig

from picturelock.jobs.stages import CONTROL_QUEUE, EXPORTS_QUEUE, RENDER_QUEUE
from picturelock.models import ExportInput, ExportRequest, ExportResult, JobMemo, JobStatus
from picturelock.temporal.names import JOB_MEMO
from picturelock.temporal.reader import JobReader
from tests.fake_activities import Studio, beat
from workflows.export import ExportWorkflow
from workflows.post_export import PostExportWorkflow

REQUEST = ExportRequest.model_validate({"script": {"scenes": [{"narration": "One."}, {"narration": "Two."}]}})
Handle = WorkflowHandle[ExportWorkflow, ExportResult]


@pytest.fixture
def client(temporal: WorkflowEnvironment) -> Client:
    return temporal.client


_WORKFLOWS: dict[str, list[type]] = {EXPORTS_QUEUE: [ExportWorkflow], CONTROL_QUEUE: [PostExportWorkflow]}


@asynccontextmanager
async def studio_open(
    client: Client,
    studio: Studio,
    *,
    queues: tuple[str, ...] = (EXPORTS_QUEUE, RENDER_QUEUE, CONTROL_QUEUE),
    render_slots: int | None = None,
    deployment: WorkerDeploymentConfig | None = None,
) -> AsyncIterator[None]:
    """Workers for the real workflow with the studio's activities on the given queues."""
    options: dict[str, Any] = {
        "max_heartbeat_throttle_interval": timedelta(seconds=0.1),
        "default_heartbeat_throttle_interval": timedelta(seconds=0.1),
    }
    async with AsyncExitStack() as stack:
        for queue in queues:
            workflows = _WORKFLOWS.get(queue, [])
            activities = studio.control_activities() if queue == CONTROL_QUEUE else studio.activities()
            worker = Worker(
                client,
                task_queue=queue,
                workflows=workflows,
                activities=activities,
                deployment_config=deployment,
                **options,
                max_concurrent_activities=render_slots if queue == RENDER_QUEUE else None,
            )
            await stack.enter_async_context(worker)
        yield


async def start(
    client: Client,
    request: ExportRequest = REQUEST,
    deadline_seconds: float | None = None,
    *,
    job_id: str | None = None,
    attempt: int = 1,
    owner: str | None = None,
) -> Handle:
    now = datetime.now(UTC)
    return await client.start_workflow(
        ExportWorkflow.run,
        ExportInput(
            request=request.model_copy(update={"deadline_seconds": deadline_seconds}),
            owner=owner,
            correlation_id="c",
            created_at=now,
            attempt=attempt,
        ),
        id=job_id or f"job-{uuid.uuid4().hex}",
        task_queue=EXPORTS_QUEUE,
        memo={
            JOB_MEMO: JobMemo(correlation_id="c", owner=owner or "local", created_at=now, attempt=attempt, digest="d")
        },
    )


async def until(reader: JobReader, job_id: str, holds: Callable[[JobStatus], bool]) -> JobStatus:
    """The first status of a job for which something holds."""
    async with asyncio.timeout(60):
        while not holds(job := await reader.status(job_id)):
            await asyncio.sleep(0.02)
    return job


def beating_until(stop: asyncio.Event) -> Callable[[object], Awaitable[None]]:
    """A hook that is half done, and says so, until it is told to stop."""

    async def work(_task: object) -> None:
        while not stop.is_set():
            activity.heartbeat(beat(0.5))
            await asyncio.sleep(0.02)

    return work
