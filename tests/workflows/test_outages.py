"""What is away is waited for; what was shown is not taken back; an activity that a worker does not know waits."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import grpc
import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ActivityError
from temporalio.worker import Worker

from activities.decorators import stage_activity
from activities.heartbeat import HeartbeatReporter
from picturelock.errors import SpeechFailed, StoreUnavailable
from picturelock.jobs.stages import CONTROL_QUEUE, EXPORTS_QUEUE, RENDER_QUEUE, Retries
from picturelock.models import JobStatus, Voice
from picturelock.temporal import contracts
from picturelock.temporal.reader import JobReader
from tests.fake_activities import REF, Studio
from tests.temporal_proxy import temporal_proxy
from tests.workflows.conftest import start, studio_open, until
from workflows.voice_sample import VoiceSampleWorkflow

pytestmark = pytest.mark.usefixtures("no_leftovers")


def rendering(work: Callable[[HeartbeatReporter], Awaitable[None]]) -> Callable[..., Any]:
    """The activity of the rendering with everything around it, and other work inside."""

    @stage_activity(contracts.RENDER_BATCH)
    async def render(task: contracts.BatchTask, heartbeat: HeartbeatReporter) -> contracts.RenderedBatch:
        await work(heartbeat)
        return contracts.RenderedBatch(segments=REF, headers=[], segments_found=0, segments_made=1)

    return render


async def test_an_outage_of_eight_attempts_ends_no_job(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activities.failures.OUTAGE_PAUSE_SECONDS", 0.1)
    tried = 0

    async def away(heartbeat: HeartbeatReporter) -> None:
        nonlocal tried
        tried += 1
        heartbeat.advance(0.5, "Rendering")
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
    [kept] = (await JobReader(client).status(handle.id)).warnings
    assert (kept.code, kept.message) == ("RETRIED", "a part of the rendering needed 9 attempts: the shelf is away")


@pytest.mark.slow
async def test_an_unknown_activity_waits_for_a_worker_that_knows_it(client: Client) -> None:
    queues = (EXPORTS_QUEUE, CONTROL_QUEUE)
    studio = Studio(segments=1)
    async with studio_open(client, studio, queues=queues):
        async with Worker(client, task_queue=RENDER_QUEUE, activities=[rendering_of_another_version]):
            handle = await start(client)
            told = await until(JobReader(client), handle.id, lambda job: job.steps[3].attempt > Retries().attempts)
            assert "render_batch" in told.warnings[0].message
        async with studio_open(client, studio, queues=(RENDER_QUEUE,)):
            assert (await until(JobReader(client), handle.id, lambda job: job.status == "completed")).progress == 100


@activity.defn(name="render_segment")
async def rendering_of_another_version() -> None:
    """What an older worker knows."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("slow", "refused", "stubborn"),
    [(0.0, False, False), (0.0, True, False), (0.0, False, True), (1.0, False, True)],
    ids=["well", "only the work tells", "the work does not end", "it does not end and the server is slow"],
)
async def test_the_end_of_a_cancelled_job_takes_nothing_back(
    client: Client, slow: float, refused: bool, stubborn: bool
) -> None:
    shown = [0.0]

    async def work(heartbeat: HeartbeatReporter) -> None:
        try:
            for step in range(1, 1_000):
                heartbeat.advance(step / 1_000, "Rendering")
                await asyncio.sleep(0.01)
        finally:
            await asyncio.sleep(3 if stubborn else 0)

    queues = (EXPORTS_QUEUE, CONTROL_QUEUE)
    reader = JobReader(client)
    async with temporal_proxy(client.service_client.config.target_host) as proxy:
        other = await Client.connect(proxy.address, data_converter=client.data_converter)
        render = Worker(
            client,
            task_queue=RENDER_QUEUE,
            activities=[rendering(work)],
            max_heartbeat_throttle_interval=timedelta(seconds=0.1),
            default_heartbeat_throttle_interval=timedelta(seconds=0.1),
        )
        async with studio_open(other, Studio(segments=3), queues=queues), render:
            handle = await start(client)
            await until(reader, handle.id, lambda job: job.steps[3].progress > 20)
            proxy.slow["DescribeWorkflowExecution"] = slow
            if refused:
                proxy.refused["DescribeWorkflowExecution"] = grpc.StatusCode.UNAVAILABLE
            await handle.cancel()

            def holds(job: JobStatus) -> bool:
                shown.append(job.progress)
                return job.status == "cancelled"

            last = await until(reader, handle.id, holds)
            proxy.refused.clear()
    # A look between an activity's end and the workflow's note of it may still miss its last word; the end may not.
    assert last.progress == max(shown)
    assert last.steps[3].progress > 20


async def test_a_sample_that_somebody_waits_for_tells_of_an_outage(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.failures.OUTAGE_PAUSE_SECONDS", 0.1)
    tried = 0

    @stage_activity(contracts.SPEAK_SAMPLE)
    async def away(task: Voice, heartbeat: HeartbeatReporter) -> contracts.SpokenSample:
        nonlocal tried
        tried += 1
        raise SpeechFailed("the speech endpoint answered 503", outage=True)

    async with Worker(client, task_queue=EXPORTS_QUEUE, workflows=[VoiceSampleWorkflow], activities=[away]):
        with pytest.raises(WorkflowFailureError) as caught:
            await client.execute_workflow(
                VoiceSampleWorkflow.run, Voice(), id=f"sample-{uuid.uuid4().hex}", task_queue=EXPORTS_QUEUE
            )
    assert tried == Retries().attempts
    assert isinstance(caught.value.cause, ActivityError)
    assert "answered 503" in str(caught.value.cause.cause)
