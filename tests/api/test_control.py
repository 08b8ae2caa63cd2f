"""Pausing, resuming, retrying, webhooks refused, history, and a server that ends: over a real socket."""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import uvicorn
from httpx_sse import ServerSentEvent, aconnect_sse
from temporalio import activity
from temporalio.testing import WorkflowEnvironment

from api.app import create_app
from api.control import _earlier
from api.server import Protocol, Server, configuration
from api.start import start_run
from api.stream import EventStream
from picturelock.cli.ports import any_free
from picturelock.errors import InvalidScript
from picturelock.jobs.archive import Archive
from picturelock.models import ArchivedJob, ExportRequest
from picturelock.settings import Settings
from picturelock.store.store import Store
from picturelock.temporal.reader import JobReader
from tests.api.test_jobs import SCRIPT, OpenStudio, all_events, create, until
from tests.fake_activities import Studio, beat
from tests.unit.test_status import NOW, observed, snapshot

pytestmark = pytest.mark.usefixtures("no_leftovers")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@asynccontextmanager
async def serving(
    temporal: WorkflowEnvironment, folder: Path, **chosen: Any
) -> AsyncIterator[tuple[Store, httpx.AsyncClient]]:
    """An API of its own, with its settings, until the block ends."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEMPORAL_ADDRESS", temporal.client.service_client.config.target_host)
        configured, port = Settings(data_dir=folder, **chosen), any_free()
        server = Server(configuration(create_app(configured), port=port))
        task = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
            yield Store(configured.store_location, configured.scratch), http
            server.should_exit = True
            await task


async def test_pause_and_resume_are_told_to_everybody(http: httpx.AsyncClient, studio: OpenStudio) -> None:
    gate = asyncio.Event()

    async def wait(_task: Any) -> None:
        await gate.wait()

    await studio(Studio(hooks={"speak_scene": wait}))
    job_id = await create(http)
    await until(http, job_id, lambda one: one.stage == "tts")
    watching = asyncio.create_task(all_events(http, job_id))
    for _ in range(2):  # asking twice is fine
        assert (await http.post(f"/api/jobs/{job_id}/pause")).status_code == 202
    await until(http, job_id, lambda one: one.pause_requested)
    gate.set()
    paused = await until(http, job_id, lambda one: one.status == "paused")
    assert not paused.pause_requested
    listed = (await http.get("/api/jobs", params={"status": "paused"})).json()["jobs"]
    assert [row["id"] for row in listed] == [job_id]
    assert (await http.post(f"/api/jobs/{job_id}/resume")).status_code == 202
    told = await watching
    assert told[-1].event == "job-completed"
    steps = [json.loads(event.data) for event in told if event.event == "step-status"]
    assert [one["message"] for one in steps if one["status"] == "paused"] == ["Paused"]
    percents = [json.loads(event.data)["percent"] for event in told if "percent" in event.data]
    assert percents == sorted(percents)
    for action in ("pause", "resume"):
        refused = await http.post(f"/api/jobs/{job_id}/{action}")
        assert (refused.status_code, refused.json()["code"]) == (409, "ALREADY_ENDED")
        assert (await http.post(f"/api/jobs/no-such-job/{action}")).status_code == 404


async def test_the_history_tells_how_a_job_came_to_where_it_is(http: httpx.AsyncClient, studio: OpenStudio) -> None:
    broken = True

    async def fail(_task: Any) -> None:
        if broken:
            raise InvalidScript("not yet")

    await studio(Studio(hooks={"compose": fail}))
    job_id = await create(http)
    await until(http, job_id, lambda one: one.status == "failed")
    broken = False
    await http.post(f"/api/jobs/{job_id}/retry")
    await until(http, job_id, lambda one: one.status == "completed")
    history = (await http.get(f"/api/jobs/{job_id}/history")).json()
    assert (history["attempt"], history["status"], history["webhooks"]) == (2, "completed", [])
    [earlier] = history["earlierAttempts"]
    assert (earlier["attempt"], earlier["status"], earlier["error"]["code"]) == (1, "failed", "INVALID_SCRIPT")
    assert [one["sequence"] for one in history["timeline"]] == list(range(1, 11))
    assert (await http.get("/api/jobs/no-such-job/history")).status_code == 404


@pytest.mark.parametrize(
    ("secret", "url", "code"),
    [
        (None, "https://example.org/hook", "NOT_OFFERED"),
        (SECRET, "http://127.0.0.1:1/", "WEBHOOK_REFUSED"),
        (SECRET, "http://[::1]/", "WEBHOOK_REFUSED"),
        (SECRET, "http://me:word@example.org/", "WEBHOOK_REFUSED"),
    ],
)
async def test_a_webhook_that_would_never_be_delivered_is_refused(
    temporal: WorkflowEnvironment, tmp_path: Path, secret: str | None, url: str, code: str
) -> None:
    async with serving(temporal, tmp_path, webhook_secret=secret) as (_, http):
        response = await http.post("/api/jobs", json={**SCRIPT, "webhook": {"url": url}})
    assert response.status_code == 422
    assert [one["code"] for one in response.json()["errors"]] == [code]


async def test_an_archived_job_is_answered_and_not_begun_again(temporal: WorkflowEnvironment, tmp_path: Path) -> None:
    async with serving(temporal, tmp_path) as (store, http):
        job_id = "0" * 32
        seen = observed(job_id=job_id, run_status="cancelled", snapshot=snapshot("render"), closed_at=NOW)
        request = ExportRequest.model_validate(SCRIPT)
        await Archive(store).write(ArchivedJob(observation=seen, request=request, digest="d"))
        job = (await http.get(f"/api/jobs/{job_id}")).json()
        assert (job["status"], job["archived"]) == ("cancelled", True)
        assert [event.event for event in await all_events(http, job_id)] == ["connected", "job-cancelled"]
        refused = await http.post(f"/api/jobs/{job_id}/retry")
        assert (refused.status_code, refused.json()["code"]) == (409, "ARCHIVED")
        assert (await http.post(f"/api/jobs/{job_id}/cancel")).status_code == 202
        assert (await http.get(f"/api/jobs/{job_id}/history")).status_code == 200


async def test_a_key_is_known_for_as_long_as_the_archive_is(temporal: WorkflowEnvironment, tmp_path: Path) -> None:
    """The execution is forgotten: the key must not make a second film of the same request, nor of another one."""
    async with serving(temporal, tmp_path) as (store, http):
        key = {"Idempotency-Key": "kept-for-ever"}
        job_id = (await http.post("/api/jobs", json=SCRIPT, headers=key)).json()["jobId"]
        _, memo = await JobReader(temporal.client).started_with(job_id)
        seen = observed(job_id=job_id, run_status="failed", snapshot=snapshot("render"), closed_at=NOW)
        archived = ArchivedJob(observation=seen, request=ExportRequest.model_validate(SCRIPT), digest=memo.digest)
        await Archive(store).write(archived)
        again = await http.post("/api/jobs", json=SCRIPT, headers=key)
        assert (again.status_code, again.json()["jobId"]) == (200, job_id)
        other = await http.post("/api/jobs", json={"brief": {"topic": "tides"}}, headers=key)
        assert (other.status_code, other.json()["code"]) == (409, "IDEMPOTENCY_CONFLICT")


async def test_a_server_that_ends_lets_its_viewers_go(temporal: WorkflowEnvironment, tmp_path: Path) -> None:
    """They connect elsewhere; an open stream is no reason to wait."""
    async with AsyncExitStack() as stack:
        _, http = await stack.enter_async_context(serving(temporal, tmp_path))
        job_id = await create(http)
        async with aconnect_sse(http, "GET", f"/api/jobs/{job_id}/events") as source:
            told = source.aiter_sse()
            assert [(await anext(told)).event for _ in range(2)] == ["connected", "job-progress"]
            ending = asyncio.create_task(stack.aclose())
            rest = [event.event async for event in told]
            await ending
    assert not {"job-completed", "job-failed", "job-cancelled"} & set(rest)


async def test_a_viewer_goes_on_at_another_server_without_a_step_back(
    temporal: WorkflowEnvironment, studio: OpenStudio, tmp_path: Path
) -> None:
    """Two servers, one job: the first ends in the middle, the second knows what the viewer has seen."""
    gate, fraction = asyncio.Event(), 0.0

    async def render(_task: Any) -> None:
        nonlocal fraction
        while not gate.is_set():
            fraction = min(0.9, fraction + 0.02)
            activity.heartbeat(beat(fraction))
            await asyncio.sleep(0.05)

    await studio(Studio(segments=1, hooks={"render": render}))
    told: list[ServerSentEvent] = []
    async with AsyncExitStack() as first:
        _, http = await first.enter_async_context(serving(temporal, tmp_path / "one"))
        job_id = await create(http)
        async with aconnect_sse(http, "GET", f"/api/jobs/{job_id}/events") as source:
            stream = source.aiter_sse()
            async for event in stream:
                told.append(event)
                if '"percent":' in event.data and json.loads(event.data)["percent"] > 30:
                    break
            ending = asyncio.create_task(first.aclose())
            told += [event async for event in stream]
            await ending
    assert told[-1].event != "job-completed"
    async with serving(temporal, tmp_path / "two") as (_, http):
        last = next(event.id for event in reversed(told) if event.id)
        gate.set()
        told += await all_events(http, job_id, **{"Last-Event-ID": last})
    percents = [json.loads(event.data)["percent"] for event in told if "percent" in event.data]
    assert percents == sorted(percents)
    assert [event.event for event in told if event.event.startswith("job-c")] == ["job-completed"]
    steps = [json.loads(event.data)["step"] for event in told if event.event == "step-status"]
    assert steps.count("finalize") == 2  # begun and completed: nothing missed, nothing twice


async def test_a_viewer_that_stops_reading_is_cut_off_and_forgotten() -> None:
    let_go = asyncio.Event()

    async def endless() -> AsyncGenerator[bytes, None]:
        while True:
            yield b": " + b"x" * 60_000 + b"\n\n"
            await asyncio.sleep(0)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        held = AsyncExitStack()
        held.callback(let_go.set)
        await EventStream(endless(), held, stall_seconds=1)(scope, receive, send)

    port = any_free()
    server = Server(uvicorn.Config(app, port=port, http=Protocol, log_config=None, lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    with socket.create_connection(("127.0.0.1", port)) as reader:
        reader.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        async with asyncio.timeout(30):
            await let_go.wait()
            while server.server_state.connections:
                await asyncio.sleep(0.02)
    server.should_exit = True
    await task


@pytest.mark.slow
async def test_viewers_that_leave_leave_nothing_behind(http: httpx.AsyncClient) -> None:
    job_id = await create(http)

    async def streams() -> list[str]:
        meters = (await http.get("/metrics")).text
        return [
            line for line in meters.splitlines() if line.startswith(("picturelock_streams", "picturelock_watchers"))
        ]

    for _ in range(20):
        async with aconnect_sse(http, "GET", f"/api/jobs/{job_id}/events") as source:
            assert (await anext(source.aiter_sse())).event == "connected"
    async with asyncio.timeout(20):
        while await streams() != ["picturelock_streams 0.0", "picturelock_watchers 0.0"]:
            await asyncio.sleep(0.02)


async def test_two_retries_through_two_replicas_make_one_attempt(
    temporal: WorkflowEnvironment, http: httpx.AsyncClient, studio: OpenStudio
) -> None:
    """The second replica has read attempt 1 and is slow: attempt 2 has begun and ended before it starts it."""

    async def fail(_task: Any) -> None:
        raise InvalidScript("not today")

    await studio(Studio(hooks={"compose": fail}))
    job_id = await create(http)
    await until(http, job_id, lambda one: one.status == "failed")
    reader = JobReader(temporal.client)
    before, memo = await reader.started_with(job_id)
    job = await reader.status(job_id)
    assert (await http.post(f"/api/jobs/{job_id}/retry")).status_code == 202
    second = await until(http, job_id, lambda one: one.status == "failed" and one.attempt == 2)
    again = before.model_copy(update={"attempt": 2})
    slow = memo.model_copy(update={"attempt": 2, "earlier": [_earlier(job)]})
    shared: Any = SimpleNamespace(client=temporal.client)
    await start_run(job_id, again, slow, shared)
    now = await reader.status(job_id)
    assert (now.attempt, now.status, now.completed_at) == (2, "failed", second.completed_at)
    runs = [one async for one in temporal.client.list_workflows(f"WorkflowId = '{job_id}'")]
    assert len(runs) == 2
