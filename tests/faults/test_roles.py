"""Workers of one role each, as processes of their own on one S3 store: what "More machines" promises."""

import asyncio
import hashlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import EventType, PendingActivityState
from temporalio.client import Client

from benchmarks.stand import Stand, standing
from picturelock.cli.child import Child
from picturelock.finalize.manifest import Manifest
from picturelock.models import JobStatus
from picturelock.temporal.contracts import RENDER_BATCH
from tests.faults.stack import create, long_script, status, until

pytestmark = pytest.mark.slow
SIZE = {"preset": "youtube-1080p", "width": 1280, "height": 720, "encoderPreset": "medium"}


@pytest_asyncio.fixture(scope="module")
async def stand(s3: str) -> AsyncIterator[Stand]:
    """Temporal and the API, on a store that is elsewhere."""
    # For the processes alone: this one's own settings must not be read with it.
    async with standing(PICTURELOCK_STORE_URL="s3://media/roles") as running:
        yield running


@pytest_asyncio.fixture
async def http(stand: Stand) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=stand.api, timeout=30, follow_redirects=True) as client:
        yield client


@pytest_asyncio.fixture
async def workers(stand: Stand) -> AsyncIterator["Workers"]:
    started = Workers(stand)
    yield started
    for child in started.children:
        await child.stop()


class Workers:
    """Starts workers with scratch folders of their own and waits until Temporal hears of them."""

    def __init__(self, stand: Stand) -> None:
        self.stand = stand
        self.children: list[Child] = []

    def scratch(self, name: str) -> Path:
        return self.stand.data / f"scratch-{name}"

    def log(self, name: str) -> str:
        return (self.stand.data / f"{name}.log").read_text()

    async def start(self, name: str, role: str, **settings: str) -> Child:
        settings = {
            "PICTURELOCK_SCRATCH_DIR": str(self.scratch(name)),
            "PICTURELOCK_DRAIN_SECONDS": "2",
            **settings,
        }
        environment = {**self.stand.environment, **settings}
        command = [sys.executable, "-m", "worker", "--role", role]
        child = Child(name, command, environment, self.stand.data / f"{name}.log")
        before = child.log.read_text().count("worker ready") if child.log.exists() else 0
        await child.start()
        self.children.append(child)
        async with asyncio.timeout(40):
            while child.log.read_text().count("worker ready") == before:
                await asyncio.sleep(0.05)
        return child


async def rendering(client: Client, job_id: str) -> int:
    """How many batches of a job workers have taken."""
    described = await client.get_workflow_handle(job_id).describe()
    return sum(
        one.activity_type.name == RENDER_BATCH.name
        and one.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
        and one.HasField("heartbeat_details")
        for one in described.raw_description.pending_activities
    )


async def until_rendering(client: Client, job_id: str, count: int = 1) -> None:
    async with asyncio.timeout(40):
        while await rendering(client, job_id) < count:
            await asyncio.sleep(0.02)


async def attempts_of_batches(client: Client, job_id: str) -> list[int]:
    """The attempt in which each batch ended, from the history."""
    history = await client.get_workflow_handle(job_id).fetch_history()
    batches = {
        event.event_id
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
        and event.activity_task_scheduled_event_attributes.activity_type.name == RENDER_BATCH.name
    }
    started = [event.activity_task_started_event_attributes for event in history.events]
    return [one.attempt for one in started if one.scheduled_event_id in batches]


async def manifest_of(http: httpx.AsyncClient, job: JobStatus) -> Manifest:
    answer = await http.get(f"/api/jobs/{job.id}/artifacts/manifest.json")
    return Manifest.model_validate_json(answer.content)


def of(*children: Child) -> set[int]:
    return {child.pid for child in children}


async def test_a_film_is_made_by_one_that_orchestrates_and_two_that_render(
    stand: Stand, http: httpx.AsyncClient, workers: Workers
) -> None:
    orchestrator = await workers.start("orchestrator", "orchestrate")
    job_id = await create(http, {**long_script(4), "video": SIZE})
    waiting = await until(http, job_id, "running", progress=13)  # composed; nobody renders
    render = next(step for step in waiting.steps if step.name == "render")
    assert (render.detail.frames_done if render.detail else 0) == 0
    assert await rendering(await stand.client(), job_id) == 0
    first, second = await workers.start("first", "render"), await workers.start("second", "render")
    job = await until(http, job_id, "completed")
    manifest = await manifest_of(http, job)
    rendered_by = {int(segment.worker.rsplit(":", 1)[1]) for segment in manifest.segments}
    assert rendered_by == of(first, second)
    assert orchestrator.pid not in rendered_by
    assert job.output is not None
    film = await http.get(str(job.output_path))
    assert film.history, "the film comes from the store itself"
    assert hashlib.sha256(film.content).hexdigest() == job.output.sha256
    for name in ("first", "second"):  # copies are each worker's own, and workspaces are gone
        assert any((workers.scratch(name) / "copies").iterdir())
        assert not [path for path in workers.scratch(name).glob("process-*/*") if path.is_dir()]


