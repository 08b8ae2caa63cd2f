"""Who came first: the open exports by the time they were started."""

import asyncio
import time
from bisect import bisect_left
from datetime import datetime
from typing import Final

from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest
from temporalio.client import Client
from temporalio.service import RPCError

from picturelock.temporal.decoding import time_of
from picturelock.temporal.names import EXPORT_WORKFLOW
from picturelock.temporal.owners import owner_of

_KEEP_SECONDS: Final = 2.0
_SHARE_OF_TIME: Final = 0.1
"""Reading takes at most a tenth of the time, however many are open."""

_PAGE_SECONDS: Final = 2.0
_PAGE: Final = 1_000
_PAGES: Final = 50


class QueuePosition:
    """Reads the open exports at most every two seconds, however many ask."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = asyncio.Lock()
        self._starts: dict[str, list[datetime]] | None = None
        self._next_at = float("-inf")

    async def ahead_of(self, started_at: datetime, owner: str) -> int | None:
        """How many open exports of the same owner were started before; None when that is not known.

        Owners are served in turn: how many another one has waiting is nobody else's business, and delays nobody much.
        """
        async with self._lock:
            if (began := time.monotonic()) >= self._next_at:
                self._starts = await self._read()
                took = time.monotonic() - began
                self._next_at = time.monotonic() + max(_KEEP_SECONDS, took / _SHARE_OF_TIME)
        return None if self._starts is None else bisect_left(self._starts.get(owner, []), started_at)

    async def _read(self) -> dict[str, list[datetime]] | None:
        starts: dict[str, list[datetime]] = {}
        token = b""
        for _ in range(_PAGES):
            request = ListWorkflowExecutionsRequest(
                namespace=self._client.namespace,
                page_size=_PAGE,
                next_page_token=token,
                query=f"WorkflowType = '{EXPORT_WORKFLOW}' AND ExecutionStatus = 'Running'",
            )
            try:
                async with asyncio.timeout(_PAGE_SECONDS):
                    answer = await self._client.workflow_service.list_workflow_executions(request)
            except (RPCError, TimeoutError):
                return None  # the state of a job does not depend on it
            for execution in answer.executions:
                owner = owner_of(execution.search_attributes)
                starts.setdefault(owner, []).append(time_of(execution.start_time))
            if not (token := answer.next_page_token):
                return {owner: sorted(times) for owner, times in starts.items()}
        return None
