"""The regressions of the HTTP contract, one test each: real sockets, a real Temporal server, a real worker.

What the system before this one did wrong, and this one must never do. (Two more live beside the fake studio, where
hundreds of jobs cost nothing: tests/api/test_jobs.py, connecting right after POST and two routes for one path.)
"""

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from httpx_sse import ServerSentEvent, aconnect_sse
from standardwebhooks import Webhook

from api.app import create_app
from picturelock.cli.ports import any_free
from picturelock.ffmpeg import runner
from picturelock.ffmpeg.probe import probe
from picturelock.jobs.status import assemble
from picturelock.models import ArchivedJob, JobStatus, Snapshot
from picturelock.store.store import Store
from picturelock.temporal.connection import connect
from picturelock.temporal.names import SNAPSHOT_MEMO
from picturelock.temporal.reader import JobReader
from tests.faults.stack import SMALL, Up, create, ffmpegs_of, gone, long_script, running, status, until
from tests.servers import FakeServer, Reply

pytestmark = pytest.mark.slow
TERMINAL = {"job-completed", "job-failed", "job-cancelled"}
CADDYFILE = """
{
    admin off
    auto_https off
}
http://127.0.0.1:PORT {
    encode {
        gzip
        zstd
        minimum_length 1
        match {
            header Content-Type *
        }
    }
    reverse_proxy API
}
"""
VOCABULARY = {"connected", "job-progress", "step-status", "warning", "heartbeat", *TERMINAL}


def pids(up: Up) -> dict[str, int]:
    """As they are now: a child that was killed has been started again."""
    return dict(json.loads((up.data / "stack.json").read_text())["pids"])


@asynccontextmanager
async def events(http: httpx.AsyncClient, job_id: str, **headers: str) -> AsyncIterator[AsyncIterator[ServerSentEvent]]:
    async with aconnect_sse(http, "GET", f"/api/jobs/{job_id}/events", headers=headers) as source:
        yield source.aiter_sse()


async def all_events(http: httpx.AsyncClient, job_id: str, **headers: str) -> list[ServerSentEvent]:
    async with events(http, job_id, **headers) as told, asyncio.timeout(55):
        return [event async for event in told]


async def ffmpeg_of(up: Up) -> int:
    """A running ffmpeg of the worker that encodes a segment."""
    async with asyncio.timeout(30):
        while True:
            for pid in ffmpegs_of(pids(up)["worker"]):
                with contextlib.suppress(OSError):
                    if b"libx264" in Path(f"/proc/{pid}/cmdline").read_bytes():
                        return pid
            await asyncio.sleep(0.02)


async def test_1_acknowledgement_first(up: Up, http: httpx.AsyncClient) -> None:
    """Also while Temporal stands still; and the stream then recovers by itself."""
    job_id = await create(http, {**long_script(1), "video": SMALL})
    server = pids(up)["temporal"]
    os.kill(server, signal.SIGSTOP)
    try:
        async with events(http, job_id) as told, asyncio.timeout(55):
            async with asyncio.timeout(5):
                assert (await anext(told)).event == "connected"
            assert json.loads((await anext(told)).data)["code"] == "STATE_UNAVAILABLE"
            os.kill(server, signal.SIGCONT)
            rest = [event async for event in told]
    finally:
        os.kill(server, signal.SIGCONT)
    assert rest[-1].event == "job-completed"


def test_2_one_route_for_one_path() -> None:
    paths = create_app().openapi()["paths"]
    streams = [path for path, on in paths.items() if "text/event-stream" in json.dumps(on.get("get", {}))]
    assert [path for path in streams if "{job_id}" in path] == ["/api/jobs/{job_id}/events"]
    assert len(streams) == 2  # and the one of many jobs


async def test_4_no_jump_and_no_cap(http: httpx.AsyncClient) -> None:
    job_id = await create(http, long_script(2))
    told = await all_events(http, job_id)
    percents = [json.loads(event.data)["percent"] for event in told if "percent" in event.data]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert len(set(percents)) > 12
    assert max(later - earlier for earlier, later in pairwise(percents)) < 40
    assert max(percents[:-1]) < 100


