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
_QUEUES: Final = frozenset({EXPORTS_QUEUE, RENDER_QUEUE})


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
                self._queues = sorted(await self.live_processes())
                self._read_at = time.monotonic()
            return self._queues

    async def live_processes(self) -> dict[str, set[int]]:
        """For each of our task queues the process ids of its live workers. Raises RPCError."""
        request = ListWorkersRequest(namespace=self._client.namespace, page_size=200)
        response = await self._client.workflow_service.list_workers(request, timeout=timedelta(seconds=1))
        now = datetime.now(UTC)
        live: dict[str, set[int]] = {}
        for info in response.workers_info:
            beat = info.worker_heartbeat
            age = now - beat.heartbeat_time.ToDatetime(tzinfo=UTC)
            stopped = beat.status == WorkerStatus.WORKER_STATUS_SHUTDOWN
            if beat.task_queue in _QUEUES and age < timedelta(seconds=ALIVE_SECONDS) and not stopped:
                live.setdefault(beat.task_queue, set()).add(int(beat.host_info.process_id or 0))
        return live
