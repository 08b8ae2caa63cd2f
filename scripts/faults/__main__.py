"""`make faults`: prints the matrix of docs/faults.md, as Markdown, and what did not hold."""

import argparse
import asyncio
import contextlib
import json
import random
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import obstore
from obstore.store import S3Store

from picturelock.ffmpeg import runner
from picturelock.jobs.stages import STAGES
from picturelock.models import TERMINAL, JobStatus, StageName
from scripts.chaos.plan import Blow, Fault, Target
from scripts.chaos.stack import CREDENTIALS, Stack, standing

TARGETS: Final[tuple[Target, ...]] = ("api", "worker", "temporal", "ffmpeg", "s3")
BLOWS: Final[tuple[Blow, ...]] = ("KILL", "STOP", "TERM")
FROZEN_SECONDS: Final = 3.0
WORKER_GONE_SECONDS: Final = 15.0
"""A worker's heartbeat time-out and five seconds: what its death may cost."""

_END_SECONDS: Final = 90.0
_POLL_SECONDS: Final = 0.02
_SLOTS: Final = 2
_SCENES: Final = 5


@dataclass(frozen=True, slots=True)
class Cell:
    """One stroke: how long the job stood still, and how many segments were encoded again."""

    target: Target
    blow: Blow
    stage: StageName
    hit: bool
    seconds: float = 0.0
    again: int = 0
    wrong: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.hit:
            return "–"
        return f"{self.seconds:.1f}" + (f" ({self.again})" if self.again else "") + (" **!**" if self.wrong else "")


def request() -> dict[str, Any]:
    """The same film every time: what is compared is its frames."""
    line = "This is scene {} of the film that nothing can disturb. It goes on for a while."
    scenes = [{"title": f"Scene {n}", "narration": line.format(n)} for n in range(1, _SCENES + 1)]
    return {
        "script": {"title": "Undisturbed", "scenes": scenes},
        "video": {"preset": "preview", "width": 960, "height": 540, "encoderPreset": "slow"},
        "metadata": {"run": uuid.uuid4().hex},
    }


class Bench:
    """One stack, and what an undisturbed film of it is like."""

    def __init__(self, stack: Stack, http: httpx.AsyncClient) -> None:
        self._stack = stack
        self._http = http
        self._frames = ""
        self._chance = random.Random(0)  # noqa: S311 - whom it hits, where there are several

    async def measure(self) -> None:
        """Makes the undisturbed film."""
        await self._forget()
        job_id = await self._create()
        self._frames = await self._film(await self._end(job_id))

    async def strike(self, target: Target, blow: Blow, stage: StageName) -> Cell:
        """One film, hit once in a stage."""
        await self._forget()
        job_id = await self._create()
        before = await self._until(job_id, stage)
        began = time.monotonic()
        fault = Fault(0.0, target, blow, FROZEN_SECONDS if blow == "STOP" else 0.0)
        striking = asyncio.create_task(self._hit(fault, job_id, stage))
        going_on = asyncio.create_task(self._advance(job_id, before))
        if not await striking:
            going_on.cancel()
            await self._end(job_id)
            return Cell(target, blow, stage, hit=False)
        stood = await going_on - began
        job = await self._end(job_id)
        wrong = []
        if job.status != "completed":
            wrong.append(f"{job.status}: {job.error_message}")
        elif await self._film(job) != self._frames:
            wrong.append("the film is another one than without the fault")
        again = self._begun_again(job_id)
        if again > _SLOTS + (target == "s3"):  # where files travel, a worker has one segment more in its hands
            wrong.append(f"{again} segments were encoded again")
        if target == "worker" and blow == "KILL" and stood > WORKER_GONE_SECONDS:
            wrong.append(f"the job stood still for {stood:.1f} s")
        return Cell(target, blow, stage, hit=True, seconds=stood, again=again, wrong=tuple(wrong))

    async def _hit(self, fault: Fault, job_id: str, stage: StageName) -> bool:
        """Hits as soon as there is somebody to hit, for as long as the stage lasts."""
        while not await self._stack.strike(fault, self._chance):
            job = await self._look(job_id)
            if job is not None and (job.stage != stage or job.status in TERMINAL):
                return False
            await asyncio.sleep(_POLL_SECONDS)
        return True

    async def _forget(self) -> None:
        """Empties the store: nothing of the last film is found again."""
        if self._stack.s3 is None:
            for folder in ("records", "blobs", "jobs"):
                shutil.rmtree(self._stack.data / "store" / folder, ignore_errors=True)
            return
        store = S3Store(
            "media",
            prefix="chaos",
            client_options={"allow_http": True},
            endpoint=self._stack.s3_endpoint,
            access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region="us-east-1",
        )
        for page in obstore.list(store):
            await obstore.delete_async(store, [str(one["path"]) for one in page])

    async def _create(self) -> str:
        while True:
            with contextlib.suppress(httpx.HTTPError):
                answer = await self._http.post("/api/jobs", json=request())
                if answer.status_code == 202:
                    return str(answer.json()["jobId"])
            await asyncio.sleep(_POLL_SECONDS)

    async def _look(self, job_id: str) -> JobStatus | None:
        with contextlib.suppress(httpx.HTTPError, ValueError):
            answer = await self._http.get(f"/api/jobs/{job_id}")
            if answer.status_code == 200:
                return JobStatus.model_validate(answer.json())
        return None

    async def _until(self, job_id: str, stage: StageName) -> float:
        """Waits for a stage; the progress then."""
        names = [policy.name for policy in STAGES]
        async with asyncio.timeout(_END_SECONDS):
            while True:
                job = await self._look(job_id)
                if job is not None and job.stage in names and names.index(job.stage) >= names.index(stage):
                    return job.progress
                await asyncio.sleep(_POLL_SECONDS)

    async def _advance(self, job_id: str, before: float) -> float:
        """When the job is seen to have got further than it was."""
        async with asyncio.timeout(_END_SECONDS):
            while True:
                job = await self._look(job_id)
                if job is not None and (job.progress > before or job.status in TERMINAL):
                    return time.monotonic()
                await asyncio.sleep(_POLL_SECONDS)

    async def _end(self, job_id: str) -> JobStatus:
        """The job at its end."""
        async with asyncio.timeout(_END_SECONDS):
            while True:
                job = await self._look(job_id)
                if job is not None and job.status in TERMINAL:
                    return job
                await asyncio.sleep(_POLL_SECONDS)

    def _begun_again(self, job_id: str) -> int:
        """How often a segment was encoded that had been encoded before, as the workers logged it."""
        begun = [
            line["segment"]
            for log in (self._stack.data / "logs").glob("worker*.log")
            for line in map(json.loads, filter(_is_json, log.read_text().splitlines()))
            if line.get("job") == job_id and line["event"] == "segment is encoded"
        ]
        return len(begun) - len(set(begun))

    async def _film(self, job: JobStatus) -> str:
        """A digest of every decoded frame."""
        if job.output is None:
            return ""
        data = (await self._http.get(job.output.path, follow_redirects=True)).content
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "film.mp4"
            path.write_bytes(data)
            arguments = ["-v", "error", "-i", str(path), "-map", "0", "-f", "md5", "pipe:1"]
            done = await runner.run(arguments, stall_seconds=60, read_stdout=True)
        return done.stdout.decode().strip()


