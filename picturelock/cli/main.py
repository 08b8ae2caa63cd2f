"""The `picturelock` command: `up`, `export`, what can be asked of jobs, and what there is to choose from."""

import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from picturelock import __version__
from picturelock.cli import catalog, keys
from picturelock.cli.batch import batch
from picturelock.cli.build import build
from picturelock.cli.display import film_facts, follow, report_end, suffix_of
from picturelock.cli.doctor import doctor
from picturelock.cli.export import end_of, require_place_for
from picturelock.cli.mcp import mcp
from picturelock.cli.plan import plan
from picturelock.cli.run import REFUSED, run
from picturelock.cli.script_file import ScriptFile
from picturelock.cli.service import PIPE_COLUMNS, Api, Data, client_of, is_running
from picturelock.cli.up import up
from picturelock.cli.wishes import Wishes
from picturelock.client.asynchronous import ApiError, AsyncClient

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Durable video export."
)
app.add_typer(keys.app, name="keys")
catalog.install(app)
out = Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS)
err = Console(stderr=True)


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


app.command()(up)
app.command()(plan)
app.command()(build)
app.command()(batch)
app.command()(mcp)
app.command()(doctor)


@app.command()
def export(  # noqa: PLR0913, PLR0917 - each is an option
    script: Annotated[
        Path | None, typer.Argument(help="Script: Markdown, or JSON (a script or a whole request); - reads Markdown.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where the film goes.")] = None,
    brief: Annotated[str | None, typer.Option(help="Facts, or a topic for a language model, instead.")] = None,
    preset: Annotated[str | None, typer.Option(help="Video preset, such as youtube-1080p.")] = None,
    shape: Annotated[str | None, typer.Option("--format", help="16:9, 9:16, 1:1 or 4:5.")] = None,
    theme: Annotated[str | None, typer.Option(help="One of `picturelock themes`.")] = None,
    voice: Annotated[str | None, typer.Option(help="One of `picturelock voices`: ENGINE/VOICE.")] = None,
    language: Annotated[str | None, typer.Option(help="What is spoken, such as de or pt-BR.")] = None,
    captions: Annotated[str | None, typer.Option(help="clean, boxed, karaoke, pop or none.")] = None,
    transition: Annotated[str | None, typer.Option(help="none, fade, dissolve, slide or wipe.")] = None,
    music: Annotated[str | None, typer.Option(help="calm, bright, serious, or a recording of your own.")] = None,
    watermark: Annotated[Path | None, typer.Option(help="A picture in the corner.")] = None,
    opening: Annotated[bool | None, typer.Option("--opening/--no-opening", help="A card with the title first.")] = None,
    ending: Annotated[bool | None, typer.Option("--ending/--no-ending", help="A card at the end.")] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Do not wait: tell the job's id.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Tell the job's last status as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Tell no progress.")] = False,
    api: Api = None,
    data: Data = None,
) -> None:
    """Export a film and wait for it, with its progress. Starts a stack of its own when none runs."""
    if (script is None) == (brief is None):
        err.print("give a script, or facts with --brief", style="red")
        raise typer.Exit(REFUSED)
    wishes = Wishes(
        preset, shape, theme, voice, language, captions, transition, music, watermark, opening=opening, ending=ending
    )

    async def work() -> int:
        require_place_for(output)
        wishes.check()
        source = ScriptFile.read(script) if script else None
        if detach and not await is_running(api, data):
            raise ApiError("--detach wants a service: start one with `picturelock up`, or name it by --api")
        async with client_of(api, data, start=not detach) as client:
            request = await source.request(client) if source else {"brief": {"topic": brief}}
            job_id = await client.create(await wishes.put_into(request, client))
            if detach:
                out.print(job_id, highlight=False)
                return 0
            name = source.name if source else "brief"
            job = await end_of(err, client, job_id, name, quiet=quiet)
            if as_json and job is not None:
                typer.echo(job.model_dump_json())
            if job is None or job.status != "completed" or job.output is None:
                return report_end(err, job)
            target = output or Path((source.stem if source else "film") + suffix_of(job.output))
            await client.download(job.output.path, target)
            if not as_json:
                out.print(f"{target}  {film_facts(job.output)}", highlight=False, soft_wrap=True)
        return 0

    run(work())


