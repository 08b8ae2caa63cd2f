"""What a viewer should be warned of while a job goes on. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from picturelock.jobs.stages import EXPORTS_QUEUE, WORK
from picturelock.models import NOTE_LETTERS, NOTES_KEPT, JobWarning, Observation, PendingActivity, Snapshot, Stage

NO_WORKER_SECONDS: Final = 10.0
"""How long work may wait without any live worker before a warning says so."""

STALL_WARNING_SHARE: Final = 2 / 3
_STUCK_TASK: Final = 3
"""Attempts of a workflow task that no worker's death explains."""


@dataclass(frozen=True)
class JobWarnings:
    """What a viewer should be warned of: the newest of the workflow's own warnings, and some of the moment's."""

    shown: list[JobWarning]
    total: int


def job_warnings(observation: Observation, snapshot: Snapshot, stage: Stage) -> JobWarnings:
    """The workflow's own warnings, and those that the moment of the observation calls for."""
    momentary = _of_the_moment(observation, snapshot, stage)
    return JobWarnings([*snapshot.warnings, *momentary[:NOTES_KEPT]], snapshot.warnings_total + len(momentary))


def _of_the_moment(observation: Observation, snapshot: Snapshot, stage: Stage) -> list[JobWarning]:
    warnings: list[JobWarning] = []
    if observation.run_status != "open":
        return warnings
    step = None if stage in {"queued", "complete"} else next(step.name for step in snapshot.steps if step.name == stage)
    if missing := missing_queues(observation):
        since = min(_unserved_since(queue, observation) for queue in missing)
        if observation.now - since > timedelta(seconds=NO_WORKER_SECONDS):
            text = f"no live worker serves the queue {', '.join(sorted(missing))}"
            warnings.append(JobWarning(code="NO_WORKER", message=text, step=step, since=since))
    if observation.workflow_task_attempt >= _STUCK_TASK and (
        observation.live_queues is None or EXPORTS_QUEUE in observation.live_queues
    ):
        text = "the orchestrator cannot make progress with this job; see its workflow task in the Temporal UI"
        warnings.append(JobWarning(code="ORCHESTRATOR_ERROR", message=text, step=step))
    for activity in observation.pending:
        warnings += _activity_warnings(activity)
    return warnings


def missing_queues(observation: Observation) -> set[str]:
    """The task queues that somebody has to serve for the job to go on, and nobody does; none where nobody can tell."""
    return set() if observation.live_queues is None else needed_queues(observation) - set(observation.live_queues)


def needed_queues(observation: Observation) -> set[str]:
    """The task queues whose workers the job needs and which are not known by its own heartbeats to be served.

    Workers say that they live, and so does their work: a restarted server has yet to hear of them. Work that has told
    of itself and is still running is at most a heartbeat timeout old, which the server itself sees to.
    """
    needed = {activity.queue for activity in observation.pending if not activity.paused} or {EXPORTS_QUEUE}
    beating = {
        activity.queue
        for activity in observation.pending
        if activity.started
        and activity.heartbeat_at
        and (activity.started_at is None or activity.heartbeat_at >= activity.started_at)
    }
    return needed - beating


def waits_for_a_slot(observation: Observation) -> bool:
    """Whether work is scheduled in a queue where none of the job's runs, and the workers are alive but busy."""
    waiting = {
        activity.queue
        for activity in observation.pending
        if not activity.started and not activity.paused and activity.last_failure is None
    }
    working = {activity.queue for activity in observation.pending if activity.started}
    return bool(waiting - working) and not missing_queues(observation)


def _unserved_since(queue: str, observation: Observation) -> datetime:
    """Since when a queue has had no worker, as far as the reader knows: all by its own clock."""
    return observation.queues_heard_at.get(queue) or observation.watched_since or observation.now


def _activity_warnings(activity: PendingActivity) -> list[JobWarning]:
    warnings: list[JobWarning] = []
    step = activity.stage
    if activity.last_failure is not None:
        failed = max(1, activity.attempt - 1)
        text = f"{WORK[step]} failed at attempt {failed} and is tried again: {activity.last_failure.message}"
        warnings.append(
            JobWarning(code="ATTEMPT_FAILED", message=text[:NOTE_LETTERS], step=step, since=activity.scheduled_at)
        )
    beat = activity.heartbeat
    if activity.started and beat and beat.quiet_seconds > beat.stall_after_seconds * STALL_WARNING_SHARE:
        text = f"{WORK[step]} has not advanced since {beat.last_advance_at:%H:%M:%S} UTC"
        warnings.append(JobWarning(code="SLOW", message=text, step=step, since=beat.last_advance_at))
    return warnings
