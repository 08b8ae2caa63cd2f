"""The store is kept within bounds: the cache within its size, uploads and films within their age."""

from datetime import UTC, datetime, timedelta

from temporalio import activity

from activities.decorators import control_activity
from picturelock.jobs.deletion import JobDeletion
from picturelock.jobs.retention import Retention
from picturelock.models import ArchivedJob, Eviction
from picturelock.settings import settings
from picturelock.store.eviction import Evictor
from picturelock.store.partial_uploads import KEPT_FOR, PartialUploads
from picturelock.store.store import default_store
from picturelock.temporal.contracts import EVICT_CACHE, NoTask
from picturelock.temporal.forget import forget_job
from picturelock.temporal.open_jobs import oldest_open


@control_activity(EVICT_CACHE)
async def evict_cache(_task: NoTask) -> Eviction:
    """Forgets what was used least recently, and deletes what was forgotten before every open export began.

    Then what has been kept for as long as the settings say goes, too.
    """
    # When exports were started, the server's clock says; the store's files and notes are dated by this machine's.
    ahead = datetime.now(UTC) - activity.info().started_time
    oldest = await oldest_open(activity.client())
    oldest = oldest + ahead if oldest else None
    await PartialUploads(default_store()).delete_older(datetime.now(UTC) - 2 * KEPT_FOR)
    evicted = await Evictor(default_store(), settings().cache_max_bytes, activity.heartbeat).run(oldest)
    return evicted.model_copy(update={"assets": await _old_assets(), "films": await _old_films()})


async def _old_assets() -> int:
    days = settings().keep_unused_assets_days
    if not days:
        return 0
    return await Retention(default_store()).delete_unused_assets(datetime.now(UTC) - timedelta(days=days))


async def _old_films() -> int:
    days, store, count = settings().keep_films_days, default_store(), 0
    if not days:
        return 0
    async for job in Retention(store).closed_before(datetime.now(UTC) - timedelta(days=days)):
        activity.heartbeat()
        seen = job.observation
        await JobDeletion(store).delete(seen.job_id, seen.owner, seen.result, _used(job))
        await forget_job(activity.client(), seen.job_id, seen.run_id, seen.attempt)
        await JobDeletion(store).finish(seen.job_id, seen.owner)
        count += 1
    return count


def _used(job: ArchivedJob) -> list[str]:
    return [asset_id.removeprefix("sha256-") for asset_id in job.request.asset_ids().values()]
