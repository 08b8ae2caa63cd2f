"""Stage `composition`: pictures made ready, the timeline laid out, captions placed."""

import math
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain
from typing import Final

from temporalio import activity

from activities.contracts import COMPOSE, LOOKUPS, Composition, CompositionTask, PlannedBatch, Segments
from activities.decorators import lively
from activities.heartbeat import Pulse
from picturelock.composition.compose import Composer, Report
from picturelock.composition.layout import segment_spec
from picturelock.composition.visuals.source import sources
from picturelock.concurrency import together
from picturelock.errors import StoreUnavailable
from picturelock.models import (
    NOTES_KEPT,
    ArtifactRef,
    ExportRequest,
    Narration,
    RenderedSegment,
    RenderPlan,
    Script,
    Segment,
)
from picturelock.render.segment import find_segment
from picturelock.settings import settings
from picturelock.store.store import Store, default_store

_FEW: Final = 8
"""So many segments that are missing among others are rendered each on its own."""

_MOST_FOUND: Final = 100
"""Found segments of one activity."""

_MOST_BATCHES: Final = 300
"""Activities that a film's rendering takes at the most, however long it is: its history has to stay small."""


@activity.defn(name=COMPOSE)
@lively("composition")
async def compose_film(task: CompositionTask, pulse: Pulse) -> Composition:
    """Composes the film on paper and stores the plan."""
    store = default_store()
    request = ExportRequest.model_validate_json(await store.read(task.request))
    script = Script.model_validate_json(await store.read(task.script))
    narrations = [Narration.model_validate_json(await store.read(ref)) for ref in task.narrations]
    configured = settings()
    composer = Composer(
        request, script, narrations, store, configured.scratch, sources(configured), configured.max_asset_bytes
    )
    composed = await composer.compose(pulse.advance)
    plan = composed.plan
    ref = await store.put_bytes(plan.model_dump_json().encode(), "application/json")
    return Composition(
        plan=ref,
        segments=await planned_batches(plan, store, pulse.advance),
        total_frames=plan.timeline.total_frames,
        duration_seconds=plan.timeline.duration_seconds,
        hardware=plan.format.encoder == "hardware" and plan.format.has_picture,
        warnings=plan.warnings[:NOTES_KEPT],
        warnings_total=len(plan.warnings),
        pictures_found=composed.pictures_found,
        pictures_made=composed.pictures_made,
    )


async def planned_batches(plan: RenderPlan, store: Store, report: Report) -> list[PlannedBatch]:
    """What is rendered in one go, the longest first: so scheduled, what comes last leaves no core idle for long.

    A transition goes with the piece after it, which shows one of its pictures anyway: that halves the history; in a
    very long film several pieces go together. Segments that are there already do, too, and the few that are missing
    then fill the cores better each on its own.
    """
    found = await _found(plan, store, report)
    missing = [one for one in plan.timeline.segments if one.id not in found]
    paired = not found or len(missing) > _FEW
    batches: list[list[Segment]] = []
    for segment in missing:
        if paired and batches and _leads_into(batches[-1][-1], segment):
            batches[-1].append(segment)
        else:
            batches.append([segment])
    size = math.ceil(len(batches) / _MOST_BATCHES)
    planned = [_planned([*chain(*batches[at : at + size])], None) for at in range(0, len(batches), size or 1)]
    there = [found[one.id] for one in plan.timeline.segments if one.id in found]
    for at in range(0, len(there), _MOST_FOUND):
        some = there[at : at + _MOST_FOUND]
        ref = await store.put_bytes(Segments(segments=some).model_dump_json().encode(), "application/json")
        planned.append(_planned(some, ref))
    return sorted(planned, key=lambda one: -one.frames)


def _planned(segments: Sequence[Segment | RenderedSegment], found: ArtifactRef | None) -> PlannedBatch:
    ids = [one.id for one in segments]
    return PlannedBatch(id=ids[-1], frames=sum(one.frames for one in segments), segment_ids=ids, found=found)


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

    return {one.id: one for one in await together(*map(look, segments), at_once=LOOKUPS) if one}
