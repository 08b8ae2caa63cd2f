"""Stage `composition`: pictures made ready, the timeline laid out, captions placed."""

from temporalio import activity

from activities.contracts import COMPOSE, Composition, CompositionTask, PlannedBatch
from activities.liveness import Pulse, lively
from picturelock.composition.compose import Composer
from picturelock.models import ExportRequest, Narration, RenderPlan, Script, Segment
from picturelock.settings import settings
from picturelock.storage import default_store
from picturelock.visuals.source import sources


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
        segments=_batches(plan),
        total_frames=plan.timeline.total_frames,
        duration_seconds=plan.timeline.duration_seconds,
        hardware=plan.format.encoder == "hardware" and plan.format.has_picture,
        warnings=plan.warnings,
        pictures_found=composed.pictures_found,
        pictures_made=composed.pictures_made,
    )


def _batches(plan: RenderPlan) -> list[PlannedBatch]:
    """A transition goes with the piece after it, which shows one of its pictures anyway.

    The longest batches come first: in this order they are scheduled, and what comes last leaves no core idle for long.
    """
    batches: list[list[Segment]] = []
    for segment in plan.timeline.segments:
        if batches and batches[-1][-1].kind == "transition":
            batches[-1].append(segment)
        else:
            batches.append([segment])
    planned = [
        PlannedBatch(id=batch[-1].id, frames=sum(one.frames for one in batch), segment_ids=[one.id for one in batch])
        for batch in batches
    ]
    return sorted(planned, key=lambda one: -one.frames)
