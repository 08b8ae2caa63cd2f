"""Looks at exports that are not asked for yet: what they would be, and how their scenes look."""

from activities.decorators import stage_activity
from activities.heartbeat import HeartbeatReporter
from picturelock.forecast import foresee
from picturelock.providers import Providers
from picturelock.settings import settings
from picturelock.still import draw_sheet, draw_still
from picturelock.store.lookup import Lookup
from picturelock.store.store import default_store
from picturelock.store.tenant import working_for
from picturelock.temporal.contracts import DRAW_STILL, FORESEE, DrawnStill, ForecastTask, Foreseen, StillTask


@stage_activity(FORESEE)
async def foresee_film(task: ForecastTask, heartbeat: HeartbeatReporter) -> Foreseen:
    """Looks at what is there of a film. Nothing is made."""
    configured = settings()
    heartbeat.advance(0.1, "Looking at what is there")
    lookup = Lookup(configured.store_location, configured.scratch)
    with working_for(task.owner):
        forecast = await foresee(task.request, lookup, configured.scratch, Providers.from_settings(configured))
    return Foreseen(forecast=forecast)


@stage_activity(DRAW_STILL)
async def draw_scene(task: StillTask, heartbeat: HeartbeatReporter) -> DrawnStill:
    """Draws one scene."""
    configured = settings()
    heartbeat.advance(0.1, "Drawing")
    store, providers = default_store(), Providers.from_settings(configured)
    with working_for(task.owner):
        if task.scene_index is None:
            image = await draw_sheet(task.request, store, configured.scratch, providers)
        else:
            image = await draw_still(task.request, task.scene_index, store, configured.scratch, providers)
    return DrawnStill(image=image)
