"""`picturelock batch`: a film for each row of a script with `{{fields}}`."""

import asyncio
import csv
import io
import json
import sys
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import typer
from rich.console import Console

from picturelock.cli.display import FAILED, suffix_of
from picturelock.cli.run import run
from picturelock.cli.script_file import ScriptFile
from picturelock.cli.service import PIPE_COLUMNS, Api, Data, client_of
from picturelock.client.asynchronous import ApiAway, ApiError, AsyncClient
from picturelock.models.batch import BatchStatus

out = Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS)
err = Console(stderr=True)
MANIFEST: Final = "manifest.json"
_POLL_SECONDS: Final = 1.0


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a CSV file with a line of names, or of a JSON list of objects. Raises ApiError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".json":
            rows = json.loads(text)
        else:
            rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    except (OSError, ValueError, csv.Error) as error:
        raise ApiError(f"{path}: {error}") from error
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise ApiError(f"{path}: a list of rows is wanted, each with a value for every field")
    for number, row in enumerate(rows, 1):
        if None in row or None in row.values():
            raise ApiError(f"{path}: row {number} has not as many values as there are names")
    return rows


def batch(
    script: Annotated[Path, typer.Argument(help="Script with {{fields}}: Markdown, or JSON.")],
    rows: Annotated[Path, typer.Argument(help="Their values: CSV with a line of names, or a JSON list of objects.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the films.")] = Path("films"),
    as_json: Annotated[bool, typer.Option("--json", help="Tell the batch's last status as JSON.")] = False,
    api: Api = None,
    data: Data = None,
) -> None:
    """Make a film for each row. Every row is checked before any film begins; what films share is made once.

    The folder gets a manifest.json with the row, the file and the job of each film. Ends with 1 where one has failed.
    """

    async def work() -> int:
        values, source = read_rows(rows), ScriptFile.read(script)
        output.mkdir(parents=True, exist_ok=True)
        async with client_of(api, data, start=True) as client:
            begun = await client.create_batch(await source.request(client), values)
            ended = await _ended(client, begun)
            films = await _download(client, ended, values, output)
        (output / MANIFEST).write_text(json.dumps(films, indent=2, ensure_ascii=False) + "\n")
        if as_json:
            typer.echo(ended.model_dump_json())
        made = ended.counts.get("completed", 0)
        out.print(f"{output}  {made} of {ended.total} films", highlight=False, soft_wrap=True)
        for job in ended.jobs:
            if job.error is not None:
                text = f"row {job.row}: {job.error.code}: {job.error.message}"
                err.print(text, style="red", highlight=False, markup=False, soft_wrap=True)
        return 0 if made == ended.total else FAILED

    run(work())


async def _ended(client: AsyncClient, status: BatchStatus) -> BatchStatus:
    """The batch, once none of its films is open any more. An API that is away is asked again."""
    told = ""
    while not status.done:
        counts = ", ".join(f"{count} {name}" for name, count in sorted(status.counts.items()))
        if counts != told:
            told = counts
            err.print(f"{status.progress:5.1f} %  {counts}", highlight=False)
        await asyncio.sleep(_POLL_SECONDS)
        try:
            status = await client.batch(status.batch_id)
        except (ApiAway, httpx.TransportError):
            continue
    return status


async def _download(
    client: AsyncClient, status: BatchStatus, rows: list[dict[str, Any]], output: Path
) -> list[dict[str, Any]]:
    """Downloads the films; what the manifest says of each."""
    films = []
    for job, row in zip(status.jobs, rows, strict=True):
        told: dict[str, Any] = {"row": job.row, "values": row, "jobId": job.job_id, "status": job.status}
        if job.output_path is not None:
            film = (await client.status(job.job_id)).output
            if film is not None:
                target = output / f"{job.row:03d}{suffix_of(film)}"
                await client.download(film.path, target)
                told |= {"file": target.name, "sha256": film.sha256, "seconds": film.duration_seconds}
        films.append(told)
    return films
