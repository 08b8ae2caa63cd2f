"""Turns one `Observation` of a Temporal execution into the one `JobStatus` that every surface shows. Pure.

Terminal <=> the execution is closed. `progress` says how far it is, `warnings` what viewers should know.
"""

import hashlib
from typing import Any, Final

from picturelock.errors import DeadlineExceeded, InternalError, Terminated
from picturelock.jobs.progress import detail_of, eta_seconds, frames_done, overall, step_percent
from picturelock.jobs.stages import STAGES
from picturelock.jobs.warnings import job_warnings, missing_queues, needed_queues, waits_for_a_slot
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

_SAYING_STAGES: Final = frozenset({"composition", "finalize"})
"""Stages of one activity that has several things to do, and says which."""

_NO_SNAPSHOT = Snapshot(steps=[StepRecord(name=policy.name) for policy in STAGES])


def assemble(observation: Observation) -> JobStatus:
    """The status of the job that was observed."""
    snapshot = observation.snapshot or _NO_SNAPSHOT
    status = _status(observation, snapshot)
    stage: Stage = "complete" if status == "completed" else snapshot.stage
    progress = 100.0 if status == "completed" else overall(snapshot.steps, observation)
    error = _error(observation, snapshot) if status == "failed" else None
    served = _served(observation, status)
    warnings = job_warnings(observation, snapshot, stage)
    paused = snapshot.pause_requested if observation.pause_signal is None else observation.pause_signal
    job = JobStatus(
        id=observation.job_id,
        status=status,
        progress=progress,
        stage=stage,
        message=_message(observation, snapshot, status, error),
        steps=[_step(record, observation, status) for record in snapshot.steps],
        created_at=observation.created_at,
        started_at=next((step.started_at for step in snapshot.steps if step.started_at), None),
        completed_at=observation.closed_at,
        eta_seconds=eta_seconds(progress, observation) if status == "running" and served is not False else None,
        error=error,
        error_message=f"Export failed: {error.message}" if error else None,
        warnings=warnings.shown,
        warnings_total=warnings.total,
        attempt=observation.attempt,
        earlier_attempts=observation.earlier,
        cancel_requested=observation.cancel_requested or status == "cancelled",
        pause_requested=paused and status in {"queued", "running"},
        resume_requested=_resuming(observation, snapshot, status),
        worker_available=served,
        archived=observation.archived,
        correlation_id=observation.correlation_id,
        metadata=observation.metadata,
        title=observation.title,
        links=links(observation.job_id, observation.temporal_ui),
    )
    return _with_film(job, observation) if status == "completed" else job


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
        segments=f"{base}/segments",
        preview=f"{base}/preview.m3u8",
        temporal_ui=temporal_ui,
    )


def etag(job: JobStatus) -> str:
    """A strong validator for a status: everything but the ETA, which changes by itself."""
    digest = hashlib.sha256(job.model_dump_json(exclude={"eta_seconds"}).encode()).hexdigest()
    return f'"{digest[:32]}"'


def event_name(job: JobStatus) -> str:
    """The name of the event that carries a status."""
    return f"job-{job.status}" if job.status in TERMINAL else "job-progress"


def event_data(job: JobStatus) -> dict[str, Any]:
    """A status as the data of an event: the one shape."""
    return job.model_dump(mode="json")


def not_below(job: JobStatus, floor: float) -> JobStatus:
    """The status with at least the progress that a client has already seen in this attempt."""
    if job.progress >= floor or job.status == "completed":
        return job
    return job.model_copy(update={"progress": floor})


def _served(observation: Observation, status: Status) -> bool | None:
    """Whether somebody serves what the job needs; None where that is not known. An ended job needs nothing."""
    if status in TERMINAL or not needed_queues(observation):
        return True
    return None if observation.live_queues is None else not missing_queues(observation)


def _resuming(observation: Observation, snapshot: Snapshot, status: Status) -> bool:
    """Whether a pause was to end before any orchestrator has taken note of it."""
    return status not in TERMINAL and snapshot.pause_requested and observation.pause_signal is False


def _status(observation: Observation, snapshot: Snapshot) -> Status:
    match observation.run_status:
        case "completed":
            return "completed"
        case "cancelled":
            return "cancelled"
        case "failed" | "terminated" | "timed-out":
            return "failed"
    if snapshot.paused:
        return "paused"
    return "queued" if snapshot.stage == "queued" else "running"


def _step(record: StepRecord, observation: Observation, status: Status) -> StepStatus:
    state: StepState = record.state
    if state == "running" and status in {"failed", "cancelled", "paused"}:
        state = status  # the three are states of a step, too
    attempts = [activity.attempt for activity in observation.pending if activity.stage == record.name]
    ended = state != record.state and status in TERMINAL
    return StepStatus(
        name=record.name,
        status="completed" if status == "completed" else state,
        progress=100.0 if status == "completed" else step_percent(record, observation),
        attempt=max([record.attempt, *attempts]),
        started_at=record.started_at,
        completed_at=record.completed_at or (observation.closed_at if ended else None),
        detail=detail_of(record, observation),
        cache=CacheUse(hits=record.cache_hits, misses=record.cache_misses) if record.finished else None,
    )


def _message(observation: Observation, snapshot: Snapshot, status: Status, error: JobError | None) -> str:
    said = {"cancelled": "Cancelled", "completed": "The film is ready", "paused": "Paused"}.get(status)
    if error is not None or said is not None or observation.cancel_requested:
        return error.message if error else said or "Cancelling"
    if observation.ahead is not None and waits_for_a_slot(observation):
        return f"Waiting for a free slot, {_exports(observation.ahead)} ahead"
    messages = [
        activity.heartbeat.message
        for activity in observation.pending
        if activity.heartbeat and activity.heartbeat.message
    ]
    if messages and snapshot.stage in _SAYING_STAGES:
        return messages[0]
    if snapshot.stage == "render" and not snapshot.pause_requested:
        record = next(step for step in snapshot.steps if step.name == "render")
        return f"Rendering: frame {frames_done(record, observation)} of {record.units_total}"
    return snapshot.message


def _exports(count: int) -> str:
    return "1 export" if count == 1 else f"{count} exports"


def _error(observation: Observation, snapshot: Snapshot) -> JobError:
    if observation.error is not None:
        return observation.error
    step: StageName | None = next((step.name for step in snapshot.steps if step.state in {"running", "failed"}), None)
    if observation.run_status == "terminated":
        reason = f": {observation.end_reason}" if observation.end_reason else ""
        return Terminated(f"the execution was terminated in Temporal{reason}").describe(step, observation.attempt)
    if observation.run_status == "timed-out":
        return DeadlineExceeded("the execution ran into its time limit").describe(step, observation.attempt)
    return InternalError("the execution failed without a reason").describe(step, observation.attempt)


def _with_film(job: JobStatus, observation: Observation) -> JobStatus:
    if observation.result is None:
        raise ValueError("a completed execution without a result")
    facts = observation.result.facts
    output = Output(path=job.links.output, **facts.model_dump(by_alias=False, exclude={"frames"}))
    artifacts = [
        ArtifactLink(
            name=artifact.name,
            path=f"{job.links.self}/artifacts/{artifact.name}",
            media_type=artifact.media_type,
            size_bytes=artifact.size_bytes,
        )
        for artifact in observation.result.artifacts
    ]
    return job.model_copy(update={"output": output, "output_path": job.links.output, "artifacts": artifacts})
