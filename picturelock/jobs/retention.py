"""What has been kept for long enough: uploads that no job uses, and films past their age."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from picturelock.jobs.archive import Archive
from picturelock.models import ArchivedJob, ArtifactRef
from picturelock.store.owned_assets import OwnedAssets
from picturelock.store.references import JOBS, OUTPUTS, OWNERS, References, owner_holder
from picturelock.store.store import Store


@dataclass(frozen=True, slots=True)
class Retention:
    """Looks through one store. All methods raise StoreUnavailable."""

    store: Store

    async def delete_unused_assets(self, before: datetime) -> int:
        """Deletes uploads that came before a moment and that no job needs; how many."""
        count = 0
        references, owned = References(self.store), OwnedAssets(self.store)
        for asset_id, uploaded_at in await self.store.list_assets():
            holders = await references.holders(asset_id.removeprefix("sha256-")) if uploaded_at < before else []
            owners = [holder.removeprefix(OWNERS) for holder in holders if holder.startswith(OWNERS)]
            if not owners or any(holder.startswith((JOBS, OUTPUTS)) for holder in holders):
                continue
            asset, ref = await self.store.asset(asset_id)
            for owner in owners:
                await owned.remove(owner, asset.asset_id)
                await references.release(owner_holder(owner), [ref.sha256])
            await self.store.delete_asset(asset_id)
            await self.store.delete_older(ArtifactRef.model_validate(ref), before)
            count += 1
        return count

    async def closed_before(self, before: datetime) -> AsyncIterator[ArchivedJob]:
        """The jobs whose newest attempt ended before a moment, and that are still there."""
        archive = Archive(self.store)
        for job_id in await self.store.archived_jobs(before):
            if await archive.deletion(job_id) is not None:
                continue
            job = await archive.read(job_id)
            if job is not None and (job.observation.closed_at or job.observation.now) < before:
                yield job