async def test_a_worker_that_only_renders_takes_nothing_else(http: httpx.AsyncClient, workers: Workers) -> None:
    await workers.start("renders", "render")
    job_id = await create(http, {**long_script(1), "video": SIZE})
    async with asyncio.timeout(30):
        while not (job := await status(http, job_id)).warnings:
            await asyncio.sleep(0.1)
    assert (job.status, job.worker_available, job.warnings[0].code) == ("queued", False, "NO_WORKER")
    await workers.start("orchestrates", "orchestrate")
    await until(http, job_id, "completed")


async def test_a_render_worker_that_is_asked_to_end_finishes_what_it_has(
    stand: Stand, http: httpx.AsyncClient, workers: Workers
) -> None:
    await workers.start("orchestrator", "orchestrate")
    leaving = await workers.start("leaving", "render", PICTURELOCK_DRAIN_SECONDS="25")
    client = await stand.client()
    job_id = await create(http, {**long_script(3), "video": SIZE})
    await until_rendering(client, job_id)
    assert leaving.process is not None
    leaving.process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(leaving.process.wait(), 35) == 0
    assert await rendering(client, job_id) == 0  # it has ended what it had, and nobody else is there
    staying = await workers.start("staying", "render")
    job = await until(http, job_id, "completed")
    assert set(await attempts_of_batches(client, job_id)) == {1}
    rendered_by = {int(segment.worker.rsplit(":", 1)[1]) for segment in (await manifest_of(http, job)).segments}
    assert rendered_by == of(leaving, staying)


async def test_a_render_worker_without_time_to_end_hands_its_segments_over(
    stand: Stand, http: httpx.AsyncClient, workers: Workers
) -> None:
    await workers.start("orchestrator", "orchestrate")
    leaving = await workers.start("hurried", "render", PICTURELOCK_DRAIN_SECONDS="0", PICTURELOCK_RENDER_SLOTS="1")
    client = await stand.client()
    job_id = await create(http, {**long_script(3), "video": SIZE})
    await until_rendering(client, job_id)
    assert leaving.process is not None
    leaving.process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(leaving.process.wait(), 20) == 0
    await workers.start("staying", "render")
    job = await until(http, job_id, "completed")
    again = [one for one in await attempts_of_batches(client, job_id) if one > 1]
    assert len(again) <= 2  # one slot, and one segment ahead where the store is elsewhere
    assert (await manifest_of(http, job)).checks


async def test_what_a_killed_worker_left_is_swept_by_the_next_one(http: httpx.AsyncClient, workers: Workers) -> None:
    await workers.start("orchestrator", "orchestrate")
    killed = await workers.start("killed", "render")
    job_id = await create(http, {**long_script(3), "video": SIZE})
    async with asyncio.timeout(40):
        while not (left := [one.parent for one in workers.scratch("killed").glob("process-*/segment-*")]):
            await asyncio.sleep(0.01)
    assert killed.process is not None
    killed.process.kill()
    await killed.process.wait()
    await workers.start("killed", "render")  # the same scratch folder
    async with asyncio.timeout(20):
        while any(folder.exists() for folder in left):
            await asyncio.sleep(0.05)
        while "removed what a killed process left" not in workers.log("killed"):
            await asyncio.sleep(0.05)
    await until(http, job_id, "completed")


@pytest.mark.parametrize("slots", [1, 3])
async def test_a_worker_renders_as_many_at_once_as_it_has_slots(
    slots: int, stand: Stand, http: httpx.AsyncClient, workers: Workers
) -> None:
    await workers.start("orchestrator", "orchestrate")
    await workers.start(f"slots-{slots}", "render", PICTURELOCK_RENDER_SLOTS=str(slots))
    client = await stand.client()
    request: dict[str, Any] = {**long_script(6), "video": {**SIZE, "width": 640, "height": 360}}
    job_id = await create(http, request)
    most = 0
    async with asyncio.timeout(50):
        while (await status(http, job_id)).status != "completed":
            most = max(most, await rendering(client, job_id))
    assert most == slots + 1  # one more fetches and stores while the others encode


async def test_a_worker_whose_work_never_ends_ends_all_the_same(stand: Stand, http: httpx.AsyncClient) -> None:
    log = stand.data / "stubborn.log"
    environment = {**stand.environment, "PICTURELOCK_DRAIN_SECONDS": "1"}
    stubborn = Child("stubborn", [sys.executable, "-m", "tests.faults.stubborn_worker"], environment, log)
    await stubborn.start()
    job_id = await create(http, {**long_script(1), "video": SIZE})
    async with asyncio.timeout(30):
        while "begun" not in log.read_text():
            await asyncio.sleep(0.05)
    assert stubborn.process is not None
    stubborn.process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(stubborn.process.wait(), 1 + 10) == os.EX_SOFTWARE
    assert "the process ends without it" in log.read_text()
    await http.post(f"/api/jobs/{job_id}/cancel")
