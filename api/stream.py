"""`GET /api/jobs/{id}/events`: the only stream."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Response
from sse_starlette import EventSourceResponse

from api.context import Shared
from api.correlation import correlation_id
from api.events import EventId, already_told, stream
from api.jobs import PROBLEM
from api.problems import not_found
from picturelock.models import JobId

router = APIRouter(prefix="/api/jobs", tags=["jobs"])

EXISTENCE_SECONDS: Final = 0.08
"""How long the answer waits to learn that an id is unknown; then the stream is acknowledged and the truth follows."""

SEND_TIMEOUT_SECONDS: Final = 15.0
_HEADERS: Final = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
_NEVER: Final = 86_400


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
        watcher = await stack.enter_async_context(shared.watchers.subscribe(job_id))
        seen = await watcher.newer_than(0, EXISTENCE_SECONDS)
        if seen is not None and seen.missing:
            raise not_found(job_id)
        if seen is not None and already_told(seen, last):
            return Response(status_code=204)
        held = stack.pop_all()
    events = _held(held, stream(watcher, job_id, correlation_id(), last))
    return EventSourceResponse(events, headers=_HEADERS, ping=_NEVER, send_timeout=SEND_TIMEOUT_SECONDS)


async def _held(held: AsyncExitStack, events: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The events, with the subscription that the route took over kept until they end."""
    async with held:
        async for event in events:
            yield event
