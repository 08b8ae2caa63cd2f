"""How work that is no longer wanted is cancelled."""

import asyncio
from collections.abc import Collection
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from picturelock.jobs.stages import CANCEL_GRACE_SECONDS


async def cancel_and_wait(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancels tasks and waits a moment for them; a worker that is gone is not waited for."""
    for task in tasks:
        task.cancel()
    await wait_for_end(tasks, CANCEL_GRACE_SECONDS)


async def wait_for_end(tasks: Collection[asyncio.Task[Any]], seconds: float | None = None) -> None:
    """Waits for cancelled tasks, for so many seconds at the most. What they raise is of no interest."""
    done, _ = await workflow.wait(tasks, timeout=seconds)
    for task in done:
        if not task.cancelled():
            task.exception()
