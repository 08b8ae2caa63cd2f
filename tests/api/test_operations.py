"""What whoever runs this looks at: metrics that count, logs that machines read, the page in the Temporal UI."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from httpx_sse import aconnect_sse
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.testing import WorkflowEnvironment

from picturelock.cli.ports import any_free
from picturelock.temporal.activity_pause import pause
from tests.api.test_jobs import SCRIPT, OpenStudio, create, until
from tests.fake_activities import Studio, beat
from tests.workflows.conftest import studio_open

pytestmark = pytest.mark.usefixtures("no_leftovers")
ROOT = Path(__file__).parents[2]


async def meters(http: httpx.AsyncClient) -> dict[str, float]:
    """The samples of /metrics by name and labels."""
    text = (await http.get("/metrics")).text
    return {
        name: float(value) for name, value in re.findall(r"^(picturelock\S*(?:\{.*\})?) (\S+)$", text, re.MULTILINE)
    }


def requests_of(samples: dict[str, float], method: str, route: str, status: int) -> float:
    return samples.get(f'picturelock_http_requests_total{{method="{method}",route="{route}",status="{status}"}}', 0)


async def test_requests_are_counted_by_route_and_answer(http: httpx.AsyncClient) -> None:
    before = await meters(http)
    for _ in range(3):
        await http.get("/api/presets")
    await http.get("/api/jobs/no-such-job")
    await http.get("/nowhere")
    after = await meters(http)
    counted = [
        requests_of(after, *one) - requests_of(before, *one)
        for one in (
            ("GET", "/api/presets", 200), ("GET", "/api/jobs/{job_id}", 404), ("GET", "none", 404),
            ("GET", "/metrics", 200),
        )
    ]  # fmt: skip
    assert counted == [3, 1, 1, 1]
    timed = 'picturelock_http_first_byte_seconds_count{route="/api/presets"}'
    assert after[timed] - before.get(timed, 0) == 3


async def test_streams_and_watchers_are_gauged(http: httpx.AsyncClient, studio: OpenStudio) -> None:
    gate = asyncio.Event()

    async def wait(_task: Any) -> None:
        await gate.wait()

    await studio(Studio(hooks={"speak_scene": wait}))
    job_id = await create(http)
    before = await meters(http)
    async with aconnect_sse(http, "GET", f"/api/jobs/{job_id}/events") as source:
        await anext(source.aiter_sse())
        now = await meters(http)
    assert now["picturelock_streams"] - before["picturelock_streams"] == 1
    assert now["picturelock_watchers"] - before["picturelock_watchers"] == 1
    assert now["picturelock_watch_tick_seconds"] > 0
    gate.set()


async def metadata(temporal: WorkflowEnvironment, job_id: str) -> WorkflowMetadata:
    """What the workflow says of itself to the Temporal UI."""
    handle = temporal.client.get_workflow_handle(job_id)
    answer: WorkflowMetadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return answer


async def test_the_page_in_the_temporal_ui_tells_the_request_and_the_work(
    temporal: WorkflowEnvironment, http: httpx.AsyncClient, studio: OpenStudio
) -> None:
    gate = asyncio.Event()

    async def wait(_task: Any) -> None:
        await gate.wait()

    await studio(Studio(hooks={"render": wait}))
    headers = {"X-Correlation-ID": "who-asked"}
    script: dict[str, Any] = {**SCRIPT["script"], "title": "The tides"}
    request = {"script": script, "metadata": {"project": "42"}, "video": {"preset": "tiktok"}}
    job_id = (await http.post("/api/jobs", json=request, headers=headers)).json()["jobId"]
    await until(http, job_id, lambda one: one.stage == "render")
    described = await temporal.client.get_workflow_handle(job_id).describe()
    assert await described.static_summary() == "The tides"
    details = await described.static_details() or ""
    scenes = len(script["scenes"])
    for line in (
        f"- **from**: {scenes} scenes", "- **preset**: tiktok", "- **attempt**: 1", "- **correlation id**: who-asked",
        f"- **status**: /api/jobs/{job_id}", "- `project`: `42`",
    ):  # fmt: skip
        assert line in details.splitlines()
    now = (await metadata(temporal, job_id)).current_details
    assert now.startswith("**render**, ")
    assert "| script | completed | 1 of 1 |" in now
    assert "| render-000 | scheduled or running | 40 |" in now
    assert "| tts-00 | made | | 1 |" in now
    gate.set()
    await until(http, job_id, lambda one: one.status == "completed")
    history = await temporal.client.get_workflow_handle(job_id).fetch_history()
    summaries = {
        json.loads(event.user_metadata.summary.data)
        for event in history.events
        if event.HasField("activity_task_scheduled_event_attributes")
    }
    assert {"script", "tts-00", "tts-01", "composition", "render-000", "sound", "finalize"} <= summaries


async def test_a_brief_is_told_by_its_topic(temporal: WorkflowEnvironment, http: httpx.AsyncClient) -> None:
    job_id = (await http.post("/api/jobs", json={"brief": {"topic": "How tides work"}})).json()["jobId"]
    described = await temporal.client.get_workflow_handle(job_id).describe()
    assert await described.static_summary() == "How tides work"
    assert "- **from**: a brief" in (await described.static_details() or "")


async def test_a_pausing_activity_that_is_no_longer_wanted_pauses_nothing(
    temporal: WorkflowEnvironment, http: httpx.AsyncClient
) -> None:
    ready = asyncio.Event()

    async def wait(_task: Any) -> None:
        from temporalio import activity

        while not ready.is_set():
            activity.heartbeat(beat(0.1))
            await asyncio.sleep(0.05)

    client, studio = temporal.client, Studio(segments=4, hooks={"render": wait})
    async with studio_open(client, studio, render_slots=1):
        job_id = await create(http)
        handle = client.get_workflow_handle(job_id)
        async with asyncio.timeout(20):  # one segment is rendered, three wait
            while len((described := await handle.describe()).raw_description.pending_activities) < 4:
                await asyncio.sleep(0.05)
        result = await pause(client, job_id, described.run_id or "", ("an-old-pause", 1))
        assert (result.quiet, result.not_paused) == (True, [])
        pending = (await handle.describe()).raw_description.pending_activities
        assert not [one.activity_id for one in pending if one.paused]
        ready.set()
        await until(http, job_id, lambda one: one.status == "completed")


def lines_of(log: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("log_format", ["json", "console"])
async def test_logs_are_read_by_machines_or_by_people(
    log_format: str, temporal: WorkflowEnvironment, tmp_path: Path
) -> None:
    port = any_free()
    environment = {
        **os.environ, "TEMPORAL_ADDRESS": temporal.client.service_client.config.target_host,
        "PICTURELOCK_DATA_DIR": str(tmp_path), "PICTURELOCK_LOG_FORMAT": log_format,
    }  # fmt: skip
    said = {}
    for name, command in (("api", ["api", "--port", str(port)]), ("worker", ["worker", "--role", "render"])):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert process.stderr is not None
        first = await asyncio.wait_for(process.stderr.readline(), 40)
        process.terminate()
        _, rest = await asyncio.wait_for(process.communicate(), 30)
        said[name] = (first + rest).decode()
        assert process.returncode in {0, -signal.SIGTERM}, said[name]  # uvicorn ends by the signal it was sent
    if log_format == "console":
        assert "worker ready" in said["worker"]
        assert not said["worker"].startswith("{")
        return
    api, worker = lines_of(said["api"]), lines_of(said["worker"])
    assert api
    assert [one["event"] for one in worker][:2] == ["worker ready", "worker draining"]
    assert (worker[0]["role"], worker[0]["level"]) == ("render", "info")
    for one in (*api, *worker):
        assert {"event", "level", "timestamp"} <= set(one)


BROKEN = """
import asyncio, httpx
from api.correlation import CorrelationMiddleware
from api.problems import unexpected
from picturelock.logs import configure_logging

