"""What is away is waited for; what was shown is not taken back; an activity that a worker does not know waits."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from activities import contracts
from activities.liveness import lively
from activities.pulse import Pulse
from jobstate.reader import JobReader
from picturelock.errors import StoreUnavailable
from picturelock.models import JobStatus
from picturelock.stages import CONTROL_QUEUE, EXPORTS_QUEUE, RENDER_QUEUE
from tests.fake_activities import Studio
from tests.temporal_proxy import temporal_proxy
from tests.workflows.conftest import start, studio_open, until

pytestmark = pytest.mark.usefixtures("no_leftovers")


def rendering(work: Callable[[Pulse], Awaitable[None]]) -> Callable[..., Any]:
    """The activity of the rendering with everything around it, and other work inside."""

    @activity.defn(name=contracts.RENDER_BATCH)
    @lively("render")
    async def render(task: contracts.BatchTask, pulse: Pulse) -> contracts.RenderedBatch:
        await work(pulse)
        return contracts.RenderedBatch(segments=[])

    return render


async def test_an_outage_of_eight_attempts_ends_no_job(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activities.failures.OUTAGE_PAUSE_SECONDS", 0.1)
    tried = 0

    async def away(pulse: Pulse) -> None:
        nonlocal tried
        tried += 1
        pulse.advance(0.5, "Rendering")
        if tried <= 8:
            raise StoreUnavailable("the shelf is away")

    queues = (EXPORTS_QUEUE, CONTROL_QUEUE)
    render = Worker(client, task_queue=RENDER_QUEUE, activities=[rendering(away)])
    async with studio_open(client, Studio(segments=1), queues=queues), render:
        handle = await start(client)
        told = await until(JobReader(client), handle.id, lambda job: bool(job.warnings))
        assert [one.code for one in told.warnings] == ["ATTEMPT_FAILED"]
        assert "the shelf is away" in told.warnings[0].message
        await handle.result()
    assert tried == 9


async def test_an_unknown_activity_waits_for_a_worker_that_knows_it(client: Client) -> None:
    queues = (EXPORTS_QUEUE, CONTROL_QUEUE)
    studio = Studio(segments=1)
    async with studio_open(client, studio, queues=queues):
        async with Worker(client, task_queue=RENDER_QUEUE, activities=[rendering_of_another_version]):
            handle = await start(client)
            told = await until(
                JobReader(client), handle.id, lambda job: bool(job.warnings) and job.steps[3].attempt > 3
            )
            assert "render_batch" in told.warnings[0].message
        async with studio_open(client, studio, queues=(RENDER_QUEUE,)):
            assert (await until(JobReader(client), handle.id, lambda job: job.status == "completed")).progress == 100


@activity.defn(name="render_segment")
async def rendering_of_another_version() -> None:
    """What an older worker knows."""


@pytest.mark.parametrize("slow", [0.0, 1.0])
async def test_a_cancel_takes_nothing_back(client: Client, slow: float) -> None:
    """Whatever is slow, and though the work goes on after it was asked to end."""
    shown = [0.0]

    async def work(pulse: Pulse) -> None:
        for step in range(1, 1_000):
            pulse.advance(step / 1_000, "Rendering")
            await asyncio.sleep(0.01)

    queues = (EXPORTS_QUEUE, CONTROL_QUEUE)
    async with temporal_proxy(client.service_client.config.target_host) as proxy:
        other = await Client.connect(proxy.address, data_converter=client.data_converter)
        render = Worker(client, task_queue=RENDER_QUEUE, activities=[rendering(work)], max_concurrent_activities=3)
        async with studio_open(other, Studio(segments=3), queues=queues), render:
            handle = await start(client)
            await until(JobReader(client), handle.id, lambda job: job.steps[3].progress > 20)
            proxy.slow["DescribeWorkflowExecution"] = slow
            await handle.cancel()

            def holds(job: JobStatus) -> bool:
                shown.append(job.progress)
                return job.status == "cancelled"

            last = await until(JobReader(client), handle.id, holds)
    assert shown == sorted(shown), [pair for pair in itertools.pairwise(shown) if pair[0] > pair[1]]
    assert last.progress > 20