@app.command()
def watch(job_id: str, api: Api = None, data: Data = None) -> None:
    """Follow a job to its end."""

    async def work(client: AsyncClient) -> int:
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

    async def work(client: AsyncClient) -> int:
        rows, total = await client.jobs(limit, status)
        if as_json:
            for row in rows:
                typer.echo(row.model_dump_json())
            return 0
        names = ("status", "progress", "stage", "created")
        table = Table(
            Column("id", no_wrap=True, min_width=32), *names, Column("title", max_width=40, no_wrap=True), box=None
        )
        for row in rows:
            created = f"{row.created_at:%Y-%m-%d %H:%M:%S}"
            table.add_row(row.id, row.status, f"{row.progress:.1f} %", row.stage, created, Text(row.title))
        out.print(table)
        err.print(f"{len(rows)} of {total}", style="dim", highlight=False)
        return 0

    _ask(work, api, data)


@app.command()
def show(
    job_id: str,
    as_json: Annotated[bool, typer.Option("--json", help="The whole status as JSON.")] = False,
    api: Api = None,
    data: Data = None,
) -> None:
    """Tell how a job stands, and end with 1 where it has failed or was cancelled."""

    async def work(client: AsyncClient) -> int:
        job = await client.status(job_id)
        if as_json:
            typer.echo(job.model_dump_json())
        else:
            facts = film_facts(job.output) if job.output else job.error.remediation if job.error else ""
            lines = (f"{job.title}  {job.status}  {job.progress:.1f} %", job.message, facts)
            out.print("\n".join(line for line in lines if line), highlight=False, markup=False)
        return int(job.status in {"failed", "cancelled"})

    _ask(work, api, data)


@app.command()
def download(
    job_id: str,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where the file goes.")] = None,
    name: Annotated[str | None, typer.Option(help="A file beside the film, such as captions.srt.")] = None,
    api: Api = None,
    data: Data = None,
) -> None:
    """Download a job's film, or a file beside it."""

    async def work(client: AsyncClient) -> int:
        job = await client.status(job_id)
        if job.output is None:
            raise ApiError(f"the job has no film: it is {job.status}")
        paths = {file.name: file.path for file in job.artifacts}
        if name is not None and name not in paths:
            raise ApiError(f"the job has no {name!r}; it has {', '.join(paths)}")
        target = output or Path(name or f"{job_id}{suffix_of(job.output)}")
        await client.download(paths[name] if name else job.output.path, target)
        out.print(str(target), highlight=False, soft_wrap=True)
        return 0

    _ask(work, api, data)


@app.command()
def rm(job_id: str, api: Api = None, data: Data = None) -> None:
    """Delete a job that has ended, with its film and all of its files."""

    async def work(client: AsyncClient) -> int:
        await client.delete(job_id)
        out.print("deleted")
        return 0

    _ask(work, api, data)


@app.command()
def cancel(job_id: str, api: Api = None, data: Data = None) -> None:
    """End a job."""

    async def work(client: AsyncClient) -> int:
        job = await client.cancel(job_id)
        out.print("cancelled" if job.status == "cancelled" else "cancel requested")
        return 0

    _ask(work, api, data)


@app.command()
def pause(job_id: str, api: Api = None, data: Data = None) -> None:
    """Let nothing new of a job begin; what runs is finished."""

    async def work(client: AsyncClient) -> int:
        job = await client.pause(job_id)
        out.print("paused" if job.status == "paused" else "pause requested: what runs is finished first")
        return 0

    _ask(work, api, data)


@app.command()
def resume(job_id: str, api: Api = None, data: Data = None) -> None:
    """Let a paused job go on."""

    async def work(client: AsyncClient) -> int:
        await client.resume(job_id)
        out.print("resumed")
        return 0

    _ask(work, api, data)


@app.command()
def retry(job_id: str, api: Api = None, data: Data = None) -> None:
    """Begin a new attempt of a failed or cancelled job."""

    async def work(client: AsyncClient) -> int:
        job = await client.retry(job_id)
        out.print(f"attempt {job.attempt} has begun", highlight=False)
        return 0

    _ask(work, api, data)


def _ask(work: Callable[[AsyncClient], Coroutine[Any, Any, int]], api: str | None, data: Path | None) -> None:
    """Runs a command that needs an API which is there."""

    async def with_client() -> int:
        async with client_of(api, data, start=False) as client:
            return await work(client)

    run(with_client())


if __name__ == "__main__":
    main()
