"""Which task queues a live worker serves, from the workers' own heartbeats.

Pollers are no proof of life: dead ones stay listed and busy ones look stale (measured).
"""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.api.enums.v1 import WorkerStatus
from temporalio.api.worker.v1 import WorkerHeartbeat
from temporalio.api.workflowservice.v1 import ListWorkersRequest
from temporalio.client import Client

from jobstate.decoding import time_of
from picturelock.stages import EXPORTS_QUEUE, RENDER_QUEUE

HEARTBEAT_SECONDS: Final = 2.0
ALIVE_SECONDS: Final = 6.0
_KEEP_SECONDS: Final = 0.5
_PAGE: Final = 200
_PAGES: Final = 10
_QUEUES: Final = frozenset({EXPORTS_QUEUE, RENDER_QUEUE})


class WorkerRoll:
    """Calls the roll of workers at most twice a second, however many ask."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = asyncio.Lock()
        self._heard: dict[str, datetime] = {}
        self._stopped: set[str] = set()
        self._read_at = float("-inf")

    async def heard_at(self) -> dict[str, datetime]:
        """When a worker of each of our task queues was last heard of, as far as is remembered. Raises RPCError."""
        async with self._lock:
            if time.monotonic() - self._read_at > _KEEP_SECONDS:
                await self._call()
                self._read_at = time.monotonic()
            return dict(self._heard)

    def live_among(self, heard: Mapping[str, datetime]) -> list[str]:
        """The task queues with a live worker: heard of lately, and not all of them stopping."""
        limit = datetime.now(UTC) - timedelta(seconds=ALIVE_SECONDS)
        return sorted(queue for queue, at in heard.items() if at > limit and queue not in self._stopped)

    async def live_processes(self) -> dict[str, set[int]]:
        """For each of our task queues the process ids of its live workers. Raises RPCError."""
        live: dict[str, set[int]] = {}
        for beat in await self._beats():
            if _alive(beat):
                live.setdefault(beat.task_queue, set()).add(int(beat.host_info.process_id or 0))
        return live

    async def _call(self) -> None:
        beats = await self._beats()
        for beat in beats:
            at = time_of(beat.heartbeat_time)
            self._heard[beat.task_queue] = max(at, self._heard.get(beat.task_queue, at))
        # A server that was started again has yet to hear of its workers: what is not listed is judged by its age.
        listed = {beat.task_queue for beat in beats}
        self._stopped = listed - {beat.task_queue for beat in beats if _alive(beat)}

    async def _beats(self) -> list[WorkerHeartbeat]:
        beats: list[WorkerHeartbeat] = []
        token = b""
        for _ in range(_PAGES):
            request = ListWorkersRequest(namespace=self._client.namespace, page_size=_PAGE, next_page_token=token)
            answer = await self._client.workflow_service.list_workers(request, timeout=timedelta(seconds=1))
            beats += [info.worker_heartbeat for info in answer.workers_info]
            if not (token := answer.next_page_token):
                break
        return [beat for beat in beats if beat.task_queue in _QUEUES]


def _alive(beat: WorkerHeartbeat) -> bool:
    age = datetime.now(UTC) - time_of(beat.heartbeat_time)
    return age < timedelta(seconds=ALIVE_SECONDS) and beat.status != WorkerStatus.WORKER_STATUS_SHUTDOWN
