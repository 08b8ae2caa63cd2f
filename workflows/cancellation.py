"""How work that is no longer wanted comes to its end."""

import asyncio
from collections.abc import Collection
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from picturelock.jobs.stages import CANCEL_GRACE_SECONDS


async def give_up(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancels tasks and waits a moment for them; a worker that is gone is not waited for."""
    for task in tasks:
        task.cancel()
    await settle(tasks, CANCEL_GRACE_SECONDS)


async def settle(tasks: Collection[asyncio.Task[Any]], seconds: float | None = None) -> None:
    """Waits for tasks that were given up, for so long at the most. Why they end is known."""
    done, _ = await workflow.wait(tasks, timeout=seconds)
    for task in done:
        if not task.cancelled():
            task.exception()
