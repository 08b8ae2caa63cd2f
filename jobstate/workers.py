"""Which task queues a live worker serves, from the workers' own heartbeats.

Pollers are no proof of life: dead ones stay listed and busy ones look stale (measured).
"""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.api.enums.v1 import WorkerStatus
from temporalio.api.workflowservice.v1 import ListWorkersRequest
from temporalio.client import Client

from picturelock.stages import EXPORTS_QUEUE, RENDER_QUEUE

HEARTBEAT_SECONDS: Final = 2.0
ALIVE_SECONDS: Final = 6.0
_KEEP_SECONDS: Final = 0.5


class WorkerRoll:
    """Calls the roll of workers at most twice a second, however many ask."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = asyncio.Lock()
        self._queues: list[str] = []
        self._read_at = float("-inf")

    async def live_queues(self) -> list[str]:
        """The task queues with a live worker. Raises RPCError."""
        async with self._lock:
            if time.monotonic() - self._read_at > _KEEP_SECONDS:
                self._queues = await self._read()
                self._read_at = time.monotonic()
            return self._queues

    async def _read(self) -> list[str]:
        request = ListWorkersRequest(namespace=self._client.namespace, page_size=200)
        response = await self._client.workflow_service.list_workers(request, timeout=timedelta(seconds=1))
        now = datetime.now(UTC)
        live = set()
        for info in response.workers_info:
            beat = info.worker_heartbeat
            age = now - beat.heartbeat_time.ToDatetime(tzinfo=UTC)
            stopped = beat.status == WorkerStatus.WORKER_STATUS_SHUTDOWN
            if age < timedelta(seconds=ALIVE_SECONDS) and not stopped:
                live.add(beat.task_queue)
        return sorted(live & {EXPORTS_QUEUE, RENDER_QUEUE})
