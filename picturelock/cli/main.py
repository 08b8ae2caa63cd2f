"""`picturelock up | export | jobs | watch | cancel | pause | resume | retry`."""

import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Column, Table

from picturelock import __version__
from picturelock.cli import keys
from picturelock.cli.client import ApiClient, ApiError
from picturelock.cli.display import film_facts, follow, report_end
from picturelock.cli.lease import shared_stack
from picturelock.cli.run import REFUSED, run
from picturelock.cli.script_file import read_script
from picturelock.cli.up import up
from picturelock.settings import settings

_PIPE_COLUMNS: Final = 200
"""A row of a table is one line for whoever reads it from a pipe."""

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Durable video export."
)
app.add_typer(keys.app, name="keys")
out = Console(width=None if sys.stdout.isatty() else _PIPE_COLUMNS)
err = Console(stderr=True)

_SUFFIXES: Final = {None: ".m4a", "vp9": ".webm"}
"""Of the files that are no MP4 film, by the codec of their pictures; a podcast has none."""

Data = Annotated[Path | None, typer.Option(help="Data folder; PICTURELOCK_DATA_DIR when not given.")]
Api = Annotated[
    str | None, typer.Option(help="Address of the API; PICTURELOCK_API_URL, or a stack on the data folder.")
]


def main() -> None:
    """The entry point."""
    app()


def _version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"picturelock {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=lambda wanted: _version(wanted=wanted), is_eager=True, help="Tell the version."
        ),
    ] = False,
) -> None:
    """Durable video export."""


def _say(text: str) -> None:
    err.print(text, style="yellow", highlight=False)


app.command()(up)


@app.command()
def export(
    script: Annotated[
        Path | None, typer.Argument(help="Script: Markdown, or JSON (a script or a whole request).")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Where the film goes."),
    ] = None,
    brief: Annotated[str | None, typer.Option(help="A topic instead of a script.")] = None,
    preset: Annotated[str | None, typer.Option(help="Video preset, such as youtube-1080p.")] = None,
    api: Api = None,
    data: Data = None,
) -> None:
    """Export a film and wait for it, with its progress. Starts a stack of its own when none runs."""
    if (script is None) == (brief is None):
        err.print("give a script, or a topic with --brief", style="red")
        raise typer.Exit(REFUSED)

    async def work() -> int:
        _require_place_for(output)
        async with _client(api, data, start=True) as client:
            request: dict[str, object] = {"brief": {"topic": brief}}
            if script:
                request = await read_script(script, client)
            if preset:
                video = request.get("video", {})
                request["video"] = {**video, "preset": preset} if isinstance(video, dict) else video
            job_id = await client.create(request)
            name = script.name if script else "brief"
            err.print(f"job {job_id}", style="dim", highlight=False)
            job = await follow(client, err, job_id, name)
            if job is None or job.status != "completed" or job.output is None:
                return report_end(err, job)
            suffix = _SUFFIXES.get(job.output.video_codec, ".mp4")
            target = output or Path((script.stem if script else "film") + suffix)
            await client.download(job.output.path, target)
            out.print(f"{target}  {film_facts(job.output)}", highlight=False, soft_wrap=True)
        return 0

    run(work())


@app.command()
def watch(job_id: str, api: Api = None, data: Data = None) -> None:
    """Follow a job to its end."""

    async def work(client: ApiClient) -> int:
        return report_end(err, await follow(client, err, job_id, job_id[:8]))

    _ask(work, api, data)


@app.command()
def jobs(
    limit: Annotated[int, typer.Option(min=1, max=100)] = 20,
    status: Annotated[str | None, typer.Option(help="Only jobs of this status.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document a line.")] = False,
    api: Api = None,
    data: Data = None,
) -> None:
    """List the newest jobs."""

    async def work(client: ApiClient) -> int:
        rows, total = await client.jobs(limit, status)
        if as_json:
            for row in rows:
                typer.echo(row.model_dump_json())
            return 0
        table = Table(Column("id", no_wrap=True, min_width=32), "status", "progress", "stage", "created", box=None)
        for row in rows:
            table.add_row(row.id, row.status, f"{row.progress:.1f} %", row.stage, f"{row.created_at:%Y-%m-%d %H:%M:%S}")
        out.print(table)
        err.print(f"{len(rows)} of {total}", style="dim", highlight=False)
        return 0

    _ask(work, api, data)


@app.command()
def cancel(job_id: str, api: Api = None, data: Data = None) -> None:
    """End a job."""

    async def work(client: ApiClient) -> int:
        job = await client.cancel(job_id)
        out.print("cancelled" if job.status == "cancelled" else "cancel requested")
        return 0

    _ask(work, api, data)


@app.command()
def pause(job_id: str, api: Api = None, data: Data = None) -> None:
    """Let nothing new of a job begin; what runs is finished."""

    async def work(client: ApiClient) -> int:
        job = await client.pause(job_id)
        out.print("paused" if job.status == "paused" else "pause requested: what runs is finished first")
        return 0

    _ask(work, api, data)


@app.command()
def resume(job_id: str, api: Api = None, data: Data = None) -> None:
    """Let a paused job go on."""

    async def work(client: ApiClient) -> int:
        await client.resume(job_id)
        out.print("resumed")
        return 0

    _ask(work, api, data)


@app.command()
def retry(job_id: str, api: Api = None, data: Data = None) -> None:
    """Begin a new attempt of a failed or cancelled job."""

    async def work(client: ApiClient) -> int:
        job = await client.retry(job_id)
        out.print(f"attempt {job.attempt} has begun", highlight=False)
        return 0

    _ask(work, api, data)


def _require_place_for(output: Path | None) -> None:
    """Refuses a place where no film can be put, before anything is made."""
    if output is None:
        return
    if not output.name or output.is_dir():
        raise ApiError(f"--output {str(output)!r}: name the file, not a folder")
    if not output.parent.is_dir() or not os.access(output.parent, os.W_OK):
        raise ApiError(f"--output {output}: the folder {output.parent} is not there or not writable")


def _ask(work: Callable[[ApiClient], Coroutine[Any, Any, int]], api: str | None, data: Path | None) -> None:
    """Runs a command that needs an API which is there."""

    async def with_client() -> int:
        async with _client(api, data, start=False) as client:
            return await work(client)

    run(with_client())


@asynccontextmanager
async def _client(api: str | None, data: Path | None, *, start: bool) -> AsyncIterator[ApiClient]:
    """A client of the API that was named, of the stack that runs on the data folder, or of one started here."""
    folder = data or settings().data_dir
    named = api or settings().api_url
    stack = nullcontext(named) if named else shared_stack(folder, start=start, say=_say)
    async with stack as url:
        if url is None:
            raise ApiError(f"no stack runs on {folder}: start one with `picturelock up`, or name an API with --api")
        key = settings().api_key
        async with ApiClient(url, key.get_secret_value() if key else None) as client:
            yield client


if __name__ == "__main__":
    main()
