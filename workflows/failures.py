"""What an activity's failure means for the job."""

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, TimeoutType, is_cancelled_exception
from temporalio.exceptions import TimeoutError as TemporalTimeoutError

with workflow.unsafe.imports_passed_through():
    from pydantic import ValidationError

    from activities.contracts import GIVEN_UP
    from picturelock.errors import DeadlineExceeded, InternalError, PicturelockError, WorkerLost
    from picturelock.models import Heartbeat, JobError, StageName


def job_error(error: BaseException, step: StageName | None) -> JobError:
    """The error that clients see. What is none of ours is `INTERNAL`."""
    if isinstance(error, PicturelockError):
        return error.describe(step)
    cause = error.cause if isinstance(error, ActivityError) else error
    if isinstance(cause, ApplicationError) and cause.details and cause.details[0] is not None:
        return JobError.model_validate(cause.details[0])
    if isinstance(cause, TemporalTimeoutError):
        if cause.type == TimeoutType.HEARTBEAT:
            return WorkerLost(f"the worker of step {step} was not heard of any more").describe(step)
        return DeadlineExceeded(f"step {step} took longer than it may").describe(step)
    return InternalError(f"{type(cause).__name__}: {cause}").describe(step)


def is_given_up(error: ActivityError) -> bool:
    """Whether an activity ended because it was cancelled, before it ran or while it did."""
    given_up = isinstance(error.cause, ApplicationError) and error.cause.type == GIVEN_UP
    return given_up or is_cancelled_exception(error)


def fraction_reached(error: ActivityError) -> float:
    """How far an activity had told that it was when it failed; 0 when that is not known."""
    cause = error.cause
    try:
        if isinstance(cause, ApplicationError) and len(cause.details) > 1:
            return Heartbeat.model_validate(cause.details[1]).fraction
        if isinstance(cause, TemporalTimeoutError) and cause.last_heartbeat_details:
            return Heartbeat.model_validate(cause.last_heartbeat_details[0]).fraction
    except ValidationError:
        return 0.0
    return 0.0
