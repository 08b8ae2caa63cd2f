"""The record of a closed job in the store: what answers when Temporal has forgotten the execution."""

from typing import Final

from picturelock.models import ArchivedJob
from picturelock.storage import Store

RECORD: Final = "job.json"


class Archive:
    """Closed jobs by their id. A later attempt's record is never replaced by an earlier one's."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def read(self, job_id: str) -> ArchivedJob | None:
        """The newest closed attempt of a job, or None. Raises StoreUnavailable."""
        return await self._store.job_record(job_id, RECORD, ArchivedJob)

    async def write(self, job: ArchivedJob) -> None:
        """Keeps a closed attempt. Writing it twice is harmless. Raises StoreUnavailable, DiskFull."""
        job_id = job.observation.job_id
        known = await self.read(job_id)
        if known is None or known.observation.attempt <= job.observation.attempt:
            await self._store.put_job_file(job_id, RECORD, job.model_dump_json(indent=2).encode())
