"""A row of the stage table as the options Temporal takes."""

from datetime import timedelta
from typing import Final, TypedDict

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType

from picturelock.jobs.stages import BY_NAME, CONTROL_QUEUE
from picturelock.models import StageName

HEARTBEAT_TIMEOUT: Final = timedelta(seconds=10)


class ActivityOptions(TypedDict):
    """The options every activity of this project is scheduled with."""

    task_queue: str
    start_to_close_timeout: timedelta
    heartbeat_timeout: timedelta | None
    retry_policy: RetryPolicy
    cancellation_type: ActivityCancellationType


def options_for(
    stage: StageName, media_seconds: float = 0.0, *, queue: str | None = None, attempts: int = 0
) -> ActivityOptions:
    """The options of a stage's activities, for so many seconds of film.

    Without a number of attempts it is the activity that counts (activities/failures.py): an outage spends none, and one
    that a worker does not know yet waits for a worker that does.
    """
    policy = BY_NAME[stage]
    return ActivityOptions(
        task_queue=queue or policy.queue,
        start_to_close_timeout=timedelta(seconds=policy.start_to_close_seconds(media_seconds)),
        heartbeat_timeout=timedelta(seconds=policy.heartbeat_seconds),
        retry_policy=RetryPolicy(
            initial_interval=timedelta(seconds=policy.retries.initial_seconds),
            backoff_coefficient=policy.retries.backoff,
            maximum_interval=timedelta(seconds=policy.retries.maximum_seconds),
            maximum_attempts=attempts,
        ),
        cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    )


def errand(start_to_close: timedelta, *, beats: bool = False, attempts: int = 0) -> ActivityOptions:
    """The options of an activity beside the stages: tried again until it succeeds, or so many times.

    One that `beats` is known to be gone when its heartbeats stop; any other one, when its time is over.
    """
    return ActivityOptions(
        task_queue=CONTROL_QUEUE,
        start_to_close_timeout=start_to_close,
        heartbeat_timeout=HEARTBEAT_TIMEOUT if beats else None,
        retry_policy=RetryPolicy(
            initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=60), maximum_attempts=attempts
        ),
        cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    )
