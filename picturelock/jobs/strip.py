"""The strip of a film from what is known of it: pure, like the verdict on a job."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from picturelock.models import ArtifactRef, NamedArtifact, RenderedSegment, Segment, Status, Timeline
from picturelock.models.strip import FilmBatch, FilmStrip, SegmentState, StripSegment


@dataclass(frozen=True, slots=True)
class FilmView:
    """A film in the making, or made: its timeline, its finished segments by id, its sound or the beginning of it."""

    timeline: Timeline | None = None
    rendered: Mapping[str, RenderedSegment] | None = None
    batches: Sequence[FilmBatch] = ()
    sound: ArtifactRef | None = None
    sounds_for: float | None = None
    """Seconds of the film's beginning that `sound` has; None: all of them."""

    film: NamedArtifact | None = None
    """The verified film, once it is published."""

    def beginning(self) -> list[Segment]:
        """The finished segments from the film's first frame on; none before its sound is there."""
        if self.timeline is None or self.sound is None:
            return []
        finished = []
        heard = self.timeline.total_frames if self.sounds_for is None else self.sounds_for * self.timeline.fps
        for segment in self.timeline.segments:
            if segment.id not in (self.rendered or {}) or segment.start_frame + segment.frames > heard:
                break
            finished.append(segment)
        return finished


def film_strip(job_id: str, status: Status, view: FilmView, fractions: Mapping[str, float]) -> FilmStrip:
    """The strip. `fractions` says how far each running activity is, by its id."""
    timeline = view.timeline
    if timeline is None:
        return FilmStrip(job_id=job_id, status=status)
    drawn = dict(_drawn(view, fractions))
    tiles = []
    for segment in timeline.segments:
        ready = (view.rendered or {}).get(segment.id)
        state, progress = drawn.get(segment.id, ("waiting", 0.0))
        if ready is not None:
            state, progress = "found" if ready.cached else "made", 100.0
        tiles.append(
            StripSegment(
                id=segment.id,
                kind=segment.kind,
                start_frame=segment.start_frame,
                frames=segment.frames,
                title=timeline.scenes[segment.scene_indexes[0]].title or "",
                state=state,
                progress=round(progress, 1),
                thumbnail=_thumbnail(job_id, ready),
            )
        )
    seconds = sum(segment.frames for segment in view.beginning()) / timeline.fps
    return FilmStrip(
        job_id=job_id,
        status=status,
        fps=timeline.fps,
        total_frames=timeline.total_frames,
        preview_seconds=round(seconds, 3),
        segments=tiles,
    )


def _thumbnail(job_id: str, ready: RenderedSegment | None) -> str | None:
    """The digest in the address lets it be kept for ever: another picture has another address."""
    if ready is None or ready.thumbnail is None:
        return None
    return f"/api/jobs/{job_id}/segments/{ready.id}/thumbnail?v={ready.thumbnail.sha256[:16]}"


def _drawn(view: FilmView, fractions: Mapping[str, float]) -> Iterator[tuple[str, tuple[SegmentState, float]]]:
    """How far the segments of unfinished batches are: those of one batch are drawn one after the other."""
    lengths = {segment.id: segment.frames for segment in view.timeline.segments} if view.timeline else {}
    for batch in view.batches:
        if batch.made is None:
            yield from _of_batch(batch, lengths, fractions.get(batch.activity_id))


def _of_batch(
    batch: FilmBatch, lengths: Mapping[str, int], fraction: float | None
) -> Iterator[tuple[str, tuple[SegmentState, float]]]:
    left = batch.frames * (fraction or 0.0)
    for segment_id in batch.segment_ids:
        frames = lengths.get(segment_id, 0)
        share = min(1.0, left / frames) if frames else 0.0
        left = max(0.0, left - frames)
        state: SegmentState = "failed" if batch.failed else "drawing" if fraction is not None else "waiting"
        if state == "drawing" and share <= 0.0 and segment_id != batch.segment_ids[0]:
            state = "waiting"
        yield segment_id, (state, 100.0 * share)
