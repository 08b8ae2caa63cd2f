"""What a failure carries through Temporal beside its message: the error for clients, and how far the work was.

Everything that raises or reads an `ApplicationError` does it here, so that nobody counts its details.

    >>> from picturelock.errors import DiskFull
    >>> failure = encode_failure(DiskFull("the disk is full").describe("render"))
    >>> failure.type, details_of(failure).error.stage
    ('DISK_FULL', 'render')
"""

from datetime import timedelta
from typing import Final

from pydantic import ValidationError
from temporalio.exceptions import ActivityError, ApplicationError, ApplicationErrorCategory
from temporalio.exceptions import TimeoutError as TemporalTimeoutError

from picturelock.models import Heartbeat, JobError, Model

CANCELLED_WORK: Final = "CANCELLED_WORK"
"""The type of the failure by which cancelled work reports how far it was. Temporal's own kind carries nothing."""


class FailureDetails(Model):
    """The one detail of a failure."""

    error: JobError | None = None
    heartbeat: Heartbeat | None = None
    """The last heartbeat of the attempt that failed."""


_NONE: Final = FailureDetails()


def encode_failure(
    error: JobError,
    heartbeat: Heartbeat | None = None,
    *,
    retryable: bool = False,
    next_retry_delay: timedelta | None = None,
) -> ApplicationError:
    """An error as Temporal carries it: its code is the failure's type."""
    return ApplicationError(
        error.message,
        FailureDetails(error=error, heartbeat=heartbeat),
        type=error.code,
        non_retryable=not retryable,
        next_retry_delay=next_retry_delay,
    )


def encode_cancelled(heartbeat: Heartbeat) -> ApplicationError:
    """The last word of work that was cancelled: how far it was."""
    return ApplicationError(
        "cancelled",
        FailureDetails(heartbeat=heartbeat),
        type=CANCELLED_WORK,
        non_retryable=True,
        category=ApplicationErrorCategory.BENIGN,
    )


def details_of(failure: BaseException | None) -> FailureDetails:
    """What a failure carries; nothing, where it is none of ours. An activity's failure is looked for in its cause."""
    cause = failure.cause if isinstance(failure, ActivityError) else failure
    try:
        if isinstance(cause, ApplicationError) and cause.details:
            return FailureDetails.model_validate(cause.details[0])
        if isinstance(cause, TemporalTimeoutError) and cause.last_heartbeat_details:
            return FailureDetails(heartbeat=Heartbeat.model_validate(cause.last_heartbeat_details[0]))
    except ValidationError:
        return _NONE
    return _NONE


def is_cancelled_work(failure: ActivityError) -> bool:
    """Whether an activity ended because it was cancelled while it ran."""
    return isinstance(failure.cause, ApplicationError) and failure.cause.type == CANCELLED_WORK
