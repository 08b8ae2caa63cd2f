"""How workflows call activities: through their contracts, with the options that the stage table asks for."""

from datetime import timedelta
from typing import Final, TypedDict, TypeVar

from temporalio import workflow
from temporalio.common import Priority, RetryPolicy
from temporalio.workflow import ActivityCancellationType, ActivityHandle

with workflow.unsafe.imports_passed_through():
    from picturelock.jobs.stages import BY_NAME, USUAL_PRIORITY
    from picturelock.temporal.contracts import Activity

Task = TypeVar("Task")
Result = TypeVar("Result")
_CONTROL_HEARTBEAT_TIMEOUT: Final = timedelta(seconds=10)


class ActivityOptions(TypedDict):
    """The limits that every activity of this project is scheduled with."""

    start_to_close_timeout: timedelta
    heartbeat_timeout: timedelta | None
    retry_policy: RetryPolicy
    priority: Priority


def stage_options(
    contract: Activity[Task, Result], media_seconds: float = 0.0, *, attempts: int = 0, urgency: int = 0
) -> ActivityOptions:
    """The options of a stage's activity, for so many seconds of film. With `urgency` it goes before others of it.

    Without a number of attempts it is the activity that counts (activities/failures.py): an outage spends none, and one
    that a worker does not know yet waits for a worker that does.
    """
    if contract.stage is None:
        raise TypeError(f"{contract.name} belongs to no stage")
    policy = BY_NAME[contract.stage]
    usual = workflow.info().priority.priority_key or USUAL_PRIORITY
    return ActivityOptions(
        start_to_close_timeout=timedelta(seconds=policy.start_to_close_seconds(media_seconds)),
        heartbeat_timeout=timedelta(seconds=policy.heartbeat_seconds),
        retry_policy=RetryPolicy(
            initial_interval=timedelta(seconds=policy.retries.initial_seconds),
            backoff_coefficient=policy.retries.backoff,
            maximum_interval=timedelta(seconds=policy.retries.maximum_seconds),
            maximum_attempts=attempts,
        ),
        priority=Priority(priority_key=max(1, usual - policy.urgency - urgency)),
    )


def control_options(start_to_close: timedelta, *, heartbeats: bool = False, attempts: int = 0) -> ActivityOptions:
    """The options of an activity beside the stages: tried again until it succeeds, or so many times.

    One that sends `heartbeats` is known to be gone when they stop; any other one, when its time is over.
    """
    return ActivityOptions(
        start_to_close_timeout=start_to_close,
        heartbeat_timeout=_CONTROL_HEARTBEAT_TIMEOUT if heartbeats else None,
        retry_policy=RetryPolicy(
            initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=60), maximum_attempts=attempts
        ),
        priority=Priority.default,
    )


def start(
    contract: Activity[Task, Result],
    task: Task,
    options: ActivityOptions,
    *,
    summary: str,
    activity_id: str | None = None,
) -> ActivityHandle[Result]:
    """Schedules an activity. A cancelled one is waited for, so that nothing of it is left when its workflow closes."""
    return workflow.start_activity(
        contract.name,
        task,
        activity_id=activity_id,
        task_queue=contract.queue,
        result_type=contract.result,
        summary=summary,
        cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        **options,
    )


async def execute(contract: Activity[Task, Result], task: Task, options: ActivityOptions, *, summary: str) -> Result:
    """Schedules an activity and awaits its result."""
    return await start(contract, task, options, summary=summary)
