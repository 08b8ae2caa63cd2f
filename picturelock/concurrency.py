"""Several things at once, with the failure of one as it is: no group around it, and nothing left running.

>>> async def double(number: int) -> int:
...     return 2 * number
>>> asyncio.run(gather_limited(double(1), double(2), limit=1))
[2, 4]
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from weakref import WeakKeyDictionary, WeakValueDictionary

Result = TypeVar("Result")


@asynccontextmanager
async def task_group() -> AsyncIterator[asyncio.TaskGroup]:
    """A `TaskGroup` whose first failure is raised itself, not wrapped in an exception group."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as failures:
        error: BaseException = failures
        while isinstance(error, BaseExceptionGroup):  # a group inside a group
            error = error.exceptions[0]
        raise error from None


async def gather_limited(*work: Coroutine[Any, Any, Result], limit: int) -> list[Result]:
    """The results in order, `limit` at once. The first failure ends the others, which are waited for, and is raised."""
    slots = asyncio.Semaphore(limit)

    async def in_turn(coroutine: Coroutine[Any, Any, Result]) -> Result:
        try:
            async with slots:
                return await coroutine
        finally:
            coroutine.close()  # one that was ended before its turn has never been awaited

    async with task_group() as group:
        tasks = [group.create_task(in_turn(coroutine)) for coroutine in work]
    return [task.result() for task in tasks]


async def race(
    work: Awaitable[Result],
    other: Awaitable[object],
    *,
    end_seconds: float | None = None,
    on_late: Callable[[asyncio.Future[Any]], None] = lambda _: None,
) -> Result | None:
    """Returns the work's result, or None if `other` ends first; re-raises what the first to end has raised.

    The other one is cancelled and awaited, for at most `end_seconds`; if it still runs, it is handed to `on_late`.
    """
    main, beside = asyncio.ensure_future(work), asyncio.ensure_future(other)
    try:
        await asyncio.wait({main, beside}, return_when=asyncio.FIRST_COMPLETED)
        if main.done():
            return main.result()
        beside.result()
        return None
    finally:
        main.cancel()
        beside.cancel()
        ended, late = await asyncio.wait({main, beside}, timeout=end_seconds)
        for task in ended:
            if not task.cancelled():
                task.exception()  # it is raised above, or of no interest any more
        for task in late:
            on_late(task)


class Turns:
    """So many at once, in each event loop: whoever comes when all are taken waits.

    >>> async def one(turns: Turns) -> int:
    ...     async with turns.turn():
    ...         return 1
    >>> asyncio.run(one(Turns(2)))
    1
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()

    def turn(self) -> asyncio.Semaphore:
        """What is held for as long as a turn lasts."""
        return self._loops.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(self._limit))


class KeyedTurns:
    """One at a time for each key, in each event loop: what two would make, one makes and the other finds.

    Who has waited for `patience` seconds goes on all the same: making a thing twice is harmless, standing still is not.

    >>> async def one(turns: KeyedTurns) -> int:
    ...     async with turns.turn("a"):
    ...         return 1
    >>> asyncio.run(one(KeyedTurns(15.0)))
    1
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, WeakValueDictionary[str, asyncio.Lock]] = (
            WeakKeyDictionary()
        )

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncIterator[None]:
        """A turn, for as long as the block runs."""
        locks = self._loops.setdefault(asyncio.get_running_loop(), WeakValueDictionary())
        lock = locks.setdefault(key, asyncio.Lock())
        try:
            async with asyncio.timeout(self._patience):
                await lock.acquire()
        except TimeoutError:
            yield
            return
        try:
            yield
        finally:
            lock.release()
