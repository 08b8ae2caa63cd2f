"""Stage `finalize`: joined, verified, published."""

from temporalio import activity

from activities.decorators import stage_activity
from activities.heartbeat import HeartbeatReporter
from activities.render import load_plan
from picturelock.concurrency import gather_limited
from picturelock.finalize.publish import Finisher
from picturelock.models import ExportRequest, ExportResult, Narration, Script, Segments
from picturelock.settings import settings
from picturelock.store.store import LOOKUPS, default_store
from picturelock.temporal.contracts import FINALIZE, FinalizeTask


@stage_activity(FINALIZE)
async def finalize_film(task: FinalizeTask, heartbeat: HeartbeatReporter) -> ExportResult:
    """Joins the segments, passes the film through the gate and publishes everything."""
    store = default_store()
    plan = await load_plan(task.plan)
    batches = await gather_limited(*(store.get_model(ref, Segments) for ref in task.segments), limit=LOOKUPS)
    rendered = {segment.id: segment for batch in batches for segment in batch.segments}
    finisher = Finisher(
        job_id=activity.info().workflow_id or "",
        attempt=task.attempt,
        correlation_id=task.correlation_id,
        created_at=task.created_at,
        request=await store.get_model(task.request, ExportRequest),
        script=await store.get_model(task.script, Script),
        plan=plan,
        narrations=[await store.get_model(ref, Narration) for ref in task.narrations],
        segments=[rendered[segment.id] for segment in plan.timeline.segments],
        sound=task.sound,
        store=store,
        scratch=settings().scratch,
        report=heartbeat.advance,
    )
    return await finisher.finish()
