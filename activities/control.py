"""What the workflow does about its own activities: pause them, unpause them, read how far they are."""

import asyncio

from temporalio import activity

from activities.decorators import control_activity
from picturelock.jobs.stages import HEARTBEAT_SECONDS
from picturelock.temporal import activity_pause
from picturelock.temporal.contracts import (
    PAUSE_ACTIVITIES,
    READ_FRACTIONS,
    UNPAUSE_ACTIVITIES,
    Fractions,
    NoTask,
    PauseOutcome,
)


@control_activity(PAUSE_ACTIVITIES)
async def pause_activities(_task: NoTask) -> PauseOutcome:
    """Pauses what is scheduled, as often as something is, until nothing runs any more.

    An attempt that fails meanwhile is scheduled again, and paused. A server that cannot pause activities is reported
    at once: then the workflow cancels what waits and schedules it again after the pause.
    """
    job_id, run_id = _own_run()
    pausing = (activity.info().activity_id, activity.info().attempt)
    while True:
        result = await activity_pause.pause(activity.client(), job_id, run_id, pausing)
        if result.quiet or result.not_paused:
            return PauseOutcome(not_paused=result.not_paused)
        activity.heartbeat()
        await asyncio.sleep(HEARTBEAT_SECONDS)


@control_activity(UNPAUSE_ACTIVITIES)
async def unpause_activities(_task: NoTask) -> None:
    """Unpauses what was paused."""
    await activity_pause.unpause(activity.client(), *_own_run())


@control_activity(READ_FRACTIONS)
async def read_fractions(_task: NoTask) -> Fractions:
    """How far the running activities are, just before they are cancelled."""
    return Fractions(fractions=await activity_pause.fractions(activity.client(), *_own_run()))


def _own_run() -> tuple[str, str]:
    info = activity.info()
    return info.workflow_id or "", info.workflow_run_id or ""
