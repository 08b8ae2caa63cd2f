"""`GET /api/events`: one stream for many jobs, for pages that show several. A browser allows six connections a host."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from api.context import Context, Shared
from api.correlation import correlation_id
from api.events import HEARTBEAT_SECONDS, EventEncoder
from api.frames import connected_frame, stamp
from api.listing import Cursor, Filter, read_page
from api.notices import heartbeat, missing
from api.problems import PROBLEM
from api.stream import EventStream
from api.watch import OwnedWatcher, WatchedState
from picturelock.models import JobId
from picturelock.temporal.errors import StateUnavailable

router = APIRouter(prefix="/api", tags=["jobs"])
MOST_JOBS: Final = 50
_LIST_SECONDS: Final = 3.0
_PATIENCE_SECONDS: Final = 60.0


@dataclass(slots=True)
class _News:
    """The newest state of each job that its viewer has not had yet: who reads slowly skips."""

    waiting: dict[str, WatchedState] = field(default_factory=dict)
    encoders: dict[str, EventEncoder] = field(default_factory=dict)
    there: asyncio.Event = field(default_factory=asyncio.Event)

    def bring(self, job_id: str, state: WatchedState) -> None:
        self.waiting[job_id] = state
        self.there.set()

    def take(self) -> bytes:
        """The frames of all that is waiting."""
        states, self.waiting = self.waiting, {}
        self.there.clear()
        return b"".join(self._frames(job_id, state) for job_id, state in states.items())

    def _frames(self, job_id: str, state: WatchedState) -> bytes:
        if state.missing:
            return missing(job_id)
        return self.encoders.setdefault(job_id, EventEncoder(None, job_id)).frames_for(state)


@router.get(
    "/events",
    response_class=Response,
    responses={
        200: {"description": "Events: see the HTTP contract.", "content": {"text/event-stream": {}}},
        422: PROBLEM,
    },
)
async def stream_many(
    shared: Shared,
    job: Annotated[
        list[JobId] | None, Query(max_length=MOST_JOBS, description="Which jobs; without it, the caller's newest ones.")
    ] = None,
) -> Response:
    """One stream for up to 50 jobs: the events of each, which carry its id. It stays open when they have ended."""
    return EventStream(_stream(shared, list(dict.fromkeys(job or [])), correlation_id()), AsyncExitStack())


async def _stream(shared: Context, job_ids: list[str], correlation: str) -> AsyncGenerator[bytes, None]:
    yield connected_frame({"message": "Connected", "timestamp": stamp(), "correlationId": correlation})
    news = _News()
    tasks = {job_id: asyncio.create_task(_follow(shared, job_id, news)) for job_id in job_ids}
    looking = None if job_ids else asyncio.create_task(_discover(shared, news, tasks))
    sent_at = time.monotonic()
    try:
        while not shared.watchers.closing:
            quiet = HEARTBEAT_SECONDS - (time.monotonic() - sent_at)
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, quiet)):
                    await news.there.wait()
            frames = news.take()
            if not frames and time.monotonic() - sent_at < HEARTBEAT_SECONDS:
                continue
            yield frames or heartbeat()
            sent_at = time.monotonic()
    finally:
        for task in (*tasks.values(), *([looking] if looking else [])):
            task.cancel()


async def _follow(shared: Context, job_id: str, news: _News) -> None:
    """Brings the states of one job, to its end."""
    version = 0
    async with shared.watchers.subscribe(job_id) as watched:
        watcher = OwnedWatcher(watched, shared.jobs.may_see)
        while not watcher.is_closing():
            state = await watcher.newer_than(version, _PATIENCE_SECONDS)
            if state is None:
                continue
            version = state.version
            news.bring(job_id, state)
            if state.final:
                return
    news.there.set()


async def _discover(shared: Context, news: _News, tasks: dict[str, asyncio.Task[None]]) -> None:
    """Follows the caller's newest jobs, and those that are started meanwhile."""
    while True:
        with suppress(StateUnavailable):
            page = await read_page(shared, Filter(), Cursor(), MOST_JOBS)
            for listed in page.jobs:
                if listed.id not in tasks and len(tasks) < 2 * MOST_JOBS:
                    tasks[listed.id] = asyncio.create_task(_follow(shared, listed.id, news))
        await asyncio.sleep(_LIST_SECONDS)
