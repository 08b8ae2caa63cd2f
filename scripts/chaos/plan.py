"""What is done in a round, and when: a function of seed and number alone."""

import random
from dataclasses import dataclass
from typing import Final, Literal

Action = Literal["cancel", "pause", "resume", "retry", "reconnect"]
Target = Literal["api", "worker", "temporal", "ffmpeg", "s3"]
Blow = Literal["KILL", "STOP", "TERM"]

JOBS: Final = 3
_SPREAD_SECONDS: Final = 12.0
_FREEZE_SECONDS: Final = (0.3, 4.0)
_NARRATIONS: Final = (
    "Twice a day the sea breathes in, and twice it breathes out again.",
    "The moon pulls at the water, and the water follows as well as it can.",
    "Between the two lies a strip of land that belongs to neither of them.",
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks of a job, so many seconds after it was accepted."""

    at: float
    action: Action
    once_ended: bool = False
    """Asked when the job has ended, however long that takes: a retry of an open one is refused."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A signal to a process of the stack. What is stopped goes on after so many seconds."""

    at: float
    target: Target
    blow: Blow
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class JobPlan:
    """One job: its words, which no cache has, and what is asked of it."""

    title: str
    narrations: tuple[str, ...]
    wishes: tuple[Wish, ...]


@dataclass(frozen=True, slots=True)
class Round:
    """Three jobs and the faults that they meet."""

    name: str
    jobs: tuple[JobPlan, ...]
    faults: tuple[Fault, ...]


def uses_s3(seed: int) -> bool:
    """Whether a seed's stack keeps its files on an S3 server: every fourth does."""
    return seed % 4 == 0


def workers(seed: int) -> int:
    """How many workers a seed's stack has."""
    return 1 + seed % 2


def plan_round(seed: int, number: int) -> Round:
    """One round of a seed."""
    chance = random.Random(f"{seed}.{number}")  # noqa: S311 - a plan, no secret
    name = f"{seed}.{number}"
    jobs = tuple(_job(chance, f"{name}.{index}") for index in range(JOBS))
    targets: list[Target] = ["api", "worker", "worker", "temporal", "ffmpeg", "ffmpeg"]
    if uses_s3(seed):
        targets += ["s3"] * 4
    faults = sorted((_fault(chance, targets) for _ in range(chance.randint(1, 4))), key=lambda one: one.at)
    return Round(name, jobs, tuple(faults))


def _job(chance: random.Random, name: str) -> JobPlan:
    scenes = chance.randint(1, 3)
    narrations = tuple(f"{chance.choice(_NARRATIONS)} This is take {name}." for _ in range(scenes))
    wishes: list[Wish] = []
    for _ in range(chance.choice([0, 1, 1, 2, 3])):
        action: Action = chance.choice(["cancel", "pause", "pause", "reconnect", "reconnect", "retry"])
        at = chance.uniform(0.0, _SPREAD_SECONDS)
        wishes.append(Wish(at, action))
        if action == "pause":
            wishes.append(Wish(at + chance.uniform(0.0, 3.0), "resume"))
        if action == "cancel" and chance.random() < 0.6:
            again = at + chance.uniform(0.0, 3.0)
            wishes += [Wish(again, "retry")] * chance.choice([1, 2])
    return JobPlan(name, narrations, tuple(sorted(wishes, key=lambda wish: wish.at)))


def _fault(chance: random.Random, targets: list[Target]) -> Fault:
    target = chance.choice(targets)
    blow: Blow = chance.choice(["KILL", "KILL", "STOP", "TERM"])
    seconds = chance.uniform(*_FREEZE_SECONDS) if blow == "STOP" else 0.0
    return Fault(chance.uniform(0.5, _SPREAD_SECONDS), target, blow, seconds)
