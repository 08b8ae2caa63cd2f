"""What every activity has around it: its contract, heartbeats, a stall watchdog, errors in the form Temporal carries.

Heartbeats are sent beside the work; whichever fails ends the other, and nothing that was started is left.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar, cast

import structlog
from temporalio import activity

from activities.failures import attempts_used_up, encode_error, failure_of
from activities.heartbeat import HeartbeatReporter
from picturelock.concurrency import race
from picturelock.jobs.stages import BY_NAME
from picturelock.models import CachedResult
from picturelock.temporal.contracts import Activity

Task = TypeVar("Task")
Result = TypeVar("Result")
Work = Callable[[Task, HeartbeatReporter], Awaitable[Result]]
log = structlog.get_logger()

END_SECONDS: Final = 5.0
"""How long work that is cancelled has to end. An ffmpeg that ignores all signals but the last takes two."""

_LEFT_BEHIND: set[asyncio.Future[Any]] = set()
"""Work that did not end in time; kept, so that whatever it still does is not lost with it."""


def stage_activity(
    contract: Activity[Task, Result],
) -> Callable[[Work[Task, Result]], Callable[[Task], Awaitable[Result]]]:
    """Turns `async def work(task, heartbeat)` into the activity of a contract that belongs to a stage.

    Example:
        >>> from picturelock.temporal.contracts import MASTER_SOUND, SoundTask
        >>> @stage_activity(MASTER_SOUND)
        ... async def master(task: SoundTask, heartbeat: HeartbeatReporter) -> Sound: ...
    """
    stage = contract.stage
    if stage is None:
        raise TypeError(f"{contract.name} belongs to no stage; it is a control activity")

    def decorate(work: Work[Task, Result]) -> Callable[[Task], Awaitable[Result]]:
        async def run(task: Task) -> Result:
            heartbeat = HeartbeatReporter(BY_NAME[stage])
            if heartbeat.spent > heartbeat.policy.retries.attempts:
                raise encode_error(attempts_used_up(heartbeat), stage, heartbeat, retryable=False)
            try:
                result = await _with_heartbeat(heartbeat, work(task, heartbeat))
            except (Exception, asyncio.CancelledError) as error:
                failure = failure_of(error, stage, heartbeat)
                if failure is error:
                    raise
                raise failure from None  # with its cause it would be too large for a server to show
            if isinstance(result, CachedResult):
                update = {"attempt": activity.info().attempt, "failures": heartbeat.state.failures}
                return result.model_copy(update=update)
            return result

        return _defined(contract, work.__name__, run)

    return decorate


def control_activity(
    contract: Activity[Task, Result],
) -> Callable[[Callable[[Task], Awaitable[Result]]], Callable[[Task], Awaitable[Result]]]:
    """The activity of a contract beside the stages. It is tried again without end, so its failures are logged."""

    def decorate(work: Callable[[Task], Awaitable[Result]]) -> Callable[[Task], Awaitable[Result]]:
        @functools.wraps(work)
        async def run(task: Task) -> Result:
            try:
                return await work(task)
            except Exception as error:
                log.warning("control activity failed", name=contract.name, reason=str(error))
                raise

        return _defined(contract, work.__name__, run)

    return decorate


def _defined(
    contract: Activity[Task, Result], name: str, run: Callable[[Task], Awaitable[Result]]
) -> Callable[[Task], Awaitable[Result]]:
    """Temporal reads the types of task and result from the annotations: they are the contract's."""
    run.__name__ = run.__qualname__ = name
    run.__annotations__ = {"task": contract.task, "return": contract.result}
    run.__dict__.pop("__wrapped__", None)
    return activity.defn(name=contract.name)(run)


async def _with_heartbeat(heartbeat: HeartbeatReporter, work: Awaitable[Result]) -> Result:
    """Awaits the work with its heartbeats beside it, which end only by a failure: work that stands still.

    Work that does not end within `END_SECONDS` is left behind: a slot must not be lost with it.
    """

    def leave_behind(task: asyncio.Future[Any]) -> None:
        step, message = heartbeat.policy.name, heartbeat.state.message
        log.error("work that was cancelled does not end", stage=step, message=message)
        _LEFT_BEHIND.add(task)
        task.add_done_callback(_LEFT_BEHIND.discard)

    return cast("Result", await race(work, heartbeat.send(), end_seconds=END_SECONDS, on_late=leave_behind))