async def test_5_one_truth_on_every_surface(up: Up, http: httpx.AsyncClient) -> None:
    """GET, list, events, memo, webhook and archive: at moments of a real export, and at its end."""
    server = FakeServer([Reply(200, {})])
    try:
        request = {**long_script(2), "webhook": {"url": f"{server.url}/told"}}
        client = await connect(environment={"TEMPORAL_ADDRESS": up.described["temporal"]})
        job_id = await create(http, request)
        async with events(http, job_id) as told, asyncio.timeout(55):
            async for event in told:
                if event.event == "job-progress":
                    await _sandwiched(http, job_id, JobStatus.model_validate_json(event.data))
            last = json.loads(event.data)
        described = await client.get_workflow_handle(job_id).describe()
        memo: Snapshot = await described.memo_value(SNAPSHOT_MEMO, type_hint=Snapshot)
        async with asyncio.timeout(20):
            while not server.requests:
                await asyncio.sleep(0.02)
    finally:
        server.stop()
    got = (await http.get(f"/api/jobs/{job_id}")).json()
    listed = [row for row in (await http.get("/api/jobs")).json()["jobs"] if row["id"] == job_id]
    [received] = server.requests
    secret = (up.data / "webhook-secret").read_text().strip()
    webhook = Webhook(secret).verify(received.body, received.headers)
    archived = await Store((up.data / "store").as_uri(), up.data).job_record(job_id, "attempts/1.json", ArchivedJob)
    kept = await JobReader(client).observe(job_id)
    assert {**got, "percent": 100} == last == {k: v for k, v in webhook.items() if k not in {"type", "timestamp"}}
    assert (webhook["type"], webhook["timestamp"]) == ("job-completed", got["completedAt"])
    assert listed == [got]
    assert memo.stage == got["stage"] == "complete"
    assert assemble(kept).progress == 100
    assert archived is not None
    assert archived.observation.run_status == "completed"
    await asyncio.sleep(0.05)  # Temporal's core lets go of its threads (sdk-python #300)


async def _sandwiched(http: httpx.AsyncClient, job_id: str, event: JobStatus) -> None:
    """What the list says lies between two readings; no reading lies before what the stream has told."""
    before = await status(http, job_id)
    rows = (await http.get("/api/jobs", params={"limit": 5})).json()["jobs"]
    after = await status(http, job_id)
    row = JobStatus.model_validate(next(one for one in rows if one["id"] == job_id))
    assert event.progress <= before.progress <= row.progress <= after.progress
    assert {row.status} <= {before.status, after.status}
    if before == after:
        assert row.model_copy(update={"eta_seconds": None}) == before.model_copy(update={"eta_seconds": None})


async def test_6_completed_implies_a_playable_file(http: httpx.AsyncClient, tmp_path: Path) -> None:
    """At the very moment of the event, without a second's grace."""
    job_id = await create(http, {**long_script(1), "video": SMALL})
    last = (await all_events(http, job_id))[-1]
    told = json.loads(last.data)
    film = tmp_path / "film.mp4"
    film.write_bytes((await http.get(told["outputPath"])).raise_for_status().content)
    await runner.run(["-v", "error", "-xerror", "-i", str(film), "-f", "null", "-"], stall_seconds=60)
    assert (await probe(film)).format.duration == pytest.approx(told["output"]["durationSeconds"], abs=0.05)


async def test_7_a_hung_ffmpeg_is_noticed_and_replaced(up: Up, http: httpx.AsyncClient) -> None:
    """SIGSTOP: it lives and does nothing. A warning at two thirds, a verdict by the activity, another attempt."""
    job_id = await create(http, long_script(1))
    hung = await ffmpeg_of(up)
    os.kill(hung, signal.SIGSTOP)
    async with events(http, job_id) as told, asyncio.timeout(58):
        seen = [(event.event, json.loads(event.data)) async for event in told]
    codes = [data["code"] for name, data in seen if name == "warning"]
    assert codes.index("SLOW") < codes.index("ATTEMPT_FAILED")
    told_why = [data["message"] for name, data in seen if name == "warning"]
    assert any("did not advance" in message for message in told_why), told_why
    assert any(data["attempt"] > 1 for name, data in seen if name == "step-status")
    percents = [data["percent"] for _, data in seen if "percent" in data]
    assert percents == sorted(percents)
    assert seen[-1][0] == "job-completed"
    assert not running(hung)


def stop_gate(worker: int) -> int:
    """Stops the ffmpeg that looks at the finished film's key frames, as soon as there is one."""
    deadline = time.monotonic() + 50
    while time.monotonic() < deadline:
        for pid in ffmpegs_of(worker):
            with suppress(OSError):
                if b"-skip_frame" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, signal.SIGSTOP)
                    return pid
    raise TimeoutError("no film came to its gate")


