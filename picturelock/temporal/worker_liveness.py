"""Which task queues a live worker serves, from the workers' own heartbeats.

It is an addition to a job's state, and never delays it: a server that cannot list its workers (too old, too slow,
forbidden) leaves it unknown. Pollers are no proof of life: dead ones stay listed and busy ones look stale (measured).
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.api.enums.v1 import WorkerStatus
from temporalio.api.worker.v1 import WorkerHeartbeat
from temporalio.api.workflowservice.v1 import ListWorkersRequest
from temporalio.client import Client
from temporalio.service import RPCError

from picturelock.jobs.stages import EXPORTS_QUEUE, RENDER_QUEUE
from picturelock.temporal.decoding import time_of
from picturelock.temporal.errors import UNSUPPORTED

HEARTBEAT_SECONDS: Final = 2.0
ALIVE_SECONDS: Final = 6.0
_KEEP_SECONDS: Final = 0.5
_WAIT_SECONDS: Final = 0.5
"""How long whoever asks waits for a server that answers as a rule."""

_CALL_SECONDS: Final = 5.0
_AGAIN_SECONDS: Final = 30.0
"""When a server that does not list workers is asked again."""

_PAGE: Final = 200
_PAGES: Final = 10
_QUEUES: Final = frozenset({EXPORTS_QUEUE, RENDER_QUEUE})


@dataclass(slots=True)
class _Worker:
    """One worker as it was last read. `behind` is how much older its newest beat looks by our clock than it is."""

    queue: str
    beat_at: datetime
    read_at: float
    behind: timedelta | None
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class LiveWorkers:
    """What is known of the workers of our task queues, by our own clock."""

    live: Mapping[str, int]
    """The queues that somebody serves, and by how many workers."""

    heard_at: dict[str, datetime]
    """When a worker of each queue was last heard of, as far as is known."""

    since: datetime
    """Since when workers have been listed: one that was not heard of since is not there."""


class WorkerLiveness:
    """Lists the workers at most twice a second, however many ask.

    A worker says by its own clock when it beat, and that may be another one than ours: what counts is that the time
    changes. A beat that is new is at most as old as it looks; the least that this ever was is the clocks' difference.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._workers: dict[str, _Worker] = {}
        self._known: bool | None = None
        self._since: datetime | None = None
        self._reading: asyncio.Task[None] | None = None
        self._next_at = float("-inf")

    async def read(self) -> LiveWorkers | None:
        """Who is alive; None while the server cannot tell. A slow server is not waited for twice. Nothing is raised."""
        if self._reading is None and time.monotonic() >= self._next_at:
            self._reading = asyncio.create_task(self._refresh())
        if self._reading is not None and self._known is not False:
            await asyncio.wait({self._reading}, timeout=_WAIT_SECONDS)
            if self._reading is not None:
                self._known = False
        return self._live(datetime.now(UTC)) if self._known else None

    async def _refresh(self) -> None:
        wait = _KEEP_SECONDS
        try:
            self._take_note(await self._beats(), datetime.now(UTC), time.monotonic())
            self._known = True
            self._since = self._since or datetime.now(UTC)
        except (RPCError, TimeoutError, RuntimeError) as error:
            self._known = False
            if isinstance(error, RPCError) and error.status in UNSUPPORTED:
                wait = _AGAIN_SECONDS
        finally:
            self._next_at = time.monotonic() + wait
            self._reading = None

    def _take_note(self, beats: list[WorkerHeartbeat], now: datetime, read_at: float) -> None:
        """Compares what is listed with what was. A server that was started again has yet to hear of its workers."""
        alive = timedelta(seconds=ALIVE_SECONDS)
        for beat in beats:
            beat_at = time_of(beat.heartbeat_time)
            old, seems = self._workers.get(beat.worker_instance_key), now - beat_at
            if old is None:
                agreed = abs(seems) <= alive
                behind = min(seems, timedelta()) if agreed else None
                old = _Worker(beat.task_queue, beat_at, read_at, behind)
                self._workers[beat.worker_instance_key] = old
            elif beat_at != old.beat_at:
                just_now = read_at - old.read_at <= ALIVE_SECONDS
                if old.behind is None or seems < old.behind or (just_now and seems > old.behind + alive):
                    old.behind = seems
                old.beat_at = beat_at
            old.read_at, old.stopped = read_at, _stopped(beat)
        listed = {beat.worker_instance_key for beat in beats}
        for key, worker in list(self._workers.items()):
            gone = worker.behind is None or now - worker.beat_at - worker.behind > 10 * alive
            if key not in listed and gone:
                del self._workers[key]

    def _live(self, now: datetime) -> LiveWorkers:
        limit = now - timedelta(seconds=ALIVE_SECONDS)
        heard_at: dict[str, datetime] = {}
        live: Counter[str] = Counter()
        for worker in self._workers.values():
            if worker.behind is None:
                continue  # by its clock it is long gone, or not yet there: its next beat will tell
            beat_at = min(now, worker.beat_at + worker.behind)
            heard_at[worker.queue] = max(beat_at, heard_at.get(worker.queue, beat_at))
            if beat_at > limit and not worker.stopped:
                live[worker.queue] += 1
        return LiveWorkers(dict(sorted(live.items())), heard_at, self._since or now)

    async def _beats(self) -> list[WorkerHeartbeat]:
        beats: list[WorkerHeartbeat] = []
        token = b""
        async with asyncio.timeout(_CALL_SECONDS):
            for _ in range(_PAGES):
                request = ListWorkersRequest(namespace=self._client.namespace, page_size=_PAGE, next_page_token=token)
                answer = await self._client.workflow_service.list_workers(request)
                beats += [info.worker_heartbeat for info in answer.workers_info]
                if not (token := answer.next_page_token):
                    break
        return [beat for beat in beats if beat.task_queue in _QUEUES]


def _stopped(beat: WorkerHeartbeat) -> bool:
    return beat.status == WorkerStatus.WORKER_STATUS_SHUTDOWN
