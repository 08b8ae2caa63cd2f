"""`GET /api/jobs/{id}/events`: the only stream."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Response
from starlette.types import Receive, Scope, Send

from api.context import Shared
from api.correlation import correlation_id
from api.events import already_told, stream
from api.frames import EventId
from api.problems import PROBLEM, not_found
from api.server import limit_stall
from api.watch import OwnedWatcher
from picturelock.concurrency import race
from picturelock.models import JobId

router = APIRouter(prefix="/api/jobs", tags=["jobs"])

EXISTENCE_SECONDS: Final = 0.08
"""How long the answer waits to learn that an id is unknown; then the stream is acknowledged and the truth follows."""

STALL_SECONDS: Final = 15.0
"""How long a viewer may take nothing of what is sent to it before its connection is cut."""

_HEADERS: Final = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}


class EventStream(Response):
    """Sends frames as they come, each as soon as it is there, until they end or the client leaves.

    What is `held` is let go then.

    One task a stream, and one small one that waits for the client to leave. (Ready-made responses take three to five,
    for pings and signals that the frames and the watchers already bring: see docs/adr/0004-event-stream.md.)
    """

    media_type = "text/event-stream"

    def __init__(
        self, frames: AsyncGenerator[bytes, None], held: AsyncExitStack, stall_seconds: float = STALL_SECONDS
    ) -> None:
        self.status_code = 200
        self.background = None
        self._frames = frames
        self._held = held
        self._stall_seconds = stall_seconds
        self.init_headers(_HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        limit_stall(scope, self._stall_seconds)
        async with self._held, aclosing(self._frames):
            # The acknowledgement goes out before anything else gets its turn, however many come at once.
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": await anext(self._frames), "more_body": True})
            await race(self._send(send), _gone(receive))
        limit_stall(scope, 0)

    async def _send(self, send: Send) -> None:
        async for frame in self._frames:
            # A client that reads slowly skips; one that reads nothing is cut off by the kernel (see api/server.py).
            await send({"type": "http.response.body", "body": frame, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@router.get(
    "/{job_id}/events",
    response_class=Response,
    responses={
        200: {"description": "Events: see the HTTP contract.", "content": {"text/event-stream": {}}},
        204: {"description": "The job has ended and the client has been told."},
        404: PROBLEM,
        422: PROBLEM,
    },
)
async def stream_events(
    job_id: JobId,
    shared: Shared,
    last_event_id: Annotated[str | None, Header(max_length=64)] = None,
    last_event: Annotated[str | None, Query(alias="lastEventId", max_length=64)] = None,
) -> Response:
    """Acknowledged at once, told until the job has ended."""
    last = EventId.parse(last_event_id or last_event)
    async with AsyncExitStack() as stack:
        job = await stack.enter_async_context(shared.watchers.subscribe(job_id))
        watcher = OwnedWatcher(job, shared.jobs.may_see)
        seen = None if shared.watchers.crowded else await watcher.newer_than(0, EXISTENCE_SECONDS)
        if seen is not None and seen.missing:
            raise not_found(job_id)
        if seen is not None and already_told(seen, last):
            return Response(status_code=204)
        held = stack.pop_all()
    return EventStream(stream(watcher, job_id, correlation_id(), last), held)
