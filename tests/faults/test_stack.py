"""The whole stack with everything real, and what happens when things are killed."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest

from picturelock.cli.ports import any_free
from picturelock.ffmpeg.probe import probe
from picturelock.temporal.connection import connect
from tests.faults.stack import (
    ANY_PORTS,
    ROOT,
    SMALL,
    Up,
    command,
    create,
    ffmpegs_of,
    gone,
    long_script,
    start_up,
    status,
    stop,
    until,
)

pytestmark = pytest.mark.slow


async def test_a_killed_worker_costs_nothing_but_time(up: Up, http: httpx.AsyncClient) -> None:
    job_id = await create(http, long_script(4))
    await until(http, job_id, "running", progress=40)
    worker = json.loads((up.data / "stack.json").read_text())["pids"]["worker"]
    children = ffmpegs_of(worker)
    os.kill(worker, signal.SIGKILL)
    await gone([worker, *children])
    job = await status(http, job_id)
    assert job.status == "running"
    cache = next(step for step in job.steps if step.name == "render").cache
    finished = (cache.misses if cache else 0) - 1  # the sound may be one of them
    assert finished > 0
    shown = [job.progress]
    async with asyncio.timeout(55):
        while (job := await status(http, job_id)).status == "running":
            shown.append(job.progress)
            await asyncio.sleep(0.05)
    assert (job.status, job.progress) == ("completed", 100)
    assert all(later >= earlier for earlier, later in pairwise(shown)), "nothing shown was taken back"
    manifest = (await http.get(f"/api/jobs/{job_id}/artifacts/manifest.json")).json()
    kept = [one for one in manifest["segments"] if one["worker"].endswith(f":{worker}")]
    assert len(kept) >= finished, "what the killed worker had finished was not made again"


async def test_a_killed_api_and_server_come_back_with_every_job(up: Up, http: httpx.AsyncClient) -> None:
    job_id = await create(http, {**long_script(2), "video": SMALL})
    await until(http, job_id, "running", "completed")
    pids = json.loads((up.data / "stack.json").read_text())["pids"]
    for name in ("api", "temporal"):
        os.kill(pids[name], signal.SIGKILL)
    await gone([pids["api"], pids["temporal"]])
    async with asyncio.timeout(50):
        while True:
            try:
                job = await status(http, job_id)
                if job.status == "completed":
                    break
            except (httpx.HTTPError, ValueError):
                pass
            await asyncio.sleep(0.1)
    assert (await http.get(str(job.output_path))).status_code == 200


async def test_cancel_leaves_no_ffmpeg(up: Up, http: httpx.AsyncClient) -> None:
    job_id = await create(http, long_script(3))
    await until(http, job_id, "running", progress=14)
    worker = json.loads((up.data / "stack.json").read_text())["pids"]["worker"]
    children = ffmpegs_of(worker)
    assert children
    started = asyncio.get_running_loop().time()
    await http.post(f"/api/jobs/{job_id}/cancel")
    await until(http, job_id, "cancelled")
    assert asyncio.get_running_loop().time() - started < 10
    await gone(children)


async def test_the_command_line_exports_lists_and_refuses(up: Up, tmp_path: Path) -> None:
    script = tmp_path / "film.md"
    script.write_text(f"# Film\n\nA short word about {long_script(1)['script']['title']}.\n")
    film = tmp_path / "out.mp4"
    code, output = await command(up.data, "export", str(script), "--output", str(film), "--preset", "preview")
    assert code == 0, output
    assert (await probe(film)).first("video") is not None
    code, output = await command(up.data, "jobs", "--limit", "5")
    assert code == 0
    assert "completed" in output
    bad = tmp_path / "bad.md"
    bad.write_text("# Film\n\n## Empty\n")
    code, output = await command(up.data, "export", str(bad))
    assert code == 2
    assert "INVALID_SCRIPT" in output
    assert "Traceback" not in output
    for arguments in (
        ["export", str(script), "--output", str(tmp_path / "no" / "x.mp4")],
        ["export", str(script), "--output", str(tmp_path)],
        ["export", str(tmp_path)],
        ["jobs", "--api", "http://[::1"],
        ["watch", "a\nb"],
        ["cancel", "no-such-job"],
    ):
        code, output = await command(up.data, *arguments)
        assert (code, "Traceback" in output) == (2, False), (arguments, output)
    code, output = await command(tmp_path / "nothing-here", "jobs")
    assert (code, "picturelock up" in output) == (2, True)


async def test_one_folder_one_stack(up: Up) -> None:
    code, output = await command(up.data, "up", *ANY_PORTS)
    assert code == 2
    assert "another stack" in output


async def test_ctrl_c_ends_everything_and_the_data_survive(tmp_path: Path) -> None:
    first = await start_up(tmp_path / "data")
    async with httpx.AsyncClient(base_url=first.api, timeout=30) as client:
        done = await until(client, await create(client, {**long_script(1), "video": SMALL}), "completed")
        half = await create(client, long_script(2))
        await until(client, half, "running", progress=12)
    assert await stop(first) == 0
    await gone(list(first.pids.values()))
    assert not (first.data / "stack.json").exists()
    again = await start_up(first.data)
    try:
        async with httpx.AsyncClient(base_url=again.api, timeout=30) as client:
            job = await status(client, done.id)
            assert (job.status, job.output) == ("completed", done.output)
            assert (await client.get(str(job.output_path))).status_code == 200
            await until(client, half, "completed")
    finally:
        await stop(again, signal.SIGTERM)
    await gone(list(again.pids.values()))


async def test_a_killed_supervisor_leaves_nobody_behind(tmp_path: Path) -> None:
    started = await start_up(tmp_path / "data")
    started.process.kill()
    await started.process.wait()
    await gone(list(started.pids.values()))


async def test_ports_move_on_and_closed_jobs_stay_ninety_days(tmp_path: Path) -> None:
    taken = [any_free() for _ in range(3)]
    sockets = [socket.create_server(("127.0.0.1", port)) for port in taken]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "picturelock.cli.main", "up", "--data", str(tmp_path / "data"), "--json",
        "--workers", "2",
        "--port", str(taken[0]), "--temporal-port", str(taken[1]), "--ui-port", str(taken[2]),
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    up = Up(tmp_path / "data", process, json.loads(await asyncio.wait_for(process.stdout.readline(), 50)))
    try:
        for port in taken:
            assert f"port {port} is taken" in (await process.stderr.readline()).decode()
        assert set(up.pids) == {"temporal", "worker", "worker-2", "api"}
        assert not {int(str(up.described[name]).rsplit(":", 1)[1]) for name in ("api", "temporal", "ui")} & set(taken)
        client = await connect(environment={"TEMPORAL_ADDRESS": str(up.described["temporal"])})
        described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
        assert described.config.workflow_execution_retention_ttl.ToTimedelta().days == 90
        async with httpx.AsyncClient() as http:
            assert (await http.get(str(up.described["ui"]))).status_code == 200
            assert (await http.get(f"{up.api}/docs")).status_code == 200
    finally:
        await stop(up)
        for one in sockets:
            one.close()
    await gone(list(up.pids.values()))


async def test_ctrl_c_during_start_up_ends_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "picturelock.cli.main", "up", "--data", str(data), *ANY_PORTS, "--json",
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    async with asyncio.timeout(20):
        while not (data / "logs" / "temporal.log").exists():
            await asyncio.sleep(0.01)
    process.send_signal(signal.SIGINT)
    output, errors = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0, errors.decode()
    assert output == b""


async def test_what_is_in_the_data_folder_is_nobody_elses(up: Up, http: httpx.AsyncClient) -> None:
    await until(http, await create(http, long_script(1)), "completed")
    files = [
        path for path in up.data.rglob("*") if "fontconfig" not in path.parts
    ]  # its caches have modes of their own
    others = [path for path in files if path.exists() and path.lstat().st_mode & 0o077]
    assert others == []
