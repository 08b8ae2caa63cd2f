"""What every activity has around it: a pulse, a stall watchdog, and errors in the form Temporal carries.

The pulse beats four times a second whether or not the work advances: a cancellation is delivered with a heartbeat,
and silence means that the worker is gone and nothing else. Stalls are judged here, from the last advance.
"""

import asyncio
import errno
import functools
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from picturelock.errors import DiskFull, InternalError, PicturelockError, RenderFailed, RenderStalled
from picturelock.models import Heartbeat, Made, StageName
from picturelock.stages import BY_NAME, HEARTBEAT_SECONDS, StagePolicy

Task = TypeVar("Task")
Result = TypeVar("Result")
log = structlog.get_logger()

_DRAWING = 0.25
"""The share of a segment's work that drawing its frames is; measured about 0.3 at 1080p."""

END_SECONDS = 5.0
"""How long work that is cancelled has to end. An ffmpeg that ignores all signals but the last takes two."""

_LEFT_BEHIND: set[asyncio.Future[Any]] = set()
"""Work that did not end in time; kept, so that whatever it still does is not lost with it."""

_REPEATED_FAILURE = 2
"""An exit code that comes again on a second attempt will come on a fifth."""


class Pulse:
    """How far this attempt is. The work calls `advance`; the pulse tells Temporal."""

    def __init__(self, policy: StagePolicy) -> None:
        self.policy = policy
        self._started = time.monotonic()
        self._advanced = time.monotonic()
        self._raw = 0.0
        self._waiting = False
        last = _last_attempt()
        self.state = Heartbeat(
            fraction=last.fraction if last else 0.0,
            frames_done=last.frames_done if last else None,
            frames_total=last.frames_total if last else None,
            last_advance_at=datetime.now(UTC),
            stall_after_seconds=policy.stall_seconds,
        )

    @property
    def stall_seconds(self) -> float:
        """How long the work may stand still."""
        return self.policy.stall_seconds

    def advance(self, fraction: float, message: str, *, done: int | None = None, total: int | None = None) -> None:
        """Notes how far the work is. Only a change counts as an advance; what viewers see never goes back."""
        fraction = min(1.0, max(self._raw, fraction))
        if fraction == self._raw and message == self.state.message:
            return
        self._raw = fraction
        self._advanced = time.monotonic()
        elapsed = max(1e-3, self._advanced - self._started)
        self.state = self.state.model_copy(
            update={
                "fraction": max(self.state.fraction, fraction),
                "message": message,
                "frames_done": done if done is None else max(done, self.state.frames_done or 0),
                "frames_total": total,
                "speed": round(done / elapsed, 2) if done is not None else None,
                "last_advance_at": datetime.now(UTC),
            }
        )

    def frames(self, total: int, message: str, *, before: int = 0) -> Callable[[int, int], None]:
        """A listener for frames, `before` of which are done: drawing them is a part of the work, encoding the rest."""

        def listen(drawn: int, encoded: int) -> None:
            drawn, encoded = min(before + drawn, total), min(before + encoded, total)
            share = (_DRAWING * drawn + (1 - _DRAWING) * encoded) / total
            if share:
                self.advance(share, message, done=encoded, total=total)

        return listen

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """While the work waits for its turn in this process, it stands still and is not stalled."""
        self._waiting = True
        try:
            yield
        finally:
            self._waiting = False
            self._note_advance()

    def _note_advance(self) -> None:
        self._advanced = time.monotonic()
        self.state = self.state.model_copy(update={"last_advance_at": datetime.now(UTC)})

    async def beat(self) -> None:
        """Heartbeats until cancelled; raises RenderStalled when nothing advanced for too long."""
        while True:
            if self._waiting:
                self._note_advance()
            activity.heartbeat(self.state)
            # ffmpeg has a watchdog of its own with the same threshold; this one is for everything else.
            quiet = time.monotonic() - self._advanced
            if quiet > self.policy.stall_seconds + 2:
                raise RenderStalled(f"{self.state.message or self.policy.name} did not advance for {quiet:.0f} s")
            await asyncio.sleep(HEARTBEAT_SECONDS)


def lively(
    stage: StageName,
) -> Callable[[Callable[[Task, Pulse], Awaitable[Result]]], Callable[[Task], Awaitable[Result]]]:
    """Turns `async def work(task, pulse)` of a stage into an activity function of one argument."""

    def decorate(work: Callable[[Task, Pulse], Awaitable[Result]]) -> Callable[[Task], Awaitable[Result]]:
        @functools.wraps(work)
        async def run(task: Task) -> Result:
            pulse = Pulse(BY_NAME[stage])
            try:
                result = await _beside(pulse, work(task, pulse))
            except PicturelockError as error:
                log.warning("activity failed", stage=stage, code=error.code, reason=error.message, detail=error.detail)
                raise as_failure(error, stage, pulse) from error
            except OSError as error:
                full = error.errno == errno.ENOSPC
                known = (
                    DiskFull("the worker's disk is full")
                    if full
                    else InternalError(f"{type(error).__name__}: {error.strerror}")
                )
                raise as_failure(known, stage, pulse, retryable=True) from error
            except (ApplicationError, asyncio.CancelledError):
                raise
            except Exception as error:
                log.exception("activity failed unexpectedly", stage=stage)
                raise as_failure(InternalError(f"{type(error).__name__}: {error}"), stage, pulse) from error
            if isinstance(result, Made):
                return result.model_copy(update={"attempt": activity.info().attempt})
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
            info = activity.info()
            log.warning(
                "errand failed",
                errand=info.activity_type,
                job=info.workflow_id,
                attempt=info.attempt,
                reason=str(error),
            )
            raise

    return run


def _last_attempt() -> Heartbeat | None:
    """How far an earlier attempt of this activity had told that it was: viewers see no step back."""
    if not activity.in_activity() or not (details := activity.info().heartbeat_details):
        return None
    try:
        return Heartbeat.model_validate(details[0])
    except ValueError:
        return None


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


def as_failure(
    error: PicturelockError, stage: StageName, pulse: Pulse, *, retryable: bool | None = None
) -> ApplicationError:
    """An error of the domain as Temporal carries it: its code as the type, and what went wrong and how far it was."""
    attempt = activity.info().attempt
    again = error.retryable if retryable is None else retryable
    if isinstance(error, RenderFailed) and "exit code" in error.message and attempt >= _REPEATED_FAILURE:
        again = False
    told = error.describe(stage, attempt)
    return ApplicationError(error.message, told, pulse.state, type=error.code, non_retryable=not again)
