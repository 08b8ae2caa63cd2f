"""Deleting a closed job: its film and files go, where nobody else needs them, and a note says that it was there."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from pydantic import Field

from picturelock.models import ArtifactRef, ExportResult, Model
from picturelock.store.references import References, job_holder, output_holder
from picturelock.store.store import Store

_NOTE: Final = "deleted.json"


class DeletionNote(Model):
    """What is left of a deleted job."""

    owner: str
    deleted_at: datetime
    done: bool = Field(default=False, description="Whether nothing is left to delete.")


@dataclass(frozen=True, slots=True)
class JobDeletion:
    """Deletes jobs from a store. All methods raise StoreUnavailable."""

    store: Store

    async def find(self, job_id: str) -> DeletionNote | None:
        """The note of a job that was deleted, or None."""
        return await self.store.job_record(job_id, _NOTE, DeletionNote)

    async def delete(self, job_id: str, owner: str, result: ExportResult | None, used: list[str]) -> None:
        """Deletes what the store has of a job; `used` are the hashes of the uploads that it was made from.

        The note comes first: a deletion that is broken off is seen, and made again.
        """
        note = DeletionNote(owner=owner, deleted_at=datetime.now(UTC))
        await self.store.put_job_file(job_id, _NOTE, note.model_dump_json().encode())
        files = _files(result)
        references = References(self.store)
        unneeded = await references.release(output_holder(job_id), [file.sha256 for file in files])
        await references.release(job_holder(job_id), used)
        for file in files:
            if file.sha256 in unneeded and await self.store.find_asset(f"sha256-{file.sha256}") is None:
                await self.store.delete_older(file, datetime.now(UTC))
        for name in await self.store.job_files(job_id):
            if name != _NOTE:
                await self.store.delete_job_file(job_id, name)

    async def finish(self, job_id: str, owner: str) -> None:
        """Notes that everything is deleted, elsewhere, too: nobody has to come back to it."""
        note = DeletionNote(owner=owner, deleted_at=datetime.now(UTC), done=True)
        await self.store.put_job_file(job_id, _NOTE, note.model_dump_json().encode())


def _files(result: ExportResult | None) -> list[ArtifactRef]:
    return [result.film, *result.artifacts] if result else []