def _is_json(line: str) -> bool:
    return line.startswith("{")


def table(cells: Iterable[Cell]) -> str:
    """The matrix as Markdown: seconds until the job goes on, and in brackets how many segments were encoded again."""
    stages = [policy.name for policy in STAGES]
    rows: dict[tuple[Target, Blow], dict[StageName, Cell]] = {}
    for cell in cells:
        rows.setdefault((cell.target, cell.blow), {})[cell.stage] = cell
    lines = [f"| | {' | '.join(stages)} |", f"|{' --- |' * (len(stages) + 1)}"]
    for (target, blow), row in rows.items():
        lines.append(f"| {target} SIG{blow} | {' | '.join(str(row.get(stage, '')) for stage in stages)} |")
    return "\n".join(lines)


async def main() -> int:
    """The whole matrix, or a part of it; 1 where something did not hold."""
    parser = argparse.ArgumentParser(prog="python -m scripts.faults")
    parser.add_argument("--target", choices=TARGETS, action="append", help="only this one; may be given again")
    parser.add_argument("--blow", choices=BLOWS, action="append")
    chosen = parser.parse_args()
    cells: list[Cell] = []
    with tempfile.TemporaryDirectory(prefix="picturelock-faults-") as folder:
        for on_s3 in (False, True):
            targets = [one for one in chosen.target or TARGETS if (one == "s3") == on_s3]
            if not targets:
                continue
            data = Path(folder).resolve() / ("s3" if on_s3 else "files")
            async with (
                standing(data, workers=1, on_s3=on_s3) as stack,
                httpx.AsyncClient(base_url=stack.api, timeout=30) as http,
            ):
                bench = Bench(stack, http)
                await bench.measure()
                for target in targets:
                    for blow in chosen.blow or BLOWS:
                        for policy in STAGES:
                            cells.append(await bench.strike(target, blow, policy.name))
                            print(cells[-1], *cells[-1].wrong, target, blow, policy.name, file=sys.stderr, flush=True)
    print(table(cells))
    return 1 if any(cell.wrong for cell in cells) else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
