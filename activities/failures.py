"""What went wrong, in the form in which Temporal carries it, and whether it is tried again."""

import asyncio
import errno
from datetime import timedelta
from typing import Final

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.contracts import GIVEN_UP
from activities.heartbeat import Pulse
from picturelock.errors import DiskFull, InternalError, PicturelockError, RenderFailed, WorkerLost
from picturelock.jobs.stages import OUTAGE_ATTEMPTS, OUTAGE_PAUSE_SECONDS
from picturelock.models import StageName

_MESSAGE_BYTES: Final = 400
_DETAIL_BYTES: Final = 1_200

_REPEATED_FAILURE: Final = 2
"""An exit code that comes again on a second attempt will come on a fifth."""

log = structlog.get_logger()


def failure_of(error: BaseException, stage: StageName, pulse: Pulse) -> BaseException:
    """What an activity raises for what its work has raised."""
    match error:
        case PicturelockError():
            log.warning("activity failed", stage=stage, code=error.code, reason=error.message, detail=error.detail)
            return as_failure(error, stage, pulse)
        case OSError():
            full = error.errno == errno.ENOSPC
            known = DiskFull("the worker's disk is full") if full else None
            told = known or InternalError(f"{type(error).__name__}: {error.strerror}")
            log.warning("activity failed", stage=stage, code=told.code, reason=str(error))
            return as_failure(told, stage, pulse, retryable=True)
        case asyncio.CancelledError():
            return _given_up(pulse) if _is_cancelled_for_good() else error
        case ApplicationError():
            return error
    log.error("activity failed unexpectedly", stage=stage, exc_info=error)
    return as_failure(InternalError(f"{type(error).__name__}: {error}"), stage, pulse)


def as_failure(
    error: PicturelockError, stage: StageName, pulse: Pulse, *, retryable: bool | None = None
) -> ApplicationError:
    """An error of the domain as Temporal carries it: its code as the type, and what went wrong and how far it was.

    Whether it is tried again is decided here: Temporal's own count knows nothing of outages. Failures are kept small;
    a server replaces one that is too large by a sentence of its own (4 KiB).
    """
    again = error.retryable if retryable is None else retryable
    pause = None
    if again and error.outage:
        again = pulse.state.waited + 1 < OUTAGE_ATTEMPTS
        pause = timedelta(seconds=min(OUTAGE_PAUSE_SECONDS, 2.0**pulse.state.waited))
    else:
        again = again and pulse.spent < pulse.policy.retries.attempts
        if isinstance(error, RenderFailed) and "exit code" in error.message and pulse.spent >= _REPEATED_FAILURE:
            again = False
    if again:
        pulse.note_failure(error.message, outage=error.outage)
    told = error.describe(stage, activity.info().attempt)
    told = told.model_copy(
        update={
            "message": _shortened(told.message, _MESSAGE_BYTES),
            "detail": _shortened(told.detail, _DETAIL_BYTES, end=True) if told.detail else None,
        }
    )
    state = pulse.state.model_copy(update={"failures": []})  # the next attempt has them from the heartbeat
    return ApplicationError(told.message, told, state, type=error.code, non_retryable=not again, next_retry_delay=pause)


def _shortened(text: str, size: int, *, end: bool = False) -> str:
    """A text of so many bytes at the most: its beginning, or its end."""
    data = text.encode()
    if len(data) <= size:
        return text
    kept = data[-size:] if end else data[:size]
    inner = kept.decode(errors="ignore")
    return f"…{inner}" if end else f"{inner}…"


def worn_out(pulse: Pulse) -> PicturelockError:
    """The error of work all of whose attempts were begun and never ended."""
    attempts = pulse.policy.retries.attempts
    return WorkerLost(f"{attempts} attempts ended without an answer: their workers were gone, or ran out of time")


def _is_cancelled_for_good() -> bool:
    """Whether this activity was cancelled for good, and not because its worker stops or it is to be done anew."""
    details = activity.cancellation_details() if activity.in_activity() else None
    return details is not None and details.cancel_requested


def _given_up(pulse: Pulse) -> ApplicationError:
    """The last word of work that was cancelled: how far it was. Temporal's own kind of cancellation carries nothing."""
    return ApplicationError(
        "given up",
        None,
        pulse.state,
        type=GIVEN_UP,
        non_retryable=True,
        category=ApplicationErrorCategory.BENIGN,
    )
