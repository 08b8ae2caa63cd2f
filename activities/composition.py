"""Stage `composition`: pictures made ready, the timeline laid out, captions placed."""

import asyncio
from typing import Final

from temporalio import activity

from activities.contracts import COMPOSE, Composition, CompositionTask, PlannedBatch
from activities.liveness import Pulse, lively
from picturelock.composition.compose import Composer
from picturelock.composition.layout import segment_spec
from picturelock.models import ExportRequest, Narration, RenderPlan, Script, Segment
from picturelock.rendering import find_segment
from picturelock.settings import settings
from picturelock.storage import Store, default_store
from picturelock.together import together
from picturelock.visuals.source import sources

_FEW: Final = 8
"""So many segments are rendered each on its own."""

_LOOKUPS: Final = 16
"""Segments that are looked up at once."""

_MOST_FOUND: Final = 100
"""Found segments of one activity: its result has to fit into a history."""


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
        segments=await _batches(plan, store),
        total_frames=plan.timeline.total_frames,
        duration_seconds=plan.timeline.duration_seconds,
        hardware=plan.format.encoder == "hardware" and plan.format.has_picture,
        warnings=plan.warnings,
        pictures_found=composed.pictures_found,
        pictures_made=composed.pictures_made,
    )


async def _batches(plan: RenderPlan, store: Store) -> list[PlannedBatch]:
    """What is rendered in one go, the longest first: so scheduled, what comes last leaves no core idle for long.

    Where much is to be rendered, a transition goes with the piece after it, which shows one of its pictures anyway:
    that halves the history. Segments that are there already go together; they are only looked up again.
    """
    found = await _found(plan, store)
    there = [one for one in plan.timeline.segments if one.id in found]
    missing = [one for one in plan.timeline.segments if one.id not in found]
    paired = len(missing) > _FEW
    batches: list[list[Segment]] = []
    for segment in missing:
        if paired and batches and _leads_into(batches[-1][-1], segment):
            batches[-1].append(segment)
        else:
            batches.append([segment])
    batches += [there[at : at + _MOST_FOUND] for at in range(0, len(there), _MOST_FOUND)]
    planned = [
        PlannedBatch(id=batch[-1].id, frames=sum(one.frames for one in batch), segment_ids=[one.id for one in batch])
        for batch in batches
    ]
    return sorted(planned, key=lambda one: -one.frames)


def _leads_into(transition: Segment, piece: Segment) -> bool:
    return transition.kind == "transition" and transition.start_frame + transition.frames == piece.start_frame


async def _found(plan: RenderPlan, store: Store) -> set[str]:
    """The ids of segments that need not be rendered; none where the encoder is yet to be chosen."""
    if plan.format.encoder == "hardware":
        return set()
    slots = asyncio.Semaphore(_LOOKUPS)

    async def look(segment: Segment) -> str | None:
        async with slots:
            return segment.id if await find_segment(segment_spec(plan, segment), store) else None

    return {one for one in await together(*map(look, plan.timeline.segments)) if one}
