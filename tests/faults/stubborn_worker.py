"""A worker one of whose activities never ends, whatever is asked of it: started as a process by a test."""

import asyncio
import contextlib
import sys

from temporalio import activity

import worker
from picturelock.jobs.stages import EXPORTS_QUEUE
from picturelock.temporal.contracts import WRITE_SCRIPT, ScriptTask, WrittenScript


@activity.defn(name=WRITE_SCRIPT.name)
async def write_script(_task: ScriptTask) -> WrittenScript:
    """Beats, and ends for nobody."""
    print("begun", flush=True)  # noqa: T201 - the test waits for it
    while True:
        with contextlib.suppress(asyncio.CancelledError):
            activity.heartbeat()
            await asyncio.sleep(0.1)


others = worker.ACTIVITIES[EXPORTS_QUEUE][1:]
worker.ACTIVITIES = {**worker.ACTIVITIES, EXPORTS_QUEUE: (write_script, *others)}  # type: ignore[misc]
sys.exit(worker.main(["--role", "orchestrate"]))
