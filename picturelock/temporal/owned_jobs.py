"""Jobs as one caller may see them: the one place where a job's owner is checked.

Whoever reads a job for somebody reads it here. Another owner's job is read as one that does not exist, and takes as
long to be looked for.
"""

from dataclasses import dataclass

from picturelock.auth.caller import Caller
from picturelock.jobs.deletion import DeletionNote
from picturelock.jobs.status import assemble
from picturelock.models import (
    ArchivedJob,
    DeliveryLog,
    ExportInput,
    JobMemo,
    JobStatus,
    Observation,
    TimelineEvent,
)
from picturelock.temporal.errors import JobDeleted, JobNotFound
from picturelock.temporal.reader import JobReader


@dataclass(frozen=True, slots=True)
class OwnedJobs:
    """The jobs of one caller. Every method raises what the reader's of the same name does."""

    reader: JobReader
    caller: Caller

    async def status(self, job_id: str) -> JobStatus:
        """The status of a job, now."""
        return assemble(await self.observe(job_id))

    async def observe(self, job_id: str) -> Observation:
        """Everything that is known of a job's newest run."""
        if self.caller.only_job not in {None, job_id}:
            raise JobNotFound(job_id)
        return await self.reader.observe(job_id, owner=self.caller.restricted_to)

    async def half_deleted(self, job_id: str, note: DeletionNote) -> Observation | None:
        """What is left of a job whose deletion was broken off, or None. Raises JobDeleted where nothing can be."""
        if note.done or self.caller.restricted_to not in {None, note.owner}:
            raise JobDeleted(job_id)
        try:
            return await self.reader.observe(job_id, owner=self.caller.restricted_to, even_deleted=True)
        except JobNotFound:
            return None

    async def archived(self, job_id: str) -> ArchivedJob | None:
        """The record of a closed job in the store, or None."""
        kept = await self.reader.archived(job_id)
        return kept if kept is not None and self.may_see(kept.observation) else None

    async def started_with(self, job_id: str) -> tuple[ExportInput, JobMemo]:
        """What the newest run of a job was started with."""
        started, memo = await self.reader.started_with(job_id)
        if self.caller.restricted_to not in {None, memo.owner}:
            raise JobNotFound(job_id)
        return started, memo

    async def timeline(self, observation: Observation) -> list[TimelineEvent]:
        """Every entry of an observed job's timeline."""
        return await self.reader.timeline(observation)

    async def deliveries(self, observation: Observation, attempts: int) -> list[DeliveryLog]:
        """The deliveries of the webhooks of an observed job's attempts."""
        return await self.reader.deliveries(observation.job_id, attempts)

    def may_see(self, observation: Observation) -> bool:
        """Whether an observed job is one of the caller's."""
        only = self.caller.only_job
        return self.caller.restricted_to in {None, observation.owner} and only in {None, observation.job_id}
