"""Has Temporal forget a job: every attempt of it, with its script, and what followed them."""

from typing import Final

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client

from picturelock.temporal.errors import JobNotFound, translated
from picturelock.temporal.names import post_export_id

_SECONDS: Final = 5.0


async def forget_job(client: Client, job_id: str, run_id: str, attempts: int) -> None:
    """Asks for it; the server takes its seconds, during which whoever reads the job goes by the note of its deletion.

    Raises:
        StateUnavailable: Temporal does not answer.
    """
    async with translated(_SECONDS):
        runs = {run.run_id async for run in client.list_workflows(f"WorkflowId = '{job_id}'")}
    for run in runs | {run_id}:
        await _forget_run(client, job_id, run)
    for attempt in range(1, attempts + 1):
        await _forget_run(client, post_export_id(job_id, attempt), "")  # the newest run, of which there is but one


async def _forget_run(client: Client, workflow_id: str, run_id: str) -> None:
    execution = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
    request = DeleteWorkflowExecutionRequest(namespace=client.namespace, workflow_execution=execution)
    try:
        async with translated(_SECONDS):
            await client.workflow_service.delete_workflow_execution(request)
    except JobNotFound:
        return
