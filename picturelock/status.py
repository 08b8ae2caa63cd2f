"""Turns one `Observation` of a Temporal execution into the one `JobStatus` that every surface shows. Pure.

Terminal <=> the execution is closed. Progress is `sum(weight * fraction)` over the stage table; a finished activity
wins over its heartbeat, and one that is neither pending nor recorded has just finished. Nothing is capped: 100 is
what the sum becomes when the execution is closed as completed, and an open one always lacks something.
"""

import hashlib
import math
from datetime import datetime, timedelta
from typing import Final

from picturelock.errors import DeadlineExceeded, InternalError, Terminated
from picturelock.models import (
    ArtifactLink,
    JobError,
    JobStatus,
    Links,
    Observation,
    Output,
    PendingActivity,
    Snapshot,
    Stage,
    StageName,
    Status,
    StepDetail,
    StepRecord,
    StepState,
    StepStatus,
    Warn,
)
from picturelock.stages import BY_NAME, EXPORTS_QUEUE, STAGES, stage_of

NO_WORKER_SECONDS: Final = 10.0
"""How long work may wait without any live worker before a warning says so."""

STALL_WARNING_SHARE: Final = 2 / 3
_BEATING_SECONDS: Final = 6.0
_UNRECORDED: Final = 0.99
"""What an activity counts that has just finished and that the workflow has not taken note of yet."""

_ETA_FROM_PROGRESS: Final = 3.0
_NO_SNAPSHOT: Final = Snapshot(steps=[StepRecord(name=policy.name) for policy in STAGES])


def assemble(seen: Observation) -> JobStatus:
    """The status of the job that was observed."""
    snapshot = seen.snapshot or _NO_SNAPSHOT
    status = _status(seen, snapshot)
    stage: Stage = "complete" if status == "completed" else snapshot.stage
    steps = [_step(record, seen, status) for record in snapshot.steps]
    progress = 100.0 if status == "completed" else _overall(snapshot.steps, seen)
    started_at = next((step.started_at for step in steps if step.started_at), None)
    error = _error(seen, snapshot) if status == "failed" else None
    job = JobStatus(
        id=seen.job_id,
        status=status,
        progress=progress,
        stage=stage,
        message=_message(seen, snapshot, status, error),
        steps=steps,
        created_at=seen.created_at,
        started_at=started_at,
        completed_at=seen.closed_at,
        eta_seconds=_eta(status, progress, started_at, seen.now),
        error=error,
        error_message=error.message if error else None,
        warnings=_warnings(seen, snapshot, stage),
        attempt=seen.attempt,
        cancel_requested=seen.cancel_requested or status == "cancelled",
        pause_requested=snapshot.pause_requested,
        worker_available=status in {"completed", "failed", "cancelled"} or not _missing_queues(seen),
        correlation_id=seen.correlation_id,
        metadata=seen.metadata,
        links=links(seen.job_id, seen.temporal_ui),
    )
    return _with_film(job, seen) if status == "completed" else job


def links(job_id: str, temporal_ui: str | None = None) -> Links:
    """The addresses of a job, as URL paths."""
    base = f"/api/jobs/{job_id}"
    return Links(
        self=base,
        events=f"{base}/events",
        cancel=f"{base}/cancel",
        retry=f"{base}/retry",
        output=f"{base}/output",
        temporal_ui=temporal_ui,
    )


def etag(job: JobStatus) -> str:
    """A strong validator for a status: everything but the ETA, which changes by itself."""
    digest = hashlib.sha256(job.model_dump_json(exclude={"eta_seconds"}).encode()).hexdigest()
    return f'"{digest[:32]}"'


def not_below(job: JobStatus, floor: float) -> JobStatus:
    """The status with at least the progress that a client has already seen in this attempt."""
    if job.progress >= floor or job.status == "completed":
        return job
    return job.model_copy(update={"progress": floor})


def _status(seen: Observation, snapshot: Snapshot) -> Status:
    match seen.run_status:
        case "completed":
            return "completed"
        case "cancelled":
            return "cancelled"
        case "failed" | "terminated" | "timed-out":
            return "failed"
    return "queued" if snapshot.stage == "queued" else "running"


def _overall(records: list[StepRecord], seen: Observation) -> float:
    """Percent, rounded down to a tenth, so that nothing reads 100 before it is."""
    total = sum(BY_NAME[record.name].weight * _fraction(record, seen) for record in records)
    return math.floor(total * 1000 + 1e-6) / 10


def _fraction(record: StepRecord, seen: Observation) -> float:
    """How much of a step is done, 0 to 1."""
    if record.state == "completed":
        return 1.0
    if record.state == "pending" or record.units_total <= 0:
        return 0.0
    return min(_units(record, seen) / record.units_total, 1.0)


def _units(record: StepRecord, seen: Observation) -> float:
    """Units done: those of finished activities, and the parts that running ones report."""
    pending = {one.id: one for one in seen.pending}
    open_units = seen.snapshot.open_units if seen.snapshot else {}
    done = float(record.units_done)
    for activity_id, units in open_units.items():
        if stage_of(activity_id) != record.name:
            continue
        running = pending.get(activity_id)
        if running is not None:
            done += units * (running.heartbeat.fraction if running.heartbeat else 0.0)
        elif seen.snapshot_is_memo and seen.run_status == "open":
            done += units * _UNRECORDED
    return done


