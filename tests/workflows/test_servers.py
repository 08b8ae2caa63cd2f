"""Temporal servers that are older, forbid something or are slow: everything is read and controlled all the same."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import pytest_asyncio
from temporalio import activity
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from jobstate.names import PAUSE_SIGNAL, RESUME_SIGNAL
from jobstate.reader import JobReader
from picturelock.models import JobStatus
from tests.fake_activities import Studio, beat
from tests.temporal_proxy import TemporalProxy, temporal_proxy
from tests.workflows.conftest import start, studio_open

pytestmark = pytest.mark.usefixtures("no_leftovers")


@pytest_asyncio.fixture
async def proxy(client: Client) -> AsyncIterator[TemporalProxy]:
    async with temporal_proxy(client.service_client.config.target_host) as running:
        yield running


async def through(proxy: TemporalProxy) -> Client:
    return await Client.connect(proxy.address, data_converter=pydantic_data_converter)


async def seen(reader: JobReader, job_id: str, status: str) -> JobStatus:
    async with asyncio.timeout(30):
        while (job := await reader.status(job_id)).status != status:
            await asyncio.sleep(0.02)
    return job


@pytest.mark.parametrize("code", [grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.PERMISSION_DENIED])
async def test_without_a_list_of_workers_all_is_read_and_controlled(
    client: Client, proxy: TemporalProxy, code: grpc.StatusCode
) -> None:
    proxy.refused["ListWorkers"] = code
    other = await through(proxy)
    reader = JobReader(other)
    stop = asyncio.Event()

    async def wait(_task: Any) -> None:
        while not stop.is_set():
            activity.heartbeat(beat(0.5))
            await asyncio.sleep(0.02)

    waiting = await start(other)
    job = await reader.status(waiting.id)
    assert (job.status, job.worker_available, job.warnings) == ("queued", None, [])
    async with studio_open(client, Studio(hooks={"render-000": wait})):
        running = await seen(reader, waiting.id, "running")
        assert running.worker_available in {None, True}
        await waiting.cancel()
        assert (await seen(reader, waiting.id, "cancelled")).worker_available is True
        stop.set()
        done = await start(other)
        assert (await seen(reader, done.id, "completed")).progress == 100
    assert proxy.called.count("ListWorkers") == 1  # who refuses is not asked again and again


async def test_a_slow_list_of_workers_makes_nothing_else_slow(client: Client, proxy: TemporalProxy) -> None:
    proxy.slow["ListWorkers"] = 2.0
    reader = JobReader(await through(proxy))
    loop = asyncio.get_running_loop()
    async with studio_open(client, Studio()):
        handle = await start(client)
        took = []
        for _ in range(20):
            began = loop.time()
            await reader.status(handle.id)
            took.append(loop.time() - began)
        assert sum(one > 0.3 for one in took) <= 1  # the first may wait for half a second
        assert max(took) < 1.5
        async with asyncio.timeout(20):
            while (roll := await reader.workers.call()) is None:
                await asyncio.sleep(0.05)
        assert list(roll.live) == ["exports", "render"]


async def test_a_server_that_cannot_hold_work_is_paused_all_the_same(client: Client, proxy: TemporalProxy) -> None:
    proxy.refused["PauseActivity"] = grpc.StatusCode.UNIMPLEMENTED
    other = await through(proxy)
    reader = JobReader(other)
    finish = asyncio.Event()

    async def wait(_task: Any) -> None:
        while not finish.is_set():
            activity.heartbeat(beat(0.5))
            await asyncio.sleep(0.02)

    studio = Studio(segments=6, hooks={"render": wait})
    async with studio_open(other, studio, render_slots=1):
        handle = await start(other)
        async with asyncio.timeout(20):
            while not any(one.startswith("render") for one in studio.ran):
                await asyncio.sleep(0.02)
        await handle.signal(PAUSE_SIGNAL)
        async with asyncio.timeout(20):  # what waited is taken back
            while len((await reader.observe(handle.id)).pending) > 1:
                await asyncio.sleep(0.02)
        assert "PauseActivity" in proxy.called
        finish.set()
        paused = await seen(reader, handle.id, "paused")
        assert len([one for one in studio.ran if one.startswith("render")]) == 1
        assert paused.progress > 0
        await handle.signal(RESUME_SIGNAL)
        done = await seen(reader, handle.id, "completed")
        assert sorted({one for one in studio.ran if one.startswith("render")}) == [f"render-{n:03d}" for n in range(6)]
        assert (done.progress, [one.code for one in done.warnings]) == (100, [])
