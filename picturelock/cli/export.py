"""Parts of `picturelock export`: where the film goes, and how its making is followed."""

import os
from pathlib import Path

from rich.console import Console

from picturelock.cli.display import follow
from picturelock.client.asynchronous import ApiError, AsyncClient
from picturelock.models import JobStatus


async def end_of(console: Console, client: AsyncClient, job_id: str, name: str, *, quiet: bool) -> JobStatus | None:
    """The job's last state; on the way there its progress, unless that is not wanted."""
    if not quiet:
        console.print(f"job {job_id}", style="dim", highlight=False)
        return await follow(client, console, job_id, name)
    return await client.wait(job_id)


def require_place_for(output: Path | None) -> None:
    """Refuses a place where no film can be put, before anything is made."""
    if output is None:
        return
    if not output.name or output.is_dir():
        raise ApiError(f"--output {str(output)!r}: name the file, not a folder")
    if not output.parent.is_dir() or not os.access(output.parent, os.W_OK):
        raise ApiError(f"--output {output}: the folder {output.parent} is not there or not writable")
