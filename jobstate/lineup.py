"""Who came first: the open exports by the time they were started."""

import asyncio
import time
from bisect import bisect_left
from datetime import datetime
from typing import Final

from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest
from temporalio.client import Client
from temporalio.service import RPCError

from jobstate.decoding import time_of
from jobstate.names import EXPORT_WORKFLOW

_KEEP_SECONDS: Final = 2.0
_LIST_SECONDS: Final = 1.0
_PAGE: Final = 1000


class LineUp:
    """Reads the open exports at most every two seconds, however many ask."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = asyncio.Lock()
        self._starts: list[datetime] | None = None
        self._read_at = float("-inf")

    async def ahead_of(self, started_at: datetime) -> int | None:
        """How many open exports were started before (at most a thousand are counted); None when that is not known."""
        async with self._lock:
            if time.monotonic() - self._read_at > _KEEP_SECONDS:
                self._starts = await self._read()
                self._read_at = time.monotonic()
        return None if self._starts is None else bisect_left(self._starts, started_at)

    async def _read(self) -> list[datetime] | None:
        request = ListWorkflowExecutionsRequest(
            namespace=self._client.namespace,
            page_size=_PAGE,
            query=f"WorkflowType = '{EXPORT_WORKFLOW}' AND ExecutionStatus = 'Running'",
        )
        try:
            async with asyncio.timeout(_LIST_SECONDS):
                answer = await self._client.workflow_service.list_workflow_executions(request)
        except (RPCError, TimeoutError):
            return None  # a remark less; the state of a job does not hang on it
        return sorted(time_of(one.start_time) for one in answer.executions)
