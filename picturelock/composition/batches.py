"""Which segments of a film are rendered together, and which of them are there already."""

import math
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain
from typing import Final

from picturelock.composition.layout import segment_spec
from picturelock.concurrency import gather_limited
from picturelock.errors import StoreUnavailable
from picturelock.models import ArtifactRef, PlannedBatch, RenderedSegment, RenderPlan, Segment, Segments
from picturelock.render.segment import find_segment
from picturelock.reporting import Report
from picturelock.store.store import LOOKUPS, Store

_FEW: Final = 8
"""So many segments that are missing among others are rendered each on its own."""

_MOST_FOUND: Final = 100
"""Found segments of one batch."""

_MOST_BATCHES: Final = 300
"""Batches of a film at the most, however long it is: each is an activity, and a history has to stay small."""

_BEGINNING_SECONDS: Final = (6, 20)
"""So much of the film is rendered before all else, and so much before the rest: whoever waits can watch it."""


async def plan_batches(plan: RenderPlan, store: Store, report: Report) -> list[PlannedBatch]:
    """What is rendered in one go, in the order of scheduling: what is there, the film's beginning, then the longest.

    The longest first, because what comes last then leaves no core idle for long.

    A transition goes with the piece after it, which shows one of its pictures anyway: that halves the history; in a
    very long film several pieces go together. Segments that are there already do, too, and the few that are missing
    then fill the cores better each on its own.
    """
    found = await _found(plan, store, report)
    missing = [segment for segment in plan.timeline.segments if segment.id not in found]
    paired = not found or len(missing) > _FEW
    batches: list[list[Segment]] = []
    for segment in missing:
        if paired and batches and _leads_into(batches[-1][-1], segment):
            batches[-1].append(segment)
        else:
            batches.append([segment])
    size = math.ceil(len(batches) / _MOST_BATCHES)
    together = [[*chain(*batches[at : at + size])] for at in range(0, len(batches), size or 1)]
    fps = plan.timeline.fps
    together.sort(key=lambda batch: _place(batch, fps))
    planned: list[PlannedBatch] = []
    there = [found[segment.id] for segment in plan.timeline.segments if segment.id in found]
    for at in range(0, len(there), _MOST_FOUND):
        some = there[at : at + _MOST_FOUND]
        ref = await store.put_model(Segments(segments=some))
        planned.append(_planned(some, ref))
    return [*planned, *(_planned(batch, None, _urgency(batch, fps)) for batch in together)]


def _urgency(batch: Sequence[Segment], fps: int) -> int:
    """2 for the film's very beginning, 1 for its first seconds, 0 for the rest."""
    return sum(batch[0].start_frame < seconds * fps for seconds in _BEGINNING_SECONDS)


def _place(batch: Sequence[Segment], fps: int) -> tuple[int, int]:
    """Batches of the film's first seconds come in their order, before the others, the longest of those first."""
    urgency = _urgency(batch, fps)
    return -min(1, urgency), batch[0].start_frame if urgency else -sum(segment.frames for segment in batch)


def _planned(
    segments: Sequence[Segment | RenderedSegment], found: ArtifactRef | None, urgency: int = 0
) -> PlannedBatch:
    ids, frames = [segment.id for segment in segments], sum(segment.frames for segment in segments)
    return PlannedBatch(id=ids[-1], frames=frames, segment_ids=ids, urgency=urgency, found=found)


def _leads_into(transition: Segment, piece: Segment) -> bool:
    return transition.kind == "transition" and transition.start_frame + transition.frames == piece.start_frame


async def _found(plan: RenderPlan, store: Store, report: Report) -> dict[str, RenderedSegment]:
    """Segments that need not be rendered, by id; none where the encoder is yet to be chosen."""
    if plan.format.encoder == "hardware":
        return {}
    segments, looked = plan.timeline.segments, 0

    async def look(segment: Segment) -> RenderedSegment | None:
        nonlocal looked
        known = None
        with suppress(StoreUnavailable):  # then it is rendered
            known = await find_segment(segment_spec(plan, segment), store)
        looked += 1
        report(1.0, f"Looked for {looked} of {len(segments)} segments")
        return known.model_copy(update={"id": segment.id, "cached": True}) if known else None

    return {segment.id: segment for segment in await gather_limited(*map(look, segments), limit=LOOKUPS) if segment}