async def test_7_no_false_stall_while_finalising(up: Up, http: httpx.AsyncClient) -> None:
    """The finishing stands still for a while: no warning, no verdict, and its message says what it does."""
    rest: list[ServerSentEvent] = []
    gate = asyncio.create_task(asyncio.to_thread(stop_gate, pids(up)["worker"]))
    job_id = ""
    while not gate.done():  # a busy machine may overlook the moment; the next film has one, too
        job_id = await create(http, {**long_script(2), "video": SMALL})
        while (await status(http, job_id)).status != "completed" and not gate.done():
            await asyncio.sleep(0.02)
    async with events(http, job_id) as told, asyncio.timeout(55):
        event = await anext(told)
        while event.event not in {"heartbeat", *TERMINAL}:
            event = await anext(told)
            rest.append(event)
        assert event.event == "heartbeat", "nothing happened for a while"
        os.kill(gate.result(), signal.SIGCONT)
        rest += [event async for event in told]
    assert not [event for event in rest if event.event == "warning"]
    assert rest[-1].event == "job-completed"


async def test_8_cancel_kills_and_retry_answers_with_the_same_job(up: Up, http: httpx.AsyncClient) -> None:
    job_id = await create(http, long_script(1))
    worker = pids(up)["worker"]
    await ffmpeg_of(up)
    before = await status(http, job_id)
    finished = before.progress
    while before.progress < finished + 8:  # most of it in segments that are not finished
        before = await status(http, job_id)
        await asyncio.sleep(0.05)
    children = ffmpegs_of(worker)
    async with events(http, job_id) as told, asyncio.timeout(30):
        await http.post(f"/api/jobs/{job_id}/cancel")
        last = [event async for event in told][-1]
    assert last.event == "job-cancelled"
    await gone(children)
    assert not ffmpegs_of(worker)
    cancelled = await status(http, job_id)
    assert cancelled.progress >= before.progress
    again = JobStatus.model_validate((await http.post(f"/api/jobs/{job_id}/retry")).json())
    assert (again.id, again.attempt) == (job_id, 2)
    assert [(one.attempt, one.status) for one in again.earlier_attempts] == [(1, "cancelled")]
    assert (await until(http, job_id, "completed")).attempt == 2


async def test_9_nothing_compresses_or_buffers_on_the_way(up: Up, http: httpx.AsyncClient, tmp_path: Path) -> None:
    """Through a reverse proxy that compresses whatever it may: every event comes when it is told, not at the end."""
    port, job_id = any_free(), await create(http, long_script(2))
    config = tmp_path / "Caddyfile"
    config.write_text(CADDYFILE.replace("PORT", str(port)).replace("API", up.api.removeprefix("http://")))
    caddy = shutil.which("caddy", path=str(Path(sys.executable).parent)) or "caddy"
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    process = await asyncio.create_subprocess_exec(
        caddy, "run", "--config", str(config), "--adapter", "caddyfile",
        env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as outside:
            async with asyncio.timeout(20):
                while True:
                    try:
                        compressed = await outside.get("/openapi.json", headers={"Accept-Encoding": "gzip"})
                        break
                    except httpx.TransportError:
                        await asyncio.sleep(0.05)
            assert compressed.headers["content-encoding"] == "gzip"  # the proxy does compress
            async with aconnect_sse(
                outside, "GET", f"/api/jobs/{job_id}/events", headers={"Accept-Encoding": "gzip, zstd"}
            ) as source:
                assert "content-encoding" not in source.response.headers
                told = source.aiter_sse()
                assert (await anext(told)).event == "connected"
                async for event in told:
                    if event.event in TERMINAL:
                        break
                    if event.event == "job-progress":  # told while it is so, not after the end
                        assert (await status(http, job_id)).status in {"queued", "running", "completed"}
                        first = json.loads(event.data)
                        assert first["percent"] < 100
        assert event.event == "job-completed"
    finally:
        process.terminate()
        await process.wait()


async def test_10_vocabulary_and_casing(http: httpx.AsyncClient) -> None:
    job_id = await create(http, {**long_script(1), "video": SMALL})
    told = await all_events(http, job_id)
    assert {event.event for event in told} <= VOCABULARY
    for event in told:
        _require_camel(json.loads(event.data))
    for path in ("", "/history", "/artifacts/timeline.json", "/artifacts/manifest.json"):
        _require_camel((await http.get(f"/api/jobs/{job_id}{path}")).json())
    for path in ("/api/jobs", "/api/presets", "/api/voices", "/api/jobs/no-such-job"):
        _require_camel((await http.get(path)).json())


def _require_camel(value: Any) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            # Names of files and of codecs are data, not fields.
            assert re.fullmatch(r"[a-z][a-zA-Z0-9]*|[A-Za-z0-9.-]+", key), key
            assert "_" not in key, key
            _require_camel(inner)
    for inner in value if isinstance(value, list) else []:
        _require_camel(inner)
