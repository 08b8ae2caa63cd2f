"""The verbs that ask something of one job, or of all of them."""

import asyncio
import json
import re
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from picturelock.cli.display import film_facts, follow, report_end, suffix_of
from picturelock.cli.logs import Logs
from picturelock.cli.run import run
from picturelock.cli.script_file import ScriptFile
from picturelock.cli.service import PIPE_COLUMNS, Api, Data, client_of
from picturelock.client.asynchronous import ApiError, AsyncClient
from picturelock.settings import settings

SHORT: Final = 8
"""Letters of an id that tables show: enough to name a job by."""

_LOOKED_AT: Final = 100
_AGAIN_SECONDS: Final = 0.5
JobArgument = Annotated[str, typer.Argument(help="The job's id, or its beginning.")]
_IN_SHORT: Final = re.compile("[0-9a-f]{4,31}")
out = Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS)
err = Console(stderr=True)


def install(app: typer.Typer) -> None:
    """Adds the commands."""
    for command in (submit, watch, jobs, show, history, logs, download, rm, cancel, pause, resume, retry):
        app.command()(command)


async def whole_id(client: AsyncClient, text: str) -> str:
    """The id of the job whose id begins so, among the newest; a text that is none is left as it is."""
    if not _IN_SHORT.fullmatch(text):
        return text
    found = [job.id for job in (await client.jobs(_LOOKED_AT, None))[0] if job.id.startswith(text)]
    if len(found) > 1:
        raise ApiError(f"{len(found)} of the newest jobs begin with {text}: {', '.join(found[:5])}")
    return found[0] if found else text


def submit(
    script: Annotated[Path, typer.Argument(help="Script: Markdown, or JSON (a script or a whole request).")],
    key: Annotated[str | None, typer.Option(help="The same key again gives the same job.")] = None,
    api: Api = None,
    data: Data = None,
) -> None:
    """Start an export in a service that runs, and tell its id. What the film looks like stands in the script."""

    async def work(client: AsyncClient) -> int:
        request = await ScriptFile.read(script).request(client)
        out.print(await client.create(request, key), highlight=False)
        return 0

    _ask(work, api, data)


def watch(job_id: JobArgument, api: Api = None, data: Data = None) -> None:
    """Follow a job to its end."""

    async def work(client: AsyncClient) -> int:
        whole = await whole_id(client, job_id)
        return report_end(err, await follow(client, err, whole, whole[:SHORT]))

    _ask(work, api, data)


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


def show(
    job_id: JobArgument,
    as_json: Annotated[bool, typer.Option("--json", help="The whole status as JSON.")] = False,
    api: Api = None,
    data: Data = None,
) -> None:
    """Tell how a job stands, and end with 1 where it has failed or was cancelled."""

    async def work(client: AsyncClient) -> int:
        job = await client.status(await whole_id(client, job_id))
        if as_json:
            typer.echo(job.model_dump_json())
        else:
            facts = film_facts(job.output) if job.output else job.error.remediation if job.error else ""
            lines = (f"{job.title}  {job.status}  {job.progress:.1f} %", job.message, facts)
            out.print("\n".join(line for line in lines if line), highlight=False, markup=False)
        return int(job.status in {"failed", "cancelled"})

    _ask(work, api, data)


def history(
    job_id: JobArgument,
    as_json: Annotated[bool, typer.Option("--json", help="The whole history as JSON.")] = False,
    api: Api = None,
    data: Data = None,
) -> None:
    """Tell how a job came to where it is: attempts, steps, warnings, deliveries of its webhook."""

    async def work(client: AsyncClient) -> int:
        told = await client.history(await whole_id(client, job_id))
        if as_json:
            typer.echo(json.dumps(told))
            return 0
        for line in _history_lines(told):
            out.print(line, highlight=False, markup=False, soft_wrap=True)
        return 0

    _ask(work, api, data)


