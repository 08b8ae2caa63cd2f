"""Errands of the workflow about its own work: hold it, release it, look how far it is."""

import asyncio

from temporalio import activity

from activities.contracts import Fractions, Held
from activities.decorators import noted
from picturelock.jobs.stages import HEARTBEAT_SECONDS
from picturelock.temporal import activity_pause
from picturelock.temporal.names import HOLD_WORK, NOTE_PROGRESS, RELEASE_WORK


@activity.defn(name=HOLD_WORK)
@noted
async def hold_work() -> Held:
    """Holds back what is scheduled, as often as something is, until nothing runs any more.

    An attempt that fails meanwhile is scheduled again, and held. A server that cannot hold is told of at once: then the
    workflow takes back what waits.
    """
    job_id, run_id = _own_run()
    holder = (activity.info().activity_id, activity.info().attempt)
    while True:
        hold = await activity_pause.hold(activity.client(), job_id, run_id, holder)
        if hold.quiet or hold.unheld:
            return Held(unheld=hold.unheld)
        activity.heartbeat()
        await asyncio.sleep(HEARTBEAT_SECONDS)


@activity.defn(name=RELEASE_WORK)
@noted
async def release_work() -> None:
    """Lets go what was held."""
    await activity_pause.release(activity.client(), *_own_run())


@activity.defn(name=NOTE_PROGRESS)
@noted
async def note_progress() -> Fractions:
    """How far the running activities are, just before they are given up."""
    return Fractions(fractions=await activity_pause.fractions(activity.client(), *_own_run()))


def _own_run() -> tuple[str, str]:
    info = activity.info()
    return info.workflow_id or "", info.workflow_run_id or ""
