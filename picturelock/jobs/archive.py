"""The records of closed jobs in the store: what answers when Temporal has forgotten the execution."""

from typing import Final

from picturelock.jobs.deletion import DeletionNote, JobDeletion
from picturelock.models import ArchivedJob
from picturelock.store.store import Store

_FOLDER: Final = "attempts"


class Archive:
    """Closed jobs by their id. Each attempt has a file of its own, so that none can replace another's."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def read(self, job_id: str) -> ArchivedJob | None:
        """The newest closed attempt of a job, or None. Raises StoreUnavailable."""
        names = await self._store.job_files(job_id, _FOLDER)
        attempts = sorted(int(name.removesuffix(".json")) for name in names if name.removesuffix(".json").isdecimal())
        for attempt in reversed(attempts):
            if (job := await self._store.job_record(job_id, _name(attempt), ArchivedJob)) is not None:
                return job
        return None

    async def deletion(self, job_id: str) -> DeletionNote | None:
        """The note of a job that was deleted, or None. Raises StoreUnavailable."""
        return await JobDeletion(self._store).find(job_id)

    async def write(self, job: ArchivedJob) -> None:
        """Keeps a closed attempt. Writing it twice is harmless. Raises StoreUnavailable, DiskFull."""
        observation = job.observation
        if await self.deletion(observation.job_id) is not None:
            return  # it was deleted as soon as it had ended
        await self._store.put_job_file(
            observation.job_id, _name(observation.attempt), job.model_dump_json(indent=2).encode()
        )


def _name(attempt: int) -> str:
    return f"{_FOLDER}/{attempt}.json"
