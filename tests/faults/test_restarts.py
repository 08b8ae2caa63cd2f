"""Processes that end and come back, and those that come before what they need."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import sysconfig
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from picturelock.cli.ports import any_free
from tests.faults.stack import ANY_PORTS, ROOT, gone, start_up, stop

pytestmark = pytest.mark.slow


def pids(data: Path) -> dict[str, int]:
    return dict(json.loads((data / "stack.json").read_text())["pids"])


async def test_an_api_that_dies_is_followed_by_one_that_has_loaded_itself(tmp_path: Path) -> None:
    """Its clients' connections wait at a socket that never closes, and find the next one."""
    async with AsyncExitStack() as stack:
        up = await start_up(tmp_path)
        stack.push_async_callback(stop, up)
        first = pids(up.data)["api"]
        async with asyncio.timeout(30):  # the next one is there, and waits
            while len(spares := waiting_apis(up.process.pid)) < 2:
                await asyncio.sleep(0.05)
        [spare] = spares - {first}
        os.kill(first, signal.SIGSTOP)  # nobody serves …
        async with httpx.AsyncClient(base_url=up.api, timeout=30) as http:
            asking = asyncio.create_task(http.get("/readyz"))
            await asyncio.to_thread(reach, up.api)  # … and whoever connects is let in
            os.kill(first, signal.SIGKILL)
            assert (await asking).json() == {"status": "ready"}, "the next one answers what was asked meanwhile"
        assert pids(up.data)["api"] == spare
    assert up.process.returncode == 0
    await gone([first, spare])


def waiting_apis(supervisor: int) -> set[int]:
    """The API processes of a supervisor: the one that serves, and the one that waits."""
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
                command = (folder / "cmdline").read_text().split("\0")
            except OSError:
                continue
            if parent == supervisor and command[1:4] == ["-P", "-m", "api"]:
                found.add(int(folder.name))
    return found


async def test_a_folder_with_modules_of_the_same_names_runs_ours(tmp_path: Path) -> None:
    elsewhere = tmp_path / "a-project"
    (elsewhere / "api").mkdir(parents=True)
    for name in ("worker.py", "api/__init__.py", "api/__main__.py"):
        (elsewhere / name).write_text("raise SystemExit('not ours')\n")
    program = Path(sysconfig.get_path("scripts")) / "picturelock"
    process = await asyncio.create_subprocess_exec(
        str(program), "up", "--data", str(tmp_path / "data"), *ANY_PORTS, "--json",
        cwd=elsewhere, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    described = json.loads(await asyncio.wait_for(process.stdout.readline(), 60))
    async with httpx.AsyncClient(base_url=described["api"], timeout=30) as http:
        assert (await http.get("/readyz")).json() == {"status": "ready"}
    process.terminate()
    await asyncio.wait_for(process.communicate(), 40)
    assert process.returncode == 0


def reach(url: str) -> None:
    """Connects. Raises OSError where nobody listens."""
    address = httpx.URL(url)
    with socket.create_connection((address.host, address.port or 80), timeout=5):
        pass


@pytest.mark.parametrize("command", [["worker"], ["api"]])
async def test_a_process_waits_for_temporal_and_says_where_it_looks(tmp_path: Path, command: list[str]) -> None:
    port, own = any_free(), any_free()
    environment = {
        **os.environ, "TEMPORAL_ADDRESS": f"127.0.0.1:{port}", "PICTURELOCK_DATA_DIR": str(tmp_path),
        "PICTURELOCK_LOG_FORMAT": "json",
    }  # fmt: skip
    options = ["--port", str(own)] if command == ["api"] else []
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *command, *options, cwd=ROOT, env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    told: list[dict[str, str]] = []
    async with asyncio.timeout(40):
        while not any(line["event"] == "waiting for Temporal" for line in told):
            told.append(json.loads(await process.stderr.readline()))
    assert told[-1]["address"] == f"127.0.0.1:{port}"
    if command == ["api"]:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{own}", timeout=30) as http:
            assert (await http.get("/healthz")).status_code == 200
            assert (await http.get("/readyz")).json()["code"] == "NOT_READY"
    process.terminate()
    rest = await asyncio.wait_for(process.stderr.read(), 30)
    assert b"Traceback" not in rest
    assert await process.wait() in {0, -signal.SIGTERM}
