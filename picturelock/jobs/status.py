"""Turns one `Observation` of a Temporal execution into the one `JobStatus` that every surface shows. Pure.

Terminal <=> the execution is closed. How far it is, `progress` tells; what to be warned of, `cautions`.
"""

import hashlib
from typing import Any

from picturelock.errors import DeadlineExceeded, InternalError, Terminated
from picturelock.jobs.progress import detail_of, eta_seconds, frames_done, overall, step_percent
from picturelock.jobs.stages import STAGES, stage_of
from picturelock.jobs.warnings import cautions, missing_queues, needed_queues, waits_for_a_slot
from picturelock.models import (
    TERMINAL,
    ArtifactLink,
    CacheUse,
    JobError,
    JobStatus,
    Links,
    Observation,
    Output,
    Snapshot,
    Stage,
    StageName,
    Status,
    StepRecord,
    StepState,
    StepStatus,
)

_NO_SNAPSHOT = Snapshot(steps=[StepRecord(name=policy.name) for policy in STAGES])


def assemble(seen: Observation) -> JobStatus:
    """The status of the job that was observed."""
    snapshot = seen.snapshot or _NO_SNAPSHOT
    status = _status(seen, snapshot)
    stage: Stage = "complete" if status == "completed" else snapshot.stage
    progress = 100.0 if status == "completed" else overall(snapshot.steps, seen)
    error = _error(seen, snapshot) if status == "failed" else None
    served = _served(seen, status)
    warned = cautions(seen, snapshot, stage)
    held = snapshot.pause_requested if seen.pause_signal is None else seen.pause_signal
    job = JobStatus(
        id=seen.job_id,
        status=status,
        progress=progress,
        stage=stage,
        message=_message(seen, snapshot, status, error),
        steps=[_step(record, seen, status) for record in snapshot.steps],
        created_at=seen.created_at,
        started_at=next((step.started_at for step in snapshot.steps if step.started_at), None),
        completed_at=seen.closed_at,
        eta_seconds=eta_seconds(progress, seen) if status == "running" and served is not False else None,
        error=error,
        error_message=error.message if error else None,
        warnings=warned.told,
        warnings_total=warned.total,
        attempt=seen.attempt,
        earlier_attempts=seen.earlier,
        cancel_requested=seen.cancel_requested or status == "cancelled",
        pause_requested=held and status in {"queued", "running"},
        resume_requested=_resuming(seen, snapshot, status),
        worker_available=served,
        archived=seen.archived,
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
        pause=f"{base}/pause",
        resume=f"{base}/resume",
        output=f"{base}/output",
        history=f"{base}/history",
        temporal_ui=temporal_ui,
    )


def etag(job: JobStatus) -> str:
    """A strong validator for a status: everything but the ETA, which changes by itself."""
    digest = hashlib.sha256(job.model_dump_json(exclude={"eta_seconds"}).encode()).hexdigest()
    return f'"{digest[:32]}"'


def event_name(job: JobStatus) -> str:
    """The event that tells of a status."""
    return f"job-{job.status}" if job.status in TERMINAL else "job-progress"


def event_data(job: JobStatus) -> dict[str, Any]:
    """A status as the data of an event: the one shape, and `percent` for simple clients."""
    return {**job.model_dump(mode="json"), "percent": job.progress}


def not_below(job: JobStatus, floor: float) -> JobStatus:
    """The status with at least the progress that a client has already seen in this attempt."""
    if job.progress >= floor or job.status == "completed":
        return job
    return job.model_copy(update={"progress": floor})


def _served(seen: Observation, status: Status) -> bool | None:
    """Whether somebody serves what the job needs; None where that is not known. An ended job needs nothing."""
    if status in TERMINAL or not needed_queues(seen):
        return True
    return None if seen.live_queues is None else not missing_queues(seen)


def _resuming(seen: Observation, snapshot: Snapshot, status: Status) -> bool:
    """Whether a pause was to end before any orchestrator has taken note of it."""
    return status not in TERMINAL and snapshot.pause_requested and seen.pause_signal is False


def _status(seen: Observation, snapshot: Snapshot) -> Status:
    match seen.run_status:
        case "completed":
            return "completed"
        case "cancelled":
            return "cancelled"
        case "failed" | "terminated" | "timed-out":
            return "failed"
    if snapshot.paused:
        return "paused"
    return "queued" if snapshot.stage == "queued" else "running"


def _step(record: StepRecord, seen: Observation, status: Status) -> StepStatus:
    state: StepState = record.state
    if state == "running" and status in {"failed", "cancelled", "paused"}:
        state = status  # the three are states of a step, too
    attempts = [one.attempt for one in seen.pending if stage_of(one.id) == record.name]
    ended = state != record.state and status in TERMINAL
    return StepStatus(
        name=record.name,
        status="completed" if status == "completed" else state,
        progress=100.0 if status == "completed" else step_percent(record, seen),
        attempt=max([record.attempt, *attempts]),
        started_at=record.started_at,
        completed_at=record.completed_at or (seen.closed_at if ended else None),
        detail=detail_of(record, seen),
        cache=CacheUse(hits=record.cache_hits, misses=record.cache_misses) if record.finished else None,
    )


def _message(seen: Observation, snapshot: Snapshot, status: Status, error: JobError | None) -> str:
    said = {"cancelled": "Cancelled", "completed": "The film is ready", "paused": "Paused"}.get(status)
    if error is not None or said is not None or seen.cancel_requested:
        return error.message if error else said or "Cancelling"
    if seen.ahead is not None and waits_for_a_slot(seen):
        return f"Waiting for a free slot, {_exports(seen.ahead)} ahead"
    messages = [one.heartbeat.message for one in seen.pending if one.heartbeat and one.heartbeat.message]
    if messages and snapshot.stage in {"composition", "finalize"}:
        return messages[0]
    if snapshot.stage == "render" and not snapshot.pause_requested:
        record = next(one for one in snapshot.steps if one.name == "render")
        return f"Rendering: frame {frames_done(record, seen)} of {record.units_total}"
    return snapshot.message


def _exports(count: int) -> str:
    return "1 export" if count == 1 else f"{count} exports"


def _error(seen: Observation, snapshot: Snapshot) -> JobError:
    if seen.error is not None:
        return seen.error
    step: StageName | None = next((one.name for one in snapshot.steps if one.state in {"running", "failed"}), None)
    if seen.run_status == "terminated":
        reason = f": {seen.end_reason}" if seen.end_reason else ""
        return Terminated(f"the execution was terminated in Temporal{reason}").describe(step, seen.attempt)
    if seen.run_status == "timed-out":
        return DeadlineExceeded("the execution ran into its time limit").describe(step, seen.attempt)
    return InternalError("the execution failed without a reason").describe(step, seen.attempt)


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
