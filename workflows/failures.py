"""What an activity's failure means for the job."""

from temporalio import workflow
from temporalio.exceptions import ActivityError, TimeoutType, is_cancelled_exception
from temporalio.exceptions import TimeoutError as TemporalTimeoutError

with workflow.unsafe.imports_passed_through():
    from picturelock.errors import DeadlineExceeded, InternalError, PicturelockError, WorkerLost
    from picturelock.models import JobError, StageName
    from picturelock.temporal.failure_codec import details_of, is_cancelled_work


def job_error(error: BaseException, step: StageName | None) -> JobError:
    """The error that clients see. What is none of ours is `INTERNAL`."""
    if isinstance(error, PicturelockError):
        return error.describe(step)
    if (carried := details_of(error).error) is not None:
        return carried
    cause = error.cause if isinstance(error, ActivityError) else error
    if isinstance(cause, TemporalTimeoutError):
        if cause.type == TimeoutType.HEARTBEAT:
            return WorkerLost(f"the worker of step {step} was not heard of any more").describe(step)
        return DeadlineExceeded(f"step {step} took longer than it may").describe(step)
    return InternalError(f"{type(cause).__name__}: {cause}").describe(step)


def is_cancelled(error: ActivityError) -> bool:
    """Whether an activity ended because it was cancelled, before it ran or while it did."""
    return is_cancelled_work(error) or is_cancelled_exception(error)


def fraction_reached(error: ActivityError) -> float:
    """How far an activity had reported to be when it failed; 0 when that is not known."""
    heartbeat = details_of(error).heartbeat
    return heartbeat.fraction if heartbeat else 0.0
