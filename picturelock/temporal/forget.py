"""Has Temporal forget a job: every attempt of it, with its script, and what followed them."""

import asyncio
from typing import Final

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client

from picturelock.temporal.errors import JobNotFound, translated
from picturelock.temporal.names import post_export_id

_SECONDS: Final = 5.0
_GONE_WITHIN: Final = 3.0
_LOOK_SECONDS: Final = 0.02


async def forget_job(client: Client, job_id: str, run_id: str, attempts: int) -> None:
    """Returns when the job is not known any more, or is about to be. Raises StateUnavailable."""
    for name in (job_id, *(post_export_id(job_id, attempt) for attempt in range(1, attempts + 1))):
        async with translated(_SECONDS):
            runs = {run.run_id async for run in client.list_workflows(f"WorkflowId = '{name}'")}
        for run in runs | ({run_id} if name == job_id and run_id else set()):
            await _forget_run(client, name, run)
    deadline = asyncio.get_running_loop().time() + _GONE_WITHIN
    while asyncio.get_running_loop().time() < deadline:
        try:
            async with translated(_SECONDS):
                await client.get_workflow_handle(job_id).describe()
        except JobNotFound:
            return
        await asyncio.sleep(_LOOK_SECONDS)


async def _forget_run(client: Client, workflow_id: str, run_id: str) -> None:
    execution = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
    request = DeleteWorkflowExecutionRequest(namespace=client.namespace, workflow_execution=execution)
    try:
        async with translated(_SECONDS):
            await client.workflow_service.delete_workflow_execution(request)
    except JobNotFound:
        return
