"""Stage `finalize`: joined, verified, published."""

from temporalio import activity

from activities.contracts import FINALIZE, LOOKUPS, FinalizeTask, Segments
from activities.decorators import lively
from activities.heartbeat import Pulse
from activities.render import load_plan
from picturelock.concurrency import together
from picturelock.finalize.publish import Finisher
from picturelock.models import ExportRequest, ExportResult, Narration, Script
from picturelock.settings import settings
from picturelock.store.store import default_store


@activity.defn(name=FINALIZE)
@lively("finalize")
async def finalize_film(task: FinalizeTask, pulse: Pulse) -> ExportResult:
    """Joins the segments, passes the film through the gate and publishes everything."""
    store = default_store()
    plan = await load_plan(task.plan)
    batches = await together(*map(store.read, task.segments), at_once=LOOKUPS)
    rendered = {one.id: one for batch in batches for one in Segments.model_validate_json(batch).segments}
    finisher = Finisher(
        job_id=activity.info().workflow_id or "",
        attempt=task.attempt,
        correlation_id=task.correlation_id,
        created_at=task.created_at,
        request=ExportRequest.model_validate_json(await store.read(task.request)),
        script=Script.model_validate_json(await store.read(task.script)),
        plan=plan,
        narrations=[Narration.model_validate_json(await store.read(ref)) for ref in task.narrations],
        segments=[rendered[one.id] for one in plan.timeline.segments],
        sound=task.sound,
        store=store,
        scratch=settings().scratch,
        report=pulse.advance,
    )
    return await finisher.finish()
