"""What went wrong, in the form in which Temporal carries it, and whether it is tried again."""

import asyncio
import errno
from datetime import timedelta
from typing import Final

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.heartbeat import HeartbeatReporter
from picturelock.errors import DiskFull, InternalError, PicturelockError, RenderFailed, WorkerLost
from picturelock.jobs.stages import OUTAGE_ATTEMPTS, OUTAGE_PAUSE_SECONDS
from picturelock.models import StageName
from picturelock.temporal.failure_codec import encode_cancelled, encode_failure

_MESSAGE_BYTES: Final = 400
_DETAIL_BYTES: Final = 1_200

_SAME_EXIT_ATTEMPTS: Final = 2
"""ffmpeg is deterministic: where it has ended with an exit code in two attempts, three more would end alike."""

log = structlog.get_logger()


def failure_of(error: BaseException, stage: StageName, heartbeat: HeartbeatReporter) -> BaseException:
    """What an activity raises for what its work has raised."""
    match error:
        case PicturelockError():
            log.warning("activity failed", stage=stage, code=error.code, reason=error.message, detail=error.detail)
            return encode_error(error, stage, heartbeat)
        case OSError():
            full = error.errno == errno.ENOSPC
            known = DiskFull("the worker's disk is full") if full else None
            translated = known or InternalError(f"{type(error).__name__}: {error.strerror}")
            log.warning("activity failed", stage=stage, code=translated.code, reason=str(error))
            return encode_error(translated, stage, heartbeat, retryable=True)
        case asyncio.CancelledError():
            return encode_cancelled(heartbeat.state) if _is_cancelled_for_good() else error
        case ApplicationError():
            return error
    log.error("activity failed unexpectedly", stage=stage, exc_info=error)
    return encode_error(InternalError(f"{type(error).__name__}: {error}"), stage, heartbeat)


def encode_error(
    error: PicturelockError, stage: StageName, heartbeat: HeartbeatReporter, *, retryable: bool | None = None
) -> ApplicationError:
    """An error of the domain as Temporal carries it, with how far the work was.

    Whether it is tried again is decided here: Temporal's own count knows nothing of outages. Failures are kept small;
    a server replaces one that is too large by a sentence of its own (4 KiB).
    """
    again, pause = _retry(error, heartbeat, retryable=error.retryable if retryable is None else retryable)
    if again:
        heartbeat.note_failure(error.message, outage=error.outage)
    described = error.describe(stage, activity.info().attempt)
    described = described.model_copy(
        update={
            "message": _shortened(described.message, _MESSAGE_BYTES),
            "detail": _shortened(described.detail, _DETAIL_BYTES, end=True) if described.detail else None,
        }
    )
    state = heartbeat.state.model_copy(update={"failures": []})  # the next attempt has them from the heartbeat
    return encode_failure(described, state, retryable=again, next_retry_delay=pause)


def _retry(error: PicturelockError, heartbeat: HeartbeatReporter, *, retryable: bool) -> tuple[bool, timedelta | None]:
    """Whether there is another attempt, and the pause before it where it is not the policy's."""
    if not retryable:
        return False, None
    if error.outage:
        pause = timedelta(seconds=min(OUTAGE_PAUSE_SECONDS, 2.0**heartbeat.state.waited))
        return heartbeat.state.waited + 1 < OUTAGE_ATTEMPTS, pause
    exited = isinstance(error, RenderFailed) and error.exit_code is not None
    return heartbeat.spent < (_SAME_EXIT_ATTEMPTS if exited else heartbeat.policy.retries.attempts), None


def _shortened(text: str, size: int, *, end: bool = False) -> str:
    """A text of so many bytes at the most: its beginning, or its end."""
    data = text.encode()
    if len(data) <= size:
        return text
    room = size - len("…".encode())
    kept = data[-room:] if end else data[:room]
    inner = kept.decode(errors="ignore")
    return f"…{inner}" if end else f"{inner}…"


def attempts_used_up(heartbeat: HeartbeatReporter) -> PicturelockError:
    """The error of work all of whose attempts were begun and never ended."""
    attempts = heartbeat.policy.retries.attempts
    return WorkerLost(f"{attempts} attempts ended without an answer: their workers were gone, or ran out of time")


def _is_cancelled_for_good() -> bool:
    """Whether this activity was cancelled for good, and not because its worker stops or it is to be done anew."""
    details = activity.cancellation_details() if activity.in_activity() else None
    return details is not None and details.cancel_requested