def _history_lines(told: dict[str, Any]) -> Iterator[str]:
    for attempt in told["earlierAttempts"]:
        why = "  {code}: {message}".format(**attempt["error"]) if attempt["error"] else ""
        yield f"attempt {attempt['attempt']}  {attempt['status']}{why}"
    yield f"attempt {told['attempt']}  {told['status']}"
    for event in told["timeline"]:
        yield f"  {event['timestamp'][:19]}  {event['step']} {event['status']}: {event['message']}"
    if (left := told["timelineTotal"] - len(told["timeline"])) > 0:
        yield f"  and {left} before them"
    for warning in told["warnings"]:
        yield f"  {warning['code']}: {warning['message']}"
    for webhook in told["webhooks"]:
        yield f"  webhook {webhook['url']}: {webhook['state']}, {len(webhook['deliveries'])} deliveries"


def logs(
    job_id: Annotated[str, typer.Argument(help="Only entries about this job: its id, or its beginning.")] = "",
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="So many entries, the newest.")] = 50,
    keep_on: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is written, until Ctrl-C.")] = False,
    data: Data = None,
) -> None:
    """Show what the stack on a data folder has written."""

    async def work() -> int:
        written = Logs(data or settings().data_dir)
        try:
            entries = written.read(job_id)
            entries = entries[max(0, len(entries) - lines) :]
            while True:
                for entry in entries:
                    typer.echo(f"{entry.process:<8} {entry.text}", nl=False)
                if not keep_on:
                    return 0
                await asyncio.sleep(_AGAIN_SECONDS)
                entries = written.read(job_id)
        finally:
            written.close()

    run(work())


def download(
    job_id: JobArgument,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where the file goes.")] = None,
    name: Annotated[str | None, typer.Option(help="A file beside the film, such as captions.srt.")] = None,
    api: Api = None,
    data: Data = None,
) -> None:
    """Download a job's film, or a file beside it."""

    async def work(client: AsyncClient) -> int:
        job = await client.status(await whole_id(client, job_id))
        if job.output is None:
            raise ApiError(f"the job has no film: it is {job.status}")
        paths = {file.name: file.path for file in job.artifacts}
        if name is not None and name not in paths:
            raise ApiError(f"the job has no {name!r}; it has {', '.join(paths)}")
        target = output or Path(name or f"{job.id}{suffix_of(job.output)}")
        await client.download(paths[name] if name else job.output.path, target)
        out.print(str(target), highlight=False, soft_wrap=True)
        return 0

    _ask(work, api, data)


def rm(job_id: JobArgument, api: Api = None, data: Data = None) -> None:
    """Delete a job that has ended, with its film and all of its files."""

    async def work(client: AsyncClient) -> int:
        await client.delete(await whole_id(client, job_id))
        out.print("deleted")
        return 0

    _ask(work, api, data)


def cancel(job_id: JobArgument, api: Api = None, data: Data = None) -> None:
    """End a job."""

    async def work(client: AsyncClient) -> int:
        job = await client.cancel(await whole_id(client, job_id))
        out.print("cancelled" if job.status == "cancelled" else "cancel requested")
        return 0

    _ask(work, api, data)


def pause(job_id: JobArgument, api: Api = None, data: Data = None) -> None:
    """Let nothing new of a job begin; what runs is finished."""

    async def work(client: AsyncClient) -> int:
        job = await client.pause(await whole_id(client, job_id))
        out.print("paused" if job.status == "paused" else "pause requested: what runs is finished first")
        return 0

    _ask(work, api, data)


def resume(job_id: JobArgument, api: Api = None, data: Data = None) -> None:
    """Let a paused job go on."""

    async def work(client: AsyncClient) -> int:
        await client.resume(await whole_id(client, job_id))
        out.print("resumed")
        return 0

    _ask(work, api, data)


def retry(job_id: JobArgument, api: Api = None, data: Data = None) -> None:
    """Begin a new attempt of a failed or cancelled job."""

    async def work(client: AsyncClient) -> int:
        job = await client.retry(await whole_id(client, job_id))
        out.print(f"attempt {job.attempt} has begun", highlight=False)
        return 0

    _ask(work, api, data)


def _ask(work: Callable[[AsyncClient], Coroutine[Any, Any, int]], api: str | None, data: Path | None) -> None:
    """Runs a command that needs an API which is there."""

    async def with_client() -> int:
        async with client_of(api, data, start=False) as client:
            return await work(client)

    run(with_client())
