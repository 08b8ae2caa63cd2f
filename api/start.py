"""Starts a run of a job: its first, or another attempt."""

from typing import Final

from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from api.context import Context
from jobstate.errors import translated
from jobstate.names import EXPORT_WORKFLOW, JOB_MEMO
from picturelock.models import ExportInput, ExportRequest, JobMemo
from picturelock.stages import EXPORTS_QUEUE

START_SECONDS: Final = 5.0


async def start_run(job_id: str, started: ExportInput, memo: JobMemo, shared: Context) -> None:
    """Returns as soon as Temporal has taken the run; a second run of an attempt is refused by Temporal itself.

    Raises:
        WorkflowAlreadyStartedError: the job is open, or (first attempts only) has ever been started.
        StateUnavailable: Temporal does not answer.
    """
    again = started.attempt > 1
    async with translated(START_SECONDS):
        await shared.client.start_workflow(
            EXPORT_WORKFLOW,
            started,
            id=job_id,
            task_queue=EXPORTS_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE if again else WorkflowIDReusePolicy.REJECT_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            memo={JOB_MEMO: memo},
            static_summary=_title(started.request) or "Export",
            static_details=_details(job_id, started),
        )


def _title(request: ExportRequest) -> str:
    if request.script is not None:
        return request.script.title or request.script.scenes[0].narration[:80]
    return request.brief.topic[:80] if request.brief else ""


def _details(job_id: str, started: ExportInput) -> str:
    """What a person wants to know first who opens the run in the Temporal UI."""
    request = started.request
    source = f"{len(request.script.scenes)} scenes" if request.script else "a brief"
    rows = {
        "from": source,
        "preset": request.video.preset,
        "attempt": str(started.attempt),
        "correlation id": started.correlation_id,
        "status": f"/api/jobs/{job_id}",
        **request.metadata,
    }
    return "\n".join(f"- **{key}**: {value}" for key, value in rows.items())