async def broken(_scope, _receive, _send):
    raise ZeroDivisionError("nobody thought of that")

async def ask():
    app = CorrelationMiddleware(broken, on_error=unexpected)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        answer = await client.get("/", headers={"X-Correlation-ID": "trace-me"})
    print(answer.status_code, answer.json()["code"], answer.json()["correlationId"], answer.headers["X-Correlation-ID"])

configure_logging("json")
asyncio.run(ask())
"""


def test_an_error_nobody_foresaw_is_logged_with_its_correlation_id() -> None:
    done = subprocess.run([sys.executable, "-c", BROKEN], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["500", "INTERNAL", "trace-me", "trace-me"]
    [line] = lines_of(done.stderr)
    assert (line["correlation_id"], line["event"]) == ("trace-me", "request failed unexpectedly")
    assert "ZeroDivisionError: nobody thought of that" in line["exception"]


LEVELS = """
import logging, structlog
from picturelock.logs import configure_logging

configure_logging("json", {level!r})
for name in ("debug", "info", "warning", "error"):
    getattr(structlog.get_logger(), name)(f"ours {{name}}")
    getattr(logging.getLogger("theirs"), name)(f"theirs {{name}}")
"""


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_what_is_below_the_level_is_not_logged(level: str) -> None:
    code = LEVELS.format(level=level)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    names = ["debug", "info", "warning", "error"]
    wanted = {f"{whose} {name}" for name in names[names.index(level) :] for whose in ("ours", "theirs")}
    assert {line["event"] for line in lines_of(done.stderr)} == wanted
