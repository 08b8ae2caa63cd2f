"""Starts a run of a job: its first, or another attempt."""

import uuid
from typing import Final

import structlog
from temporalio.api.common.v1 import Memo, Payloads, Priority, SearchAttributes, WorkflowType
from temporalio.api.enums.v1 import WorkflowIdConflictPolicy, WorkflowIdReusePolicy
from temporalio.api.sdk.v1 import UserMetadata
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import StartWorkflowExecutionRequest
from temporalio.converter import encode_typed_search_attribute_value
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from api.context import Context
from picturelock.jobs.stages import EXPORTS_QUEUE
from picturelock.models import ExportInput, ExportRequest, JobMemo
from picturelock.temporal.errors import translated
from picturelock.temporal.names import EXPORT_WORKFLOW, JOB_MEMO, OWNER_ATTRIBUTE
from picturelock.temporal.owners import OWNER

log = structlog.get_logger()
START_SECONDS: Final = 5.0
_ALLOW_DUPLICATE: Final = WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
_REJECT_DUPLICATE: Final = WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE


async def start_run(job_id: str, started: ExportInput, memo: JobMemo, shared: Context) -> None:
    """Returns as soon as Temporal has taken the run.

    An attempt is started once, whatever is slow in between: all who ask for the same attempt of a job ask with the same
    request id, and Temporal answers the later ones with the run that it has, also when that one has ended.

    Raises:
        WorkflowAlreadyStartedError: the job is open, or (first attempts only) has ever been started.
        StateUnavailable: Temporal does not answer.
    """
    client, again = shared.client, started.attempt > 1
    converter = client.data_converter
    summary, details = title_of(started.request) or "Export", _details(job_id, started)
    encoded_memo, encoded_summary, encoded_details, *arguments = await converter.encode(
        [memo, summary, details, started]
    )
    request = StartWorkflowExecutionRequest(
        namespace=client.namespace,
        workflow_id=job_id,
        workflow_type=WorkflowType(name=EXPORT_WORKFLOW),
        task_queue=TaskQueue(name=EXPORTS_QUEUE),
        input=Payloads(payloads=arguments),
        identity=client.identity,
        request_id=f"{job_id}.{started.attempt}" if again else uuid.uuid4().hex,
        workflow_id_reuse_policy=_ALLOW_DUPLICATE if again else _REJECT_DUPLICATE,
        workflow_id_conflict_policy=WorkflowIdConflictPolicy.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
        memo=Memo(fields={JOB_MEMO: encoded_memo}),
        search_attributes=_attributes(started.owner),
        priority=Priority(priority_key=started.priority, fairness_key=started.owner or ""),
        user_metadata=UserMetadata(summary=encoded_summary, details=encoded_details),
    )
    async with translated(START_SECONDS):
        try:
            await client.workflow_service.start_workflow_execution(request, retry=True)
        except RPCError as error:
            if error.status is RPCStatusCode.ALREADY_EXISTS:
                raise WorkflowAlreadyStartedError(job_id, EXPORT_WORKFLOW) from error
            raise
    log.info("job accepted", job=job_id, attempt=started.attempt)


def _attributes(owner: str | None) -> SearchAttributes | None:
    """By which an owner's jobs are listed. Where there are no owners, a server need not know of the attribute."""
    if owner is None:
        return None
    payload = encode_typed_search_attribute_value(OWNER, owner)
    return SearchAttributes(indexed_fields={OWNER_ATTRIBUTE: payload})


def title_of(request: ExportRequest) -> str:
    """What the film is called: the script's title, else how it or the brief begins."""
    if request.script is not None:
        return request.script.title or request.script.scenes[0].parts()[0].text[:80]
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
    }
    ours = [f"- **{key}**: {value}" for key, value in rows.items()]
    return "\n".join([*ours, *(f"- {_literal(key)}: {_literal(value)}" for key, value in request.metadata.items())])


def _literal(text: str) -> str:
    """A client's words in Markdown, as what they are: no picture, no link."""
    return f"`{' '.join(text.replace('`', chr(39)).split())}`"
