"""Since when exports have been open: what they may have found in the cache must not be deleted before they close."""

from datetime import datetime

from temporalio.client import Client

from picturelock.temporal.names import EXPORT_WORKFLOW


async def oldest_open(client: Client) -> datetime | None:
    """When the oldest open export was started; None when there is none. Raises RPCError.

    Temporal's list lags behind its executions by moments; callers leave a margin.
    """
    query = f"WorkflowType = '{EXPORT_WORKFLOW}' AND ExecutionStatus = 'Running'"
    return min([execution.start_time async for execution in client.list_workflows(query)], default=None)
