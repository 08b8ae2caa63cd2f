"""Stage `composition`: pictures made ready, the timeline laid out, captions placed."""

from temporalio import activity

from activities.contracts import COMPOSE, Composition, CompositionTask, PlannedSegment
from activities.liveness import Pulse, lively
from picturelock.composition.compose import Composer
from picturelock.models import ExportRequest, Narration, RenderPlan, Script
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
    plan = await composer.compose(pulse.advance)
    ref = await store.put_bytes(plan.model_dump_json().encode(), "application/json")
    return Composition(
        plan=ref,
        segments=_longest_first(plan),
        total_frames=plan.timeline.total_frames,
        duration_seconds=plan.timeline.duration_seconds,
        hardware=plan.format.encoder == "hardware" and plan.format.has_picture,
        warnings=plan.warnings,
    )


def _longest_first(plan: RenderPlan) -> list[PlannedSegment]:
    """In this order they are scheduled: what comes last is short, and leaves no core idle for long."""
    segments = sorted(plan.timeline.segments, key=lambda one: -one.frames)
    return [PlannedSegment(id=one.id, frames=one.frames) for one in segments]
