"""Temporal servers that are older, forbid something or are slow: everything is read and controlled all the same."""

import asyncio
import statistics
from collections.abc import AsyncIterator, Callable

import grpc
import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from picturelock.models import JobStatus
from picturelock.temporal.names import PAUSE_SIGNAL, RESUME_SIGNAL
from picturelock.temporal.reader import JobReader
from tests.fake_activities import Studio
from tests.temporal_proxy import TemporalProxy, temporal_proxy
from tests.workflows.conftest import beating_until, start, studio_open, until

pytestmark = pytest.mark.usefixtures("no_leftovers")


@pytest_asyncio.fixture
async def proxy(client: Client) -> AsyncIterator[TemporalProxy]:
    async with temporal_proxy(client.service_client.config.target_host) as running:
        yield running


async def through(proxy: TemporalProxy) -> Client:
    return await Client.connect(proxy.address, data_converter=pydantic_data_converter)


def ends(status: str) -> Callable[[JobStatus], bool]:
    return lambda job: job.status == status


@pytest.mark.parametrize("code", [grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.PERMISSION_DENIED])
async def test_without_a_list_of_workers_all_is_read_and_controlled(
    client: Client, proxy: TemporalProxy, code: grpc.StatusCode
) -> None:
    proxy.refused["ListWorkers"] = code
    other = await through(proxy)
    reader = JobReader(other)
    stop = asyncio.Event()

    waiting = await start(other)
    job = await reader.status(waiting.id)
    assert (job.status, job.worker_available, job.warnings) == ("queued", None, [])
    async with studio_open(client, Studio(hooks={"render-000": beating_until(stop)})):
        running = await until(reader, waiting.id, ends("running"))
        assert running.worker_available in {None, True}
        await waiting.cancel()
        assert (await until(reader, waiting.id, ends("cancelled"))).worker_available is True
        stop.set()
        done = await start(other)
        assert (await until(reader, done.id, ends("completed"))).progress == 100
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
        assert statistics.median(took) < 0.3  # only those that begin a list may wait half a second for it
        assert max(took) < 1.5
        async with asyncio.timeout(20):
            while (live_workers := await reader.workers.read()) is None:
                await asyncio.sleep(0.05)
        assert list(live_workers.live) == ["exports", "render"]


async def test_a_server_that_cannot_hold_work_is_paused_all_the_same(client: Client, proxy: TemporalProxy) -> None:
    proxy.refused["PauseActivity"] = grpc.StatusCode.UNIMPLEMENTED
    other = await through(proxy)
    reader = JobReader(other)
    finish = asyncio.Event()

    studio = Studio(segments=6, hooks={"render": beating_until(finish)})
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
        paused = await until(reader, handle.id, ends("paused"))
        assert len([one for one in studio.ran if one.startswith("render")]) == 1
        assert paused.steps[3].progress == 16.6  # one segment of six
        recorded = (await reader.observe(handle.id)).snapshot
        assert recorded is not None
        assert recorded.open_units == {}  # nor does the memo count what was taken back
        await handle.signal(RESUME_SIGNAL)
        done = await until(reader, handle.id, ends("completed"))
        assert sorted({one for one in studio.ran if one.startswith("render")}) == [f"render-{n:03d}" for n in range(6)]
        assert (done.progress, [one.code for one in done.warnings]) == (100, [])
        assert done.steps[3].detail is not None
        assert done.steps[3].detail.items_total == 7  # the segments and the sound, each counted once
