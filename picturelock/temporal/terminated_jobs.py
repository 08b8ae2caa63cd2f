"""What follows the end of an export that could not see to it: the server ended it, and no code of ours ran.

Somebody terminated the execution, or it ran into a limit of the server. Its record is kept and its webhook delivered
all the same.
"""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.client import Client, WorkflowExecution
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from picturelock.concurrency import gather_limited
from picturelock.jobs.stages import CONTROL_QUEUE
from picturelock.models import PostExportInput
from picturelock.temporal.errors import JobNotFound
from picturelock.temporal.names import EXPORT_WORKFLOW, POST_EXPORT_WORKFLOW, post_export_id
from picturelock.temporal.reader import JobReader

_WITHIN: Final = timedelta(days=1)
_AT_ONCE: Final = 16


class TerminatedRuns:
    """Looks after the runs that were terminated in the last day, each once."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._reader = JobReader(client)
        self._seen: set[str] = set()

    async def follow_up(self) -> list[str]:
        """Starts what follows the end of each; the ids of the jobs. Several processes may do so at once.

        Raises:
            RPCError: Temporal does not answer.
            StateUnavailable: it does not answer for one of them; the others have to wait for the next call.
        """
        since = (datetime.now(UTC) - _WITHIN).isoformat()
        query = (
            f"WorkflowType = '{EXPORT_WORKFLOW}' AND ExecutionStatus IN ('Terminated', 'TimedOut') "
            f"AND CloseTime > '{since}'"
        )
        executions = [
            execution async for execution in self._client.list_workflows(query) if execution.run_id not in self._seen
        ]
        begun = await gather_limited(*map(self._begin, executions), limit=_AT_ONCE)
        return [execution.id for execution, is_begun in zip(executions, begun, strict=True) if is_begun]

    async def _begin(self, execution: WorkflowExecution) -> bool:
        """Whether it was us who began what follows a run; the run is not looked at again."""
        begun = await self._start(execution)
        self._seen.add(execution.run_id)
        return begun

    async def _start(self, execution: WorkflowExecution) -> bool:
        try:
            started, _ = await self._reader.started_with(execution.id, execution.run_id)
        except JobNotFound:
            return False
        webhook = started.request.webhook
        task = PostExportInput(
            job_id=execution.id,
            run_id=execution.run_id,
            attempt=started.attempt,
            webhook_url=str(webhook.url) if webhook else None,
        )
        with suppress(WorkflowAlreadyStartedError):
            await self._client.start_workflow(
                POST_EXPORT_WORKFLOW,
                task,
                id=post_export_id(execution.id, started.attempt),
                task_queue=CONTROL_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            )
            return True
        return False
