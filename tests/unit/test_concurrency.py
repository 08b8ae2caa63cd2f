"""Several things at once: so many and no more, and the first failure is the one that is told."""

import asyncio
import contextlib
import gc
import warnings
from typing import Any

import pytest

from picturelock.concurrency import gather_limited, race


async def test_no_more_at_once_than_asked_for_and_in_order() -> None:
    running, most = 0, 0

    async def work(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return number

    assert await gather_limited(*map(work, range(9)), limit=3) == list(range(9))
    assert most == 3


async def test_a_failure_ends_what_runs_and_what_waits() -> None:
    begun: list[int] = []

    async def work(number: int) -> None:
        begun.append(number)
        if number == 1:
            raise KeyError(number)
        await asyncio.Event().wait()

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with pytest.raises(KeyError):
            await gather_limited(*map(work, range(5)), limit=2)
        gc.collect()
    assert not [str(one.message) for one in warned if "never awaited" in str(one.message)]
    assert begun[:2] == [0, 1]
    assert not {3, 4} & set(begun)  # the turn that the failure gave up may still have been taken


async def test_a_race_is_won_by_whoever_ends_first_and_the_other_is_ended() -> None:
    ended: list[str] = []

    async def last(name: str) -> int:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(name)
        return 0

    async def answer() -> int:
        return 42

    async def fail() -> None:
        await asyncio.sleep(0)
        raise KeyError("other")

    assert await race(answer(), last("other")) == 42
    assert await race(last("work"), answer()) is None
    with pytest.raises(KeyError, match="other"):
        await race(last("work again"), fail())
    assert ended == ["other", "work", "work again"]


async def test_what_does_not_end_is_handed_over() -> None:
    release = asyncio.Event()

    async def stubborn() -> int:
        while not release.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await release.wait()
        return 0

    late: list[asyncio.Future[Any]] = []
    assert await race(stubborn(), asyncio.sleep(0), end_seconds=0.01, on_late=late.append) is None
    assert [task.done() for task in late] == [False]
    release.set()
    await late[0]
