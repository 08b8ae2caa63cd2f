"""The stack that is hit: `picturelock up`, on files or on an S3 server, and signals to what belongs to it."""

import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import sysconfig
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from picturelock.cli.child import Child
from picturelock.cli.ports import is_free
from scripts.chaos.plan import Fault, Target

ROOT: Final = Path(__file__).parents[2]
CREDENTIALS: Final = {"AWS_ACCESS_KEY_ID": "devkey", "AWS_SECRET_ACCESS_KEY": "devsecret"}
_START_SECONDS: Final = 60
_STOP_SECONDS: Final = 40
_S3_BACK_SECONDS: Final = 0.5


def processes() -> dict[int, tuple[int, str]]:
    """Every process that lives: id -> its parent's id and its program."""
    found: dict[int, tuple[int, str]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                state, parent = (folder / "stat").read_text().rsplit(")", 1)[1].split()[:2]
                if state != "Z":
                    found[int(folder.name)] = int(parent), (folder / "cmdline").read_text().split("\0")[0]
    return found


@dataclass
class Stack:
    """One running stack."""

    data: Path
    supervisor: asyncio.subprocess.Process
    api: str
    s3: Child | None = None
    s3_endpoint: str = ""
    sent: dict[str, int] = field(default_factory=dict)
    """How many signals have met a process, by target and signal."""

    @property
    def pids(self) -> dict[str, int]:
        """The processes of the moment, by name."""
        with contextlib.suppress(OSError, ValueError):
            return dict(json.loads((self.data / "stack.json").read_text())["pids"])
        return {}

    def ffmpegs(self) -> list[int]:
        """The ffmpeg processes of the workers."""
        workers = {pid for name, pid in self.pids.items() if name.startswith("worker")}
        return [pid for pid, (parent, program) in processes().items() if parent in workers and "ffmpeg" in program]

    async def strike(self, fault: Fault, chance: random.Random) -> bool:
        """Sends a fault's signal; whether there was anybody to receive it. Returns when what was stopped goes on."""
        if not (victims := self._victims(fault.target)):
            return False
        pid = chance.choice(victims)
        try:
            os.kill(pid, signal.Signals[f"SIG{fault.blow}"])
        except ProcessLookupError:
            return False
        kind = f"{fault.target} {fault.blow}"
        self.sent[kind] = self.sent.get(kind, 0) + 1
        if fault.blow == "STOP":
            await asyncio.sleep(fault.seconds)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        elif fault.target == "s3" and self.s3 is not None and self.s3.process is not None:
            await self.s3.process.wait()
            await asyncio.sleep(_S3_BACK_SECONDS)
            await self.s3.start()
        return True

    def _victims(self, target: Target) -> list[int]:
        if target == "ffmpeg":
            return self.ffmpegs()
        if target == "s3":
            return [self.s3.pid] if self.s3 else []
        return [pid for name, pid in self.pids.items() if name.startswith(target)]

    def left_over(self) -> list[str]:
        """What should not be there when nothing runs: programs, and folders of work."""
        folders = [folder.name for folder in (self.data / "scratch").glob("process-*/*") if folder.is_dir()]
        return [*(f"ffmpeg {pid}" for pid in self.ffmpegs()), *(f"workspace {name}" for name in folders)]

    def complaints(self) -> list[str]:
        """Lines of the logs that tell of a programming error."""
        logs = [log for log in sorted((self.data / "logs").glob("*.log")) if log.stem != "temporal"]
        lines = [(log.name, line) for log in logs for line in log.read_text(errors="replace").splitlines()]
        return [f"{name}: {line[:300]}" for name, line in lines if _is_complaint(line)]


def _is_complaint(line: str) -> bool:
    with contextlib.suppress(ValueError):
        return json.loads(line).get("level") in {"error", "critical"}
    return "Traceback" in line


@asynccontextmanager
async def standing(data: Path, *, workers: int, on_s3: bool) -> AsyncIterator[Stack]:
    """A stack in a data folder, ended with the block."""
    environment = {
        **os.environ,
        "PICTURELOCK_DRAIN_SECONDS": "2",
        "PICTURELOCK_LOG_FORMAT": "json",
        "PICTURELOCK_LOG_LEVEL": "debug",
    }
    s3, endpoint = None, ""
    if on_s3:
        s3, endpoint = await _seaweedfs(data / "s3")
        environment |= {
            **CREDENTIALS, "AWS_ENDPOINT": endpoint, "AWS_REGION": "us-east-1",
            "PICTURELOCK_STORE_URL": "s3://media/chaos",
        }  # fmt: skip
    ports = ["--port", "0", "--temporal-port", "0", "--ui-port", "0"]
    supervisor = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "picturelock.cli.main", "up", "--data", str(data), *ports, "--json",
        "--workers", str(workers),
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        assert supervisor.stdout is not None
        line = await asyncio.wait_for(supervisor.stdout.readline(), _START_SECONDS)
        described: dict[str, Any] = json.loads(line)
        yield Stack(data, supervisor, str(described["api"]), s3, endpoint)
    finally:
        with contextlib.suppress(ProcessLookupError):
            supervisor.terminate()
        try:
            await asyncio.wait_for(supervisor.wait(), _STOP_SECONDS)
        except TimeoutError:
            supervisor.kill()
        if s3 is not None and s3.process is not None and s3.process.returncode is None:
            s3.process.kill()  # asked to end it takes ten seconds; nothing of it is kept
            await s3.process.wait()


async def _seaweedfs(folder: Path) -> tuple[Child, str]:
    """A SeaweedFS with a bucket named media, and its endpoint."""
    base = next(
        base
        for base in range(41_000, 50_000, 20)
        if all(is_free(base + offset) and is_free(base + offset + 10_000) for offset in range(6))
    )
    folder.mkdir(parents=True)
    names = ["-s3.port", "-filer.port", "-master.port", "-volume.port"]
    arguments = [
        str(Path(sysconfig.get_path("scripts")) / "weed"), "mini", f"-dir={folder}", "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1", "-bucket=media", "-s3.port.iceberg=0", "-webdav=false", "-admin.ui=false",
        *(f"{name}={base + offset}" for offset, name in enumerate(names)),
    ]  # fmt: skip
    child = Child("s3", arguments, CREDENTIALS, folder.parent / "s3.log")
    await child.start()
    endpoint = f"http://127.0.0.1:{base}"
    async with asyncio.timeout(_START_SECONDS), httpx.AsyncClient() as http:
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if (await http.get(f"{endpoint}/media")).status_code in {200, 403}:
                    return child, endpoint
            await asyncio.sleep(0.2)
