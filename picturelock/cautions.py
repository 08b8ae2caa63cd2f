"""What a viewer should be warned of while a job goes on. Pure."""

from datetime import datetime, timedelta
from typing import Final

from picturelock.models import Observation, PendingActivity, Snapshot, Stage, Warn
from picturelock.stages import BY_NAME, EXPORTS_QUEUE, stage_of

NO_WORKER_SECONDS: Final = 10.0
"""How long work may wait without any live worker before a warning says so."""

STALL_WARNING_SHARE: Final = 2 / 3
_BEATING_SECONDS: Final = 6.0
_STUCK_TASK: Final = 3
"""Attempts of a workflow task that no worker's death explains."""


def warnings_of(seen: Observation, snapshot: Snapshot, stage: Stage) -> list[Warn]:
    """The workflow's own warnings, and those that the moment of the observation calls for."""
    found = list(snapshot.warnings)
    if seen.run_status != "open":
        return found
    step = None if stage in {"queued", "complete"} else next(one.name for one in snapshot.steps if one.name == stage)
    if missing := missing_queues(seen):
        since = min(_unserved_since(queue, seen) for queue in missing)
        if seen.now - since > timedelta(seconds=NO_WORKER_SECONDS):
            text = f"no live worker serves the queue {', '.join(sorted(missing))}"
            found.append(Warn(code="NO_WORKER", message=text, step=step, since=since))
    if seen.workflow_task_attempt >= _STUCK_TASK and (seen.live_queues is None or EXPORTS_QUEUE in seen.live_queues):
        text = "the orchestrator cannot make progress with this job; see its workflow task in the Temporal UI"
        found.append(Warn(code="ORCHESTRATOR_ERROR", message=text, step=step))
    for activity in seen.pending:
        found += _activity_warnings(activity, seen.now)
    return found


def missing_queues(seen: Observation) -> set[str]:
    """The task queues that somebody has to serve for the job to go on, and nobody does; none where nobody can tell."""
    return set() if seen.live_queues is None else needed_queues(seen) - set(seen.live_queues)


def needed_queues(seen: Observation) -> set[str]:
    """The task queues whose workers the job needs and which are not known by its own heartbeats to be served.

    Workers say that they live, and so does a fresh heartbeat of their work: a restarted server has yet to hear of them.
    """
    needed = {queue_of(one.id) for one in seen.pending if not one.held} or {EXPORTS_QUEUE}
    beating = {
        queue_of(one.id)
        for one in seen.pending
        if one.started and one.heartbeat_at and seen.now - one.heartbeat_at < timedelta(seconds=_BEATING_SECONDS)
    }
    return needed - beating


def waits_for_a_slot(seen: Observation) -> bool:
    """Whether work is scheduled in a queue where none of the job's runs, and the workers are alive but busy."""
    waiting = {
        queue_of(one.id) for one in seen.pending if not one.started and not one.held and one.last_failure is None
    }
    working = {queue_of(one.id) for one in seen.pending if one.started}
    return bool(waiting - working) and not missing_queues(seen)


def queue_of(activity_id: str) -> str:
    """The task queue of an activity. Sound is mixed beside the rendering, by the workers of the light queue."""
    return EXPORTS_QUEUE if activity_id.startswith("sound") else BY_NAME[stage_of(activity_id)].queue


def _unserved_since(queue: str, seen: Observation) -> datetime:
    """Since when work for a queue waits without a worker: when it was scheduled, or when the last one fell silent."""
    work = [one for one in seen.pending if queue_of(one.id) == queue]
    scheduled = min((one.scheduled_at for one in work if one.scheduled_at), default=seen.started_at)
    beats = [one.heartbeat_at for one in work if one.heartbeat_at]
    heard = seen.queues_heard_at.get(queue)
    return max([scheduled, *beats, *([heard] if heard else [])])


def _activity_warnings(activity: PendingActivity, now: datetime) -> list[Warn]:
    found: list[Warn] = []
    step = stage_of(activity.id)
    if activity.last_failure is not None:
        failed = max(1, activity.attempt - 1)
        text = f"{activity.id}: attempt {failed} failed and is tried again: {activity.last_failure.message}"
        found.append(Warn(code="ATTEMPT_FAILED", message=text, step=step, since=activity.scheduled_at))
    beat = activity.heartbeat
    if activity.started and beat is not None:
        quiet = (now - beat.last_advance_at).total_seconds()
        if quiet > beat.stall_after_seconds * STALL_WARNING_SHARE:
            text = f"{activity.id} has not advanced since {beat.last_advance_at:%H:%M:%S} UTC"
            found.append(Warn(code="SLOW", message=text, step=step, since=beat.last_advance_at))
    return found
