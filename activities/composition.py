"""Stage `composition`: pictures made ready, the timeline laid out, captions placed, segments put into batches."""

from activities.decorators import stage_activity
from activities.heartbeat import HeartbeatReporter
from picturelock.composition.batches import plan_batches
from picturelock.composition.compose import Composer
from picturelock.models import NOTES_KEPT, ExportRequest, Narration, Script
from picturelock.providers import Providers
from picturelock.settings import settings
from picturelock.store.store import default_store
from picturelock.temporal.contracts import COMPOSE, Composition, CompositionTask


@stage_activity(COMPOSE)
async def compose_film(task: CompositionTask, heartbeat: HeartbeatReporter) -> Composition:
    """Composes the film on paper and stores the plan."""
    store, configured = default_store(), settings()
    composer = Composer(
        request=await store.get_model(task.request, ExportRequest),
        script=await store.get_model(task.script, Script),
        narrations=[await store.get_model(ref, Narration) for ref in task.narrations],
        store=store,
        scratch=configured.scratch,
        sources=Providers.from_settings(configured).pictures,
        max_asset_bytes=configured.max_asset_bytes,
    )
    composed = await composer.compose(heartbeat.advance)
    plan = composed.plan
    return Composition(
        plan=await store.put_model(plan),
        batches=await plan_batches(plan, store, heartbeat.advance),
        total_frames=plan.timeline.total_frames,
        duration_seconds=plan.timeline.duration_seconds,
        hardware=plan.format.encoder == "hardware" and plan.format.has_picture,
        warnings=plan.warnings[:NOTES_KEPT],
        warnings_total=len(plan.warnings),
        pictures_found=composed.pictures_found,
        pictures_made=composed.pictures_made,
    )
