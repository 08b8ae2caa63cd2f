"""Fixtures shared by all tests: a data folder of their own, fake programs, a real Temporal server."""

import asyncio
import contextlib
import os
import stat
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

# Settings are read once a process: they must be in place before anything imports them.
_DATA = tempfile.TemporaryDirectory(prefix="picturelock-tests-")
for name in [key for key in os.environ if key.startswith(("PICTURELOCK_", "TEMPORAL_"))]:
    del os.environ[name]
os.environ["PICTURELOCK_DATA_DIR"] = _DATA.name

import hypothesis  # noqa: E402
import pytest  # noqa: E402
import pytest_asyncio  # noqa: E402
from temporalio.contrib.pydantic import pydantic_data_converter  # noqa: E402
from temporalio.runtime import Runtime, TelemetryConfig  # noqa: E402
from temporalio.service import RPCError  # noqa: E402
from temporalio.testing import WorkflowEnvironment  # noqa: E402

from picturelock.ffmpeg.tools import ffmpeg_path, temporal_path, tool_versions  # noqa: E402
from picturelock.settings import settings  # noqa: E402
from picturelock.store.store import Store, default_store  # noqa: E402
from tests.servers import FakeServer, Reply  # noqa: E402

hypothesis.settings.register_profile("house", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("house")

STACKS = {
    "stack": ("faults/test_films", "faults/test_kinds", "faults/test_stack", "faults/test_eviction"),
    "s3": ("faults/test_roles", "faults/test_s3"),
}
"""Files whose tests share a running stack: they run in one process. Of the others each file is on its own."""


def group_of(nodeid: str) -> str:
    """What a test belongs to when several processes run them."""
    path = nodeid.partition("::")[0].removeprefix("tests/").removesuffix(".py")
    return next((name for name, files in STACKS.items() if path in files), path)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slowest first: what begins last must not be what is waited for."""
    slow = {group_of(item.nodeid) for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (group_of(item.nodeid) not in STACKS, group_of(item.nodeid) not in slow))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Groups by file and stack. (`--dist loadgroup` renames tests in a way that this pytest does not take.)"""
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    return ByGroup(config, log)


FAKE_FFMPEG = Path(__file__).parent / "fake_ffmpeg.py"


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.fixture
def store(tmp_path: Path, scratch: Path) -> Store:
    return Store((tmp_path / "store").as_uri(), scratch)


@pytest.fixture
def fresh_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Sets environment variables and makes the process read its settings again."""

    def reset() -> None:
        settings.cache_clear()
        ffmpeg_path.cache_clear()
        tool_versions.cache_clear()
        default_store.cache_clear()

    def change(**variables: str) -> None:
        for key, value in variables.items():
            monkeypatch.setenv(key, value)
        reset()

    yield change
    monkeypatch.undo()
    reset()


def executable(source: Path, given: dict[str, str]) -> str:
    """A program of Python's that knows what it is to do: programs get little of our environment."""
    return f"#!{sys.executable}\nimport os\n\nos.environ.update({given!r})\n{source.read_text()}"


@pytest.fixture
def fake_ffmpeg(tmp_path: Path, fresh_settings: Callable[..., None]) -> Callable[[str], Path]:
    """Puts a fake ffmpeg executable in place; its behaviour is the argument (see tests/fake_ffmpeg.py)."""

    def install(behaviour: str) -> Path:
        program = tmp_path / "ffmpeg"
        given = {"FAKE_FFMPEG": behaviour, "FAKE_FFMPEG_DIR": str(tmp_path)}
        program.write_text(executable(FAKE_FFMPEG, given))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        fresh_settings(PICTURELOCK_FFMPEG=str(program))
        return tmp_path

    return install


@pytest.fixture
def fake_server() -> Iterator[Callable[[list[Reply]], FakeServer]]:
    """Starts real HTTP servers that answer as they are told."""
    servers: list[FakeServer] = []

    def start(replies: list[Reply]) -> FakeServer:
        servers.append(FakeServer(replies))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest_asyncio.fixture(scope="session")
async def temporal() -> AsyncIterator[WorkflowEnvironment]:
    """A real Temporal server whose workflows skip time."""
    runtime = Runtime(telemetry=TelemetryConfig(), worker_heartbeat_interval=timedelta(seconds=1))
    environment = await WorkflowEnvironment.start_time_skipping_v2(
        runtime=runtime,
        dev_server_existing_path=temporal_path(),
        dev_server_log_level="never",
        data_converter=pydantic_data_converter,
        dev_server_extra_args=[
            "--dynamic-config-value",
            "frontend.WorkflowTimeSkippingEnabled=true",
            "--dynamic-config-value",
            'history.timerProcessorMaxTimeShift="10ms"',
        ],
    )
    yield environment
    await environment.shutdown()
    await asyncio.sleep(0.1)  # Temporal's core lets go of its threads (sdk-python #300)


@pytest_asyncio.fixture
async def no_leftovers(temporal: WorkflowEnvironment) -> AsyncIterator[None]:
    """Ends the executions that a test leaves open: the next test's workers would take them up."""
    yield
    async for execution in temporal.client.list_workflows("ExecutionStatus = 'Running'"):
        with contextlib.suppress(RPCError):
            await temporal.client.get_workflow_handle(execution.id).terminate()
