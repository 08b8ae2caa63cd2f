"""What a worker does beside its work."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from temporalio.client import Client

import worker
from activities.pace import PACE
from picturelock.jobs.archive import Archive
from picturelock.jobs.stages import RENDER_QUEUE
from picturelock.store.store import default_store
from tests.fake_activities import Studio
from tests.workflows.conftest import start, studio_open

pytestmark = pytest.mark.usefixtures("no_leftovers")


@asynccontextmanager
async def beside(loop: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Has one of the worker's loops run beside a test."""
    task = asyncio.create_task(loop)
    try:
        yield
    finally:
        task.cancel()


async def test_terminated_jobs_are_looked_for(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "FOLLOW_UP_SECONDS", 0.2)
    handle = await start(client)
    await handle.terminate()
    async with studio_open(client, Studio()), beside(worker._follow_up(client)), asyncio.timeout(60):
        while await Archive(default_store()).read(handle.id) is None:
            await asyncio.sleep(0.05)


@pytest.mark.slow
async def test_a_process_knows_how_many_render_beside_it(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "PACE_SECONDS", 0.1)
    async with AsyncExitStack() as stack:
        config = client.service_client.config
        for _ in range(3):
            other = await Client.connect(config.target_host, runtime=config.runtime)
            await stack.enter_async_context(studio_open(other, Studio(), queues=(RENDER_QUEUE,)))
        async with beside(worker._keep_pace(client)), asyncio.timeout(60):
            while PACE.processes != 3:
                await asyncio.sleep(0.05)
    PACE.processes = 1
