"""The film strip: every segment, how far it is, and its first picture."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from api.context import Context, Shared
from api.problems import PROBLEM, Problem
from picturelock.errors import ArtifactLost
from picturelock.jobs.status import assemble
from picturelock.jobs.strip import FilmView, film_strip
from picturelock.models import TERMINAL, JobId, Observation
from picturelock.models.strip import FilmStrip
from picturelock.temporal.errors import StateUnavailable

router = APIRouter(prefix="/api/jobs", tags=["jobs"])
FOR_EVER = "private, max-age=31536000, immutable"


async def film_view(observation: Observation, shared: Context) -> FilmView:
    """What is known of an observed job's film. Raises StateUnavailable, StoreUnavailable, ArtifactLost."""
    if observation.result is not None:
        return await shared.services.film_views.published(observation.result)
    if observation.archived or not _is_composed(observation):
        return FilmView()
    try:
        record = await shared.services.film_records.read(observation)
    except StateUnavailable:
        if assemble(observation).status in TERMINAL:
            return FilmView()
        raise
    return await shared.services.film_views.in_the_making(record)


def _is_composed(observation: Observation) -> bool:
    """Whether there is a film to ask for: nobody need be asked before."""
    steps = observation.snapshot.steps if observation.snapshot else []
    return any(step.name == "composition" and step.state == "completed" for step in steps)


@router.head("/{job_id}/segments", include_in_schema=False)
@router.get("/{job_id}/segments", responses={404: PROBLEM, 410: PROBLEM, 422: PROBLEM, 503: PROBLEM})
async def read_strip(job_id: JobId, shared: Shared) -> FilmStrip:
    """Every segment of the film with its state. Empty until the film is composed, and for sound alone."""
    observation = await shared.jobs.observe(job_id)
    fractions = {
        activity.id: activity.heartbeat.fraction if activity.heartbeat else 0.0
        for activity in observation.pending
        if activity.started and activity.stage == "render"
    }
    view = await film_view(observation, shared)
    return film_strip(job_id, assemble(observation).status, view, fractions)


@router.head("/{job_id}/segments/{segment_id}/thumbnail", include_in_schema=False)
@router.get(
    "/{job_id}/segments/{segment_id}/thumbnail",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}, 304: {}, 404: PROBLEM, 410: PROBLEM, 422: PROBLEM, 503: PROBLEM},
)
async def read_thumbnail(
    job_id: JobId,
    segment_id: str,
    shared: Shared,
    v: Annotated[str | None, Query(max_length=64, description="What the strip's address had.")] = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """The segment's first frame as a small JPEG, without captions."""
    view = await film_view(await shared.jobs.observe(job_id), shared)
    segment = (view.rendered or {}).get(segment_id)
    if segment is None or segment.thumbnail is None:
        raise Problem(404, "SEGMENT_NOT_FOUND", f"there is no picture of a segment {segment_id!r}", jobId=job_id)
    tag = f'"{segment.thumbnail.sha256}"'
    current = v is not None and segment.thumbnail.sha256.startswith(v)
    headers = {"ETag": tag, "Cache-Control": FOR_EVER if current else "private, no-cache"}
    if if_none_match and tag in if_none_match:
        return Response(status_code=304, headers=headers)
    try:
        data = await shared.store.read(segment.thumbnail)
    except ArtifactLost as error:  # it can be made again, and goes when room is needed
        text = f"the picture of segment {segment_id!r} was evicted"
        raise Problem(404, "SEGMENT_NOT_FOUND", text, jobId=job_id) from error
    return Response(data, headers=headers, media_type="image/jpeg")
