"""A film that is watched while it is made: an HLS playlist of its finished beginning, and its fragments."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response

from api.context import Context, Shared
from api.problems import PROBLEM, Problem
from api.strip import FOR_EVER, film_view
from picturelock.jobs.status import assemble
from picturelock.jobs.strip import FilmView
from picturelock.models import TERMINAL, ArtifactRef, JobId, Segment, Status, Timeline
from picturelock.preview.playlist import playlist

router = APIRouter(prefix="/api/jobs", tags=["files"])
_PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    404: PROBLEM,
    409: PROBLEM,
    410: PROBLEM,
    422: PROBLEM,
    503: PROBLEM,
}
_PLAYLIST: Final = "application/vnd.apple.mpegurl"
_DIGITS: Final = 16
Version = Annotated[str | None, Query(max_length=64, description="What the playlist's address had.")]


class _Playable:
    """The part of a job's film that can be played, and where its bytes are. Raises Problem where there is none."""

    def __init__(self, job_id: str, status: Status, view: FilmView) -> None:
        timeline = view.timeline
        if (timeline is not None and not timeline.segments) or (view.film and view.film.media_type != "video/mp4"):
            text = "only films in MP4 have a preview; a finished film of another kind is at …/output"
            raise Problem(404, "PREVIEW_NOT_OFFERED", text, jobId=job_id)
        segments = list(timeline.segments) if timeline and view.film else view.beginning()
        if timeline is None or view.sound is None or not segments:
            raise Problem(
                409, "NOT_PLAYABLE_YET", "the film's beginning and its sound are not made yet", jobId=job_id,
                jobStatus=status, headers={"Retry-After": "1"},
            )  # fmt: skip
        self.timeline: Timeline = timeline
        self.sound: ArtifactRef = view.film or view.sound
        self.segments: list[Segment] = segments
        self.film = view.film
        self.rendered = view.rendered or {}
        self.ended = status in TERMINAL
        self._job_id = job_id

    @property
    def version(self) -> str:
        """Of the fragments' bytes: those of the film, or of what it is being made of."""
        return self.sound.sha256[:_DIGITS]

    def pictures(self, segment: Segment) -> ArtifactRef:
        """The file that has a segment's pictures."""
        return self.film or self.rendered[segment.id].artifact

    def find(self, segment_id: str) -> tuple[int, Segment]:
        """A segment that can be played and its number. Raises Problem."""
        for number, segment in enumerate(self.segments, 1):
            if segment.id == segment_id:
                return number, segment
        text = f"no segment {segment_id!r} can be played (yet)"
        raise Problem(404, "SEGMENT_NOT_FOUND", text, jobId=self._job_id)


async def _playable(job_id: str, shared: Context) -> _Playable:
    observation = await shared.jobs.observe(job_id)
    return _Playable(job_id, assemble(observation).status, await film_view(observation, shared))


@router.head("/{job_id}/preview.m3u8", include_in_schema=False)
@router.get(
    "/{job_id}/preview.m3u8",
    response_class=Response,
    responses={200: {"content": {_PLAYLIST: {}}}, **_PROBLEMS},
)
async def read_playlist(job_id: JobId, shared: Shared) -> Response:
    """The finished beginning as HLS: it grows while the film is made; afterwards it is the verified film."""
    playable = await _playable(job_id, shared)
    text = playlist(
        playable.segments,
        playable.timeline.fps,
        "VOD" if playable.film else "EVENT",
        playable.version,
        longest=max(segment.frames for segment in playable.timeline.segments),
        ended=playable.ended,
    )
    return Response(text, media_type=_PLAYLIST, headers={"Cache-Control": "no-store"})


@router.head("/{job_id}/preview/init.mp4", include_in_schema=False)
@router.get(
    "/{job_id}/preview/init.mp4",
    response_class=Response,
    responses={200: {"content": {"video/mp4": {}}}, **_PROBLEMS},
)
async def read_header(job_id: JobId, shared: Shared, v: Version = None) -> Response:
    """What a player needs before any fragment."""
    playable = await _playable(job_id, shared)
    pictures = playable.pictures(playable.segments[0])
    data = await shared.services.stretches.header(pictures, playable.sound)
    return _answer(data, playable, v)


@router.head("/{job_id}/preview/{segment_id}.m4s", include_in_schema=False)
@router.get(
    "/{job_id}/preview/{segment_id}.m4s",
    response_class=Response,
    responses={200: {"content": {"video/iso.segment": {}}}, **_PROBLEMS},
)
async def read_fragment(job_id: JobId, segment_id: str, shared: Shared, v: Version = None) -> Response:
    """One segment with its sound: the packets that the film has, with their times in it."""
    playable = await _playable(job_id, shared)
    number, segment = playable.find(segment_id)
    fps, stretches = playable.timeline.fps, shared.services.stretches
    last = segment.id == playable.timeline.segments[-1].id
    if playable.film:
        data = await stretches.of_film(number, segment, fps, playable.film, last=last)
    else:
        pictures = playable.pictures(segment)
        data = await stretches.of_segment(number, segment, fps, pictures, playable.sound, last=last)
    return _answer(data, playable, v, "video/iso.segment")


def _answer(data: bytes, playable: _Playable, version: str | None, media_type: str = "video/mp4") -> Response:
    kept = FOR_EVER if version == playable.version else "private, no-cache"
    return Response(data, media_type=media_type, headers={"Cache-Control": kept})
