"""What a viewer should be warned of while a job goes on. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from picturelock.jobs.stages import BY_NAME, EXPORTS_QUEUE, stage_of
from picturelock.models import NOTE_LETTERS, NOTES_KEPT, Observation, PendingActivity, Snapshot, Stage, Warn

NO_WORKER_SECONDS: Final = 10.0
"""How long work may wait without any live worker before a warning says so."""

STALL_WARNING_SHARE: Final = 2 / 3
_STUCK_TASK: Final = 3
"""Attempts of a workflow task that no worker's death explains."""


@dataclass(frozen=True)
class Cautions:
    """What a viewer should be warned of: the newest of the workflow's own warnings, and some of the moment's."""

    told: list[Warn]
    total: int


def cautions(seen: Observation, snapshot: Snapshot, stage: Stage) -> Cautions:
    """The workflow's own warnings, and those that the moment of the observation calls for."""
    momentary = _of_the_moment(seen, snapshot, stage)
    return Cautions([*snapshot.warnings, *momentary[:NOTES_KEPT]], snapshot.warnings_total + len(momentary))


def _of_the_moment(seen: Observation, snapshot: Snapshot, stage: Stage) -> list[Warn]:
    found: list[Warn] = []
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
        found += _activity_warnings(activity)
    return found


def missing_queues(seen: Observation) -> set[str]:
    """The task queues that somebody has to serve for the job to go on, and nobody does; none where nobody can tell."""
    return set() if seen.live_queues is None else needed_queues(seen) - set(seen.live_queues)


def needed_queues(seen: Observation) -> set[str]:
    """The task queues whose workers the job needs and which are not known by its own heartbeats to be served.

    Workers say that they live, and so does their work: a restarted server has yet to hear of them. Work that has told
    of itself and is still running is at most a heartbeat timeout old, which the server itself sees to.
    """
    needed = {queue_of(one.id) for one in seen.pending if not one.held} or {EXPORTS_QUEUE}
    beating = {
        queue_of(one.id)
        for one in seen.pending
        if one.started and one.heartbeat_at and (one.started_at is None or one.heartbeat_at >= one.started_at)
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
    """Since when a queue has had no worker, as far as the reader knows: all by its own clock."""
    return seen.queues_heard_at.get(queue) or seen.watched_since or seen.now


def _activity_warnings(activity: PendingActivity) -> list[Warn]:
    found: list[Warn] = []
    step = stage_of(activity.id)
    if activity.last_failure is not None:
        failed = max(1, activity.attempt - 1)
        text = f"{activity.id}: attempt {failed} failed and is tried again: {activity.last_failure.message}"[
            :NOTE_LETTERS
        ]
        found.append(Warn(code="ATTEMPT_FAILED", message=text, step=step, since=activity.scheduled_at))
    beat = activity.heartbeat
    if activity.started and beat and beat.quiet_seconds > beat.stall_after_seconds * STALL_WARNING_SHARE:
        text = f"{activity.id} has not advanced since {beat.last_advance_at:%H:%M:%S} UTC"
        found.append(Warn(code="SLOW", message=text, step=step, since=beat.last_advance_at))
    return found
