"""Which exports are open, as far as everything that they may have seen is concerned."""

from datetime import datetime

from temporalio.client import Client

from picturelock.temporal.names import EXPORT_WORKFLOW


async def oldest_open(client: Client) -> datetime | None:
    """When the oldest open export was started; None when there is none. Raises RPCError.

    Temporal's list lags behind its executions by moments; callers leave a margin.
    """
    query = f"WorkflowType = '{EXPORT_WORKFLOW}' AND ExecutionStatus = 'Running'"
    return min([execution.start_time async for execution in client.list_workflows(query)], default=None)
