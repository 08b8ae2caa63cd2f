"""Cancels at random moments (`python -m scripts.chaos.cancels`): no slot, workspace or process may be lost.

With `--by-stage` the moments are spread over the stages: each job is cancelled a moment after it has reached the one
that was drawn for it.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any, Final

import httpx

from picturelock.jobs.stages import STAGES
from picturelock.models import TERMINAL, JobStatus
from scripts.chaos.stack import Stack, standing

_AT_ONCE: Final = 8
_LONGEST_SECONDS: Final = 4.0
_WITHIN_STAGE_SECONDS: Final = 1.0
_LEFT_SECONDS: Final = 20.0
_END_SECONDS: Final = 300.0


def request(scenes: int) -> dict[str, Any]:
    """Titled scenes at 1080p: there is ffmpeg in every stage but the first."""
    word = uuid.uuid4().hex[:6]
    said = [
        {
            "title": f"A title {word} that is rather long, number {n}",
            "narration": f"Scene {n} says {word}, and no more.",
        }
        for n in range(scenes)
    ]
    return {"script": {"title": word, "scenes": said}, "video": {"preset": "youtube-1080p"}}


async def cancel_one(http: httpx.AsyncClient, scenes: int, wait: float, after: str | None) -> tuple[str, str]:
    """A job that is cancelled a while after it has reached a stage: the stage that it was in, and how it ended."""
    job_id = (await http.post("/api/jobs", json=request(scenes))).raise_for_status().json()["jobId"]
    if after is not None:
        await reached(http, job_id, after)
    await asyncio.sleep(wait)
    stage = str((await http.post(f"/api/jobs/{job_id}/cancel")).json().get("stage", "complete"))
    return stage, (await ended(http, job_id)).status


async def reached(http: httpx.AsyncClient, job_id: str, stage: str) -> None:
    """Waits until a job is in a stage, or beyond it."""
    names: list[str] = [policy.name for policy in STAGES]
    async with asyncio.timeout(_END_SECONDS):
        while True:
            job = JobStatus.model_validate((await http.get(f"/api/jobs/{job_id}")).json())
            if job.status in TERMINAL or (job.stage in names and names.index(job.stage) >= names.index(stage)):
                return
            await asyncio.sleep(0.1)


async def ended(http: httpx.AsyncClient, job_id: str) -> JobStatus:
    """A job at its end."""
    async with asyncio.timeout(_END_SECONDS):
        while True:
            job = JobStatus.model_validate((await http.get(f"/api/jobs/{job_id}")).json())
            if job.status in TERMINAL:
                return job
            await asyncio.sleep(0.1)


async def nothing_left(stack: Stack) -> tuple[list[str], float]:
    """What is left when nothing should be, and how long it took to go."""
    began = time.monotonic()
    while (left := stack.left_over()) and time.monotonic() - began < _LEFT_SECONDS:
        await asyncio.sleep(0.1)
    return left, time.monotonic() - began


async def main() -> int:
    """Cancels, looks what is left, and has a film made with every slot that there was."""
    parser = argparse.ArgumentParser(prog="python -m scripts.chaos.cancels")
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scenes", type=int, default=8)
    parser.add_argument("--by-stage", action="store_true", help="spread the cancels over the stages")
    chosen = parser.parse_args()
    chance = random.Random(chosen.seed)  # noqa: S311 - moments, no secret
    with tempfile.TemporaryDirectory(prefix="picturelock-cancels-") as folder:
        async with (
            standing(Path(folder).resolve(), workers=1, on_s3=False) as stack,
            httpx.AsyncClient(base_url=stack.api, timeout=60) as http,
        ):
            worker, slots = stack.pids["worker"], asyncio.Semaphore(_AT_ONCE)

            async def one() -> tuple[str, str]:
                async with slots:
                    stage = chance.choice(STAGES).name if chosen.by_stage else None
                    wait = chance.uniform(0.0, _WITHIN_STAGE_SECONDS if stage else _LONGEST_SECONDS)
                    return await cancel_one(http, chosen.scenes, wait, stage)

            done = await asyncio.gather(*(one() for _ in range(chosen.count)))
            left, took = await nothing_left(stack)
            began = time.monotonic()
            film = await ended(http, (await http.post("/api/jobs", json=request(chosen.scenes))).json()["jobId"])
            print(f"{len(done)} cancels: {dict(Counter(done))}")
            print(f"left after {took:.1f} s: {left or 'nothing'}")
            print(f"a film of {chosen.scenes} scenes afterwards: {film.status} in {time.monotonic() - began:.1f} s")
            wrong = [*left, *stack.complaints()]
            if worker != stack.pids["worker"]:
                wrong.append("the worker had to be started again")
            if film.status != "completed":
                wrong.append(f"the film afterwards: {film.error_message}")
            print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
