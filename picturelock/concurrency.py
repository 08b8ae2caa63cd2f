"""Several things at once, with the failure of one as it is: no group around it, and nothing left running."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


async def together(*work: Coroutine[Any, Any, Result], at_once: int) -> list[Result]:
    """The results in order. The first failure ends the others, which are waited for, and is raised."""
    slots = asyncio.Semaphore(at_once)

    async def in_turn(one: Coroutine[Any, Any, Result]) -> Result:
        try:
            async with slots:
                return await one
        finally:
            one.close()  # one that was ended before its turn has never been awaited

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(in_turn(one)) for one in work]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
