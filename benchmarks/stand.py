"""A Temporal server, an API process and, if asked for, workers that only act: everything of a run, ended with it."""

import asyncio
import contextlib
import os
import re
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from temporalio.client import Client

from picturelock.cli.child import Child
from picturelock.cli.ports import any_free
from picturelock.ffmpeg.tools import temporal_path
from picturelock.temporal.connection import QUICK, connect

ROOT = Path(__file__).parents[1]


@dataclass
class Stand:
    """The addresses and processes of one run."""

    data: Path
    api_port: int
    temporal_port: int
    metrics_port: int
    children: dict[str, Child] = field(default_factory=dict)
    extra: dict[str, str] = field(default_factory=dict)
    """Settings of the processes that are started next."""

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "TEMPORAL_ADDRESS": f"127.0.0.1:{self.temporal_port}",
            "PICTURELOCK_DATA_DIR": str(self.data),
            "PYTHONPATH": str(ROOT),
            **self.extra,
        }

    async def start(self, name: str, *arguments: str) -> Child:
        child = Child(name, list(arguments), self.environment, self.data / f"{name}.log")
        await child.start()
        self.children[name] = child
        return child

    async def client(self) -> Client:
        async with asyncio.timeout(30):
            while True:
                with contextlib.suppress(RuntimeError):
                    return await connect(retry_config=QUICK, environment=self.environment)
                await asyncio.sleep(0.05)

    async def api_ready(self) -> None:
        async with asyncio.timeout(60), httpx.AsyncClient(timeout=2) as http:
            while True:
                with contextlib.suppress(httpx.HTTPError):
                    if (await http.get(f"{self.api}/readyz")).is_success:
                        return
                await asyncio.sleep(0.05)

    async def another_api(self, name: str, settings: dict[str, str]) -> str:
        """The address of one more API process, with settings of its own, once it is ready."""
        port = any_free()
        command = [sys.executable, "-m", "api", "--port", str(port)]
        child = Child(name, command, {**self.environment, **settings}, self.data / f"{name}.log")
        await child.start()
        self.children[name] = child
        url = f"http://127.0.0.1:{port}"
        async with asyncio.timeout(60), httpx.AsyncClient(timeout=2) as http:
            while True:
                with contextlib.suppress(httpx.HTTPError):
                    if (await http.get(f"{url}/readyz")).is_success:
                        return url
                await asyncio.sleep(0.05)

    async def restart_api(self) -> None:
        if "api" in self.children:
            await self.children["api"].stop()
        await self.start("api", sys.executable, "-m", "api", "--port", str(self.api_port))
        await self.api_ready()

    def memory_of(self, name: str) -> int:
        """Resident bytes of a process."""
        pages = int(Path(f"/proc/{self.children[name].pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    async def temporal_calls(self) -> dict[str, float]:
        """Requests that Temporal's frontend has answered so far, by operation, as it counts them itself."""
        async with httpx.AsyncClient(timeout=10) as http:
            text = (await http.get(f"http://127.0.0.1:{self.metrics_port}/metrics")).text
        found: dict[str, float] = {}
        for labels, value in re.findall(r"^service_requests\{([^}]*)\} (\S+)$", text, re.MULTILINE):
            operation = re.search(r'operation="(\w+)"', labels)
            if operation and 'service_name="frontend"' in labels:
                found[operation[1]] = found.get(operation[1], 0) + float(value)
        return found


@asynccontextmanager
async def standing(**settings: str) -> AsyncIterator[Stand]:
    """A stand with Temporal (SQLite, as `picturelock up` runs it) and the API, with `settings` for its processes."""
    with tempfile.TemporaryDirectory(prefix="picturelock-bench-") as folder:
        stand = Stand(Path(folder), any_free(), any_free(), any_free(), extra=settings)
        try:
            await stand.start(
                "temporal", temporal_path(), "server", "start-dev", "--ip", "127.0.0.1", "--headless",
                "--port", str(stand.temporal_port), "--metrics-port", str(stand.metrics_port),
                "--db-filename", str(stand.data / "temporal.db"),
                "--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=normal", "--log-level", "error",
            )  # fmt: skip
            await stand.client()
            await stand.restart_api()
            yield stand
        finally:
            for child in reversed(stand.children.values()):
                await child.stop()
