"""A real stack under test: started, asked, killed."""

import asyncio
import io
import json
import os
import re
import signal
import subprocess
import sys
import uuid
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

from picturelock.ffmpeg import runner
from picturelock.models import JobStatus

ROOT = Path(__file__).parents[2]
ANY_PORTS = ["--port", "0", "--temporal-port", "0", "--ui-port", "0"]
SMALL = {"preset": "preview", "width": 426, "height": 240}


@dataclass
class Up:
    """A running `picturelock up`."""

    data: Path
    process: asyncio.subprocess.Process
    described: dict[str, Any]

    @property
    def api(self) -> str:
        return str(self.described["api"])

    @property
    def pids(self) -> dict[str, int]:
        return dict(self.described["pids"])


async def start_up(data: Path, *options: str, environment: dict[str, str] | None = None) -> Up:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "picturelock.cli.main", "up", "--data", str(data), *ANY_PORTS, "--json", *options,
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        env={**os.environ, **(environment or {})},
    )  # fmt: skip
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), 50)
    if not line and process.stderr:
        raise AssertionError((await process.stderr.read()).decode())
    return Up(data, process, json.loads(line))


async def stop(up: Up, how: signal.Signals = signal.SIGINT) -> int:
    up.process.send_signal(how)
    return await asyncio.wait_for(up.process.wait(), 40)


def running(pid: int) -> bool:
    """Whether a process lives (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def gone(pids: list[int]) -> None:
    async with asyncio.timeout(30):
        while any(running(pid) for pid in pids):
            await asyncio.sleep(0.05)


def ffmpegs_of(worker: int) -> list[int]:
    """The ffmpeg processes that a worker has started."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
                command = (folder / "cmdline").read_text()
            except OSError:
                continue
            if parent == worker and "ffmpeg" in command.split("\0")[0]:
                found.append(int(folder.name))
    return found


def long_script(scenes: int = 4) -> dict[str, Any]:
    """New words every time: nothing of it is in any cache."""
    word = re.sub(r"\d", "", uuid.uuid4().hex)[:5] + "ing"
    lines = [
        {"narration": f"This is scene {n + 1}, and it says {word} so that it is new. It goes on for a while."}
        for n in range(scenes)
    ]
    return {"script": {"title": word, "scenes": lines}}


async def create(http: httpx.AsyncClient, request: dict[str, Any]) -> str:
    response = await http.post("/api/jobs", json=request)
    assert response.status_code == 202, response.text
    return str(response.json()["jobId"])


async def status(http: httpx.AsyncClient, job_id: str) -> JobStatus:
    return JobStatus.model_validate((await http.get(f"/api/jobs/{job_id}")).json())


async def until(http: httpx.AsyncClient, job_id: str, *states: str, progress: float = 0) -> JobStatus:
    async with asyncio.timeout(55):
        while True:
            job = await status(http, job_id)
            if job.status in states and job.progress >= progress:
                return job
            assert job.status not in {"failed", "cancelled"} or job.status in states, job.error
            await asyncio.sleep(0.05)


async def decoded_audio(path: Path) -> np.ndarray:
    done = await runner.run(
        ["-v", "error", "-i", str(path), "-ac", "1", "-ar", "8000", "-f", "f32le", "pipe:1"],
        stall_seconds=60,
        read_stdout=True,
    )
    return np.frombuffer(done.stdout, "<f4")


def photograph(width: int = 900, height: int = 600) -> bytes:
    """Something with the detail of a photograph, as JPEG."""
    rng = np.random.default_rng(width)
    small = rng.integers(40, 220, (height // 30, width // 30, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def tone(seconds: float) -> bytes:
    """A recording: a wavering tone as WAV."""
    at = np.arange(int(seconds * 16_000)) / 16_000
    samples = (np.sin(2 * np.pi * 180 * at) * (0.3 + 0.2 * np.sin(2 * np.pi * 3 * at)) * 20_000).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(samples.tobytes())
    return buffer.getvalue()


async def upload(http: httpx.AsyncClient, data: bytes) -> str:
    response = await http.post("/api/assets", content=data, headers={"content-type": "application/octet-stream"})
    assert response.status_code == 201, response.text
    return str(response.json()["assetId"])


async def frame_at(film: Path, seconds: float) -> np.ndarray:
    arguments = [
        "-v",
        "error",
        "-ss",
        f"{seconds}",
        "-i",
        str(film),
        "-frames:v",
        "1",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "gray",
        "pipe:1",
    ]
    done = await runner.run(arguments, stall_seconds=60, read_stdout=True)
    return np.frombuffer(done.stdout, np.uint8).astype(np.int16)


async def command(up_or_data: Path, *arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "picturelock.cli.main", *arguments, "--data", str(up_or_data), cwd=ROOT,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 55)
    return process.returncode or 0, output.decode()
