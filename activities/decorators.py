"""What every activity has around it: a pulse, a stall watchdog, and errors in the form Temporal carries.

The pulse beats beside the work; whichever fails ends the other, and nothing that was started is left.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import structlog
from temporalio import activity

from activities.failures import as_failure, failure_of, worn_out
from activities.heartbeat import Pulse
from picturelock.jobs.stages import BY_NAME
from picturelock.models import Made, StageName

Task = TypeVar("Task")
Result = TypeVar("Result")
log = structlog.get_logger()

END_SECONDS = 5.0
"""How long work that is cancelled has to end. An ffmpeg that ignores all signals but the last takes two."""

_LEFT_BEHIND: set[asyncio.Future[Any]] = set()
"""Work that did not end in time; kept, so that whatever it still does is not lost with it."""


def lively(
    stage: StageName,
) -> Callable[[Callable[[Task, Pulse], Awaitable[Result]]], Callable[[Task], Awaitable[Result]]]:
    """Turns `async def work(task, pulse)` of a stage into an activity function of one argument."""

    def decorate(work: Callable[[Task, Pulse], Awaitable[Result]]) -> Callable[[Task], Awaitable[Result]]:
        @functools.wraps(work)
        async def run(task: Task) -> Result:
            pulse = Pulse(BY_NAME[stage])
            if pulse.spent > pulse.policy.retries.attempts:
                raise as_failure(worn_out(pulse), stage, pulse, retryable=False)
            try:
                result = await _beside(pulse, work(task, pulse))
            except (Exception, asyncio.CancelledError) as error:
                failure = failure_of(error, stage, pulse)
                if failure is error:
                    raise
                raise failure from None  # with its cause it would be too large for a server to show
            if isinstance(result, Made):
                return result.model_copy(update={"attempt": activity.info().attempt, "failures": pulse.state.failures})
            return result

        # Temporal reads the argument's type from the signature; the pulse is not part of it.
        run.__annotations__ = {k: v for k, v in work.__annotations__.items() if k != "pulse"}
        del run.__wrapped__
        return run

    return decorate


def noted(work: Callable[..., Awaitable[Result]]) -> Callable[..., Awaitable[Result]]:
    """For errands: tried again without end, so their failures have to be in the logs."""

    @functools.wraps(work)
    async def run(*arguments: object) -> Result:
        try:
            return await work(*arguments)
        except Exception as error:
            log.warning("errand failed", errand=activity.info().activity_type, reason=str(error))
            raise

    return run


async def _beside(pulse: Pulse, work: Awaitable[Result]) -> Result:
    """Awaits the work with the pulse beside it. Whichever fails ends the other, and both are waited for.

    Work that does not end within `END_SECONDS` is left behind: a slot must not be lost with it.
    """
    main = asyncio.ensure_future(work)
    beat = asyncio.ensure_future(pulse.beat())
    try:
        await asyncio.wait({main, beat}, return_when=asyncio.FIRST_COMPLETED)
        if not main.done():
            beat.result()
        return await main
    finally:
        main.cancel()
        beat.cancel()
        done, late = await asyncio.wait({main, beat}, timeout=END_SECONDS)
        for ended in done:
            if not ended.cancelled():
                ended.exception()  # it is raised above, or of no interest any more
        if late:
            log.error("work that was cancelled does not end", stage=pulse.policy.name, message=pulse.state.message)
            _LEFT_BEHIND.add(main)
            main.add_done_callback(_LEFT_BEHIND.discard)
