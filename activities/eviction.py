"""The cache is kept within its size; what an open export may have seen stays."""

from datetime import UTC, datetime

from temporalio import activity

from activities.decorators import control_activity
from picturelock.models import Eviction
from picturelock.settings import settings
from picturelock.store.eviction import Evictor
from picturelock.store.store import default_store
from picturelock.temporal.contracts import EVICT_CACHE, NoTask
from picturelock.temporal.open_jobs import oldest_open


@control_activity(EVICT_CACHE)
async def evict_cache(_task: NoTask) -> Eviction:
    """Forgets what was used least recently, and deletes what was forgotten before every open export began."""
    # When exports were started, the server's clock says; the store's files and notes are dated by this machine's.
    ahead = datetime.now(UTC) - activity.info().started_time
    oldest = await oldest_open(activity.client())
    oldest = oldest + ahead if oldest else None
    return await Evictor(default_store(), settings().cache_max_bytes, activity.heartbeat).run(oldest)