def _step(record: StepRecord, seen: Observation, status: Status) -> StepStatus:
    state: StepState = record.state
    if state == "running" and status in {"failed", "cancelled"}:
        state = "failed" if status == "failed" else "cancelled"
    attempts = [one.attempt for one in seen.pending if stage_of(one.id) == record.name]
    return StepStatus(
        name=record.name,
        status="completed" if status == "completed" else state,
        progress=100.0 if status == "completed" else math.floor(_fraction(record, seen) * 1000 + 1e-6) / 10,
        attempt=max([record.attempt, *attempts]),
        started_at=record.started_at,
        completed_at=record.completed_at or (seen.closed_at if state != record.state else None),
        detail=_detail(record, seen),
    )


def _detail(record: StepRecord, seen: Observation) -> StepDetail | None:
    if record.scheduled == 0:
        return None
    frames = record.name == "render"
    done = _frames(record, seen) if record.state == "running" else record.units_done
    return StepDetail(
        frames_done=done if frames else None,
        frames_total=record.units_total if frames else None,
        items_done=record.finished,
        items_total=max(record.scheduled, record.units_total if not frames else 0),
        cache_hits=record.cache_hits,
        cache_misses=record.cache_misses,
    )


def _frames(record: StepRecord, seen: Observation) -> int:
    """Frames in finished segments, and those that running ones have encoded."""
    pending = {one.id: one.heartbeat for one in seen.pending}
    done = record.units_done
    for activity_id, units in (seen.snapshot.open_units if seen.snapshot else {}).items():
        if stage_of(activity_id) != record.name:
            continue
        beat = pending.get(activity_id)
        if beat is not None:
            done += beat.frames_done if beat.frames_done is not None else math.floor(units * beat.fraction)
        elif activity_id not in pending and seen.snapshot_is_memo and seen.run_status == "open":
            done += units  # it has just finished
    return done


def _eta(status: Status, progress: float, started_at: datetime | None, now: datetime) -> float | None:
    """Seconds left at the measured rate; None when it cannot be known yet."""
    if status != "running" or started_at is None or progress < _ETA_FROM_PROGRESS:
        return None
    elapsed = (now - started_at).total_seconds()
    left = elapsed * (100 - progress) / progress
    return round(left, 1) if elapsed > 0 and math.isfinite(left) else None


def _message(seen: Observation, snapshot: Snapshot, status: Status, error: JobError | None) -> str:
    if error is not None:
        return error.message
    said = {"cancelled": "Cancelled", "completed": "The film is ready"}.get(status)
    if said is not None:
        return said
    if seen.cancel_requested:
        return "Cancelling"
    messages = [one.heartbeat.message for one in seen.pending if one.heartbeat and one.heartbeat.message]
    if messages and snapshot.stage in {"composition", "finalize"}:
        return messages[0]
    if snapshot.stage == "render":
        record = next(one for one in snapshot.steps if one.name == "render")
        return f"Rendering: frame {_frames(record, seen)} of {record.units_total}"
    return snapshot.message


def _error(seen: Observation, snapshot: Snapshot) -> JobError:
    if seen.error is not None:
        return seen.error
    step: StageName | None = next((one.name for one in snapshot.steps if one.state in {"running", "failed"}), None)
    if seen.run_status == "terminated":
        return Terminated("the execution was terminated in Temporal").describe(step, seen.attempt)
    if seen.run_status == "timed-out":
        return DeadlineExceeded("the execution ran into its time limit").describe(step, seen.attempt)
    return InternalError("the execution failed without a reason").describe(step, seen.attempt)


def _queue(activity_id: str) -> str:
    return EXPORTS_QUEUE if activity_id == "sound" else BY_NAME[stage_of(activity_id)].queue


def _missing_queues(seen: Observation) -> set[str]:
    """The task queues that somebody has to serve for the job to go on, and nobody does.

    Workers say that they live, and so does a fresh heartbeat of their work: a restarted server has yet to hear of them.
    """
    needed = {_queue(one.id) for one in seen.pending} or {EXPORTS_QUEUE}
    beating = {
        _queue(one.id)
        for one in seen.pending
        if one.started and one.heartbeat_at and seen.now - one.heartbeat_at < timedelta(seconds=_BEATING_SECONDS)
    }
    return needed - set(seen.live_queues) - beating


def _warnings(seen: Observation, snapshot: Snapshot, stage: Stage) -> list[Warn]:
    found = list(snapshot.warnings)
    if seen.run_status != "open":
        return found
    step = None if stage in {"queued", "complete"} else next(one.name for one in snapshot.steps if one.name == stage)
    missing = _missing_queues(seen)
    if missing:
        waiting = [one.scheduled_at for one in seen.pending if one.scheduled_at and not one.started]
        since = min(waiting, default=seen.started_at)
        if seen.now - since > timedelta(seconds=NO_WORKER_SECONDS):
            text = f"no live worker serves the queue {', '.join(sorted(missing))}"
            found.append(Warn(code="NO_WORKER", message=text, step=step, since=since))
    if seen.workflow_task_attempt > 1:
        text = "the orchestrator cannot make progress with this job; see its workflow task in the Temporal UI"
        found.append(Warn(code="ORCHESTRATOR_ERROR", message=text, step=step))
    for activity in seen.pending:
        found += _activity_warnings(activity, seen.now)
    return found


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


def _with_film(job: JobStatus, seen: Observation) -> JobStatus:
    if seen.result is None:
        raise ValueError("a completed execution without a result")
    facts = seen.result.facts
    output = Output(path=job.links.output, **facts.model_dump(by_alias=False, exclude={"frames"}))
    artifacts = [
        ArtifactLink(
            name=one.name,
            path=f"{job.links.self}/artifacts/{one.name}",
            media_type=one.media_type,
            size_bytes=one.size_bytes,
        )
        for one in seen.result.artifacts
    ]
    return job.model_copy(update={"output": output, "output_path": job.links.output, "artifacts": artifacts})
