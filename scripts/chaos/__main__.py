"""`python -m scripts.chaos --seeds 20 --rounds 5`: prints a line a round, and what did not hold."""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Final

import httpx

from picturelock.models import TERMINAL
from scripts.chaos.job import ChaoticJob
from scripts.chaos.plan import Round, plan_round, uses_s3, workers
from scripts.chaos.stack import Stack, standing

SLOWEST_END: Final = 25.0
_LEFT_SECONDS: Final = 15.0


async def play(stack: Stack, planned: Round) -> tuple[list[str], list[ChaoticJob]]:
    """One round; what did not hold, and its jobs."""
    limits = httpx.Limits(max_connections=50)
    async with httpx.AsyncClient(base_url=stack.api, timeout=30, limits=limits) as http:
        over = asyncio.Event()
        jobs = [ChaoticJob(one, http) for one in planned.jobs]
        running = [asyncio.create_task(job.run(over)) for job in jobs]
        chance, began = random.Random(planned.name), time.monotonic()  # noqa: S311 - no secret

        async def strike(number: int) -> None:
            fault = planned.faults[number]
            await asyncio.sleep(max(0.0, fault.at - (time.monotonic() - began)))
            await stack.strike(fault, chance)

        await asyncio.gather(*(strike(number) for number in range(len(planned.faults))))
        over.set()
        found = [one for broken in await asyncio.gather(*running) for one in broken]
    return [*found, *await _nothing_left(stack, planned.name)], jobs


async def _nothing_left(stack: Stack, name: str) -> list[str]:
    """What is still there of work that nobody wants any more, after a while."""
    deadline = time.monotonic() + _LEFT_SECONDS
    while (left := stack.left_over()) and time.monotonic() < deadline:
        await asyncio.sleep(0.2)
    return [f"{name}: left behind: {one}" for one in left]


async def play_seed(seed: int, rounds: list[int], folder: Path) -> tuple[int, int, float]:
    """Some rounds of a seed on one stack; runs, violations, and the slowest end."""
    runs, broken, slowest = 0, 0, 0.0
    async with standing(folder, workers=workers(seed), on_s3=uses_s3(seed)) as stack:
        for number in rounds:
            began = time.monotonic()
            found, jobs = await play(stack, plan_round(seed, number))
            ends = Counter(job.seen.polls[-1].status for job in jobs if job.seen.polls)
            slowest = max([slowest, *(job.took for job in jobs)])
            runs, broken = runs + len(jobs), broken + len(found)
            line = {
                "round": f"{seed}.{number}",
                "seconds": round(time.monotonic() - began, 1),
                "ends": {status: count for status, count in ends.items() if status in TERMINAL},
                "slowestEnd": round(max(job.took for job in jobs), 1),
                "slowestGet": round(max(job.slowest for job in jobs), 2),
                "polls": sum(len(job.seen.polls) for job in jobs),
                "told": sum(len(told) for job in jobs for told in job.seen.viewers),
            }
            print(json.dumps(line), flush=True)
            for one in found:
                print(f"VIOLATION {one}", flush=True)
        complaints = stack.complaints()
        for one in complaints:
            print(f"VIOLATION {seed}: {one}", flush=True)
        print(json.dumps({"seed": seed, "signals": stack.sent}), flush=True)
    return runs, broken + len(complaints), slowest


async def main() -> int:
    """All rounds that are asked for; 1 where something did not hold."""
    parser = argparse.ArgumentParser(prog="python -m scripts.chaos")
    parser.add_argument("--seeds", type=int, default=20, help="how many seeds")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of three jobs for each")
    parser.add_argument("--only", help="one round: SEED.NUMBER")
    parser.add_argument("--keep", type=Path, help="a folder for the stacks' data and logs")
    chosen = parser.parse_args()
    rounds = {seed: list(range(chosen.rounds)) for seed in range(chosen.first, chosen.first + chosen.seeds)}
    if chosen.only:
        seed, number = chosen.only.split(".")
        rounds = {int(seed): [int(number)]}
    runs, broken, slowest = 0, 0, 0.0
    with tempfile.TemporaryDirectory(prefix="picturelock-chaos-") as temporary:
        for seed, numbers in rounds.items():
            folder = (chosen.keep or Path(temporary)) / str(seed)
            one = await play_seed(seed, numbers, folder.resolve())
            runs, broken, slowest = runs + one[0], broken + one[1], max(slowest, one[2])
    print(f"{runs} runs over {len(rounds)} seeds: {broken} violations; slowest end after the faults {slowest:.1f} s")
    return 1 if broken or slowest > SLOWEST_END else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
