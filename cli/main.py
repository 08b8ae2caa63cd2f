"""`picturelock up | export | jobs | watch | cancel | pause | resume | retry`."""

import asyncio
import json
import os
import signal
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import typer
from rich.console import Console
from rich.table import Column, Table

from cli.client import ApiClient, ApiError
from cli.display import JobDisplay
from cli.script_file import read_script
from cli.stack import StackError, already_running, running
from picturelock.models import JobStatus, Output
from picturelock.settings import settings

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Durable video export."
)
out = Console()
err = Console(stderr=True)

_API_PORT: Final = 8080
_TEMPORAL_PORT: Final = 7233
_UI_PORT: Final = 8233
_REFUSED: Final = 2
_WRONG_INPUT: Final = (
    OSError,
    ValueError,
    LookupError,
    OverflowError,
    RecursionError,
    httpx.InvalidURL,
    ExceptionGroup,
)
"""What addresses, files and folders that cannot be used end in."""

_FAILED: Final = 1

Data = Annotated[Path | None, typer.Option(help="Data folder; PICTURELOCK_DATA_DIR when not given.")]
Api = Annotated[
    str | None, typer.Option(help="Address of the API; PICTURELOCK_API_URL, or a stack on the data folder.")
]


def main() -> None:
    """The entry point."""
    app()


def _say(text: str) -> None:
    err.print(text, style="yellow", highlight=False)


def _run(work: Coroutine[Any, Any, int]) -> None:
    """Runs a command to its exit code, with refusals in words instead of tracebacks."""
    try:
        code = asyncio.run(work)
    except (ApiError, StackError) as error:
        err.print(str(error), style="red", highlight=False, markup=False)
        code = _REFUSED
    except httpx.TransportError as error:
        err.print(f"the API does not answer: {error}", style="red", highlight=False, markup=False)
        code = _REFUSED
    except _WRONG_INPUT as error:
        err.print(f"{type(error).__name__}: {error}", style="red", highlight=False, markup=False)
        code = _REFUSED
    except KeyboardInterrupt:
        code = 128 + signal.SIGINT
    raise typer.Exit(code)


@app.command()
def up(
    data: Data = None,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port of the API; 0 for any.")] = _API_PORT,
    temporal_port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port of the Temporal server; 0 for any.")
    ] = _TEMPORAL_PORT,
    ui_port: Annotated[int, typer.Option(min=0, max=65_535, help="Port of the Temporal UI; 0 for any.")] = _UI_PORT,
    workers: Annotated[int, typer.Option(min=1, max=64, help="How many workers.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON when everything is ready.")] = False,
) -> None:
    """Run Temporal, worker and API on this machine until Ctrl-C."""

    async def serve() -> int:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        folder = data or settings().data_dir
        async with running(
            folder, api_port=port, temporal_port=temporal_port, ui_port=ui_port, workers=workers, say=_say, stop=stop
        ) as stack:
            if stop.is_set():
                return 0
            if as_json:
                typer.echo(json.dumps(stack.describe()))
            else:
                out.print(f"API       {stack.api_url}")
                out.print(f"API docs  {stack.api_url}/docs")
                out.print(f"Temporal  {stack.ui_url}")
                out.print(
                    f"Data      {stack.data}   (Ctrl-C stops everything that was started here)",
                    highlight=False,
                )
            await stop.wait()
            err.print("stopping", style="dim")
        return 0

    _run(serve())


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
        raise typer.Exit(_REFUSED)

    async def work() -> int:
        _require_place_for(output)
        async with AsyncExitStack() as stack:
            client = await _client(stack, api, data, start=True)
            request: dict[str, object] = {"brief": {"topic": brief}}
            if script:
                request = await read_script(script, client)
            if preset:
                video = request.get("video", {})
                request["video"] = {**video, "preset": preset} if isinstance(video, dict) else video
            job_id = await client.create(request)
            name = script.name if script else "brief"
            err.print(f"job {job_id}", style="dim", highlight=False)
            job = await _follow(client, job_id, name)
            if job is None or job.status != "completed" or job.output is None:
                return _report_end(job)
            suffix = ".webm" if job.output.video_codec == "vp9" else ".mp4"
            target = output or Path((script.stem if script else "film") + suffix)
            await client.download(job.output.path, target)
            out.print(f"{target}  {_facts(job.output)}", highlight=False, soft_wrap=True)
        return 0

    _run(work())


@app.command()
def watch(job_id: str, api: Api = None, data: Data = None) -> None:
    """Follow a job to its end."""

    async def work() -> int:
        async with AsyncExitStack() as stack:
            client = await _client(stack, api, data, start=False)
            return _report_end(await _follow(client, job_id, job_id[:8]))

    _run(work())


@app.command()
def jobs(
    limit: Annotated[int, typer.Option(min=1, max=100)] = 20,
    status: Annotated[str | None, typer.Option(help="Only jobs of this status.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document a line.")] = False,
    api: Api = None,
    data: Data = None,
) -> None:
    """List the newest jobs."""

    async def work() -> int:
        async with AsyncExitStack() as stack:
            client = await _client(stack, api, data, start=False)
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

    _run(work())


@app.command()
def cancel(job_id: str, api: Api = None, data: Data = None) -> None:
    """End a job."""

    async def work() -> int:
        async with AsyncExitStack() as stack:
            client = await _client(stack, api, data, start=False)
            job = await client.cancel(job_id)
            out.print("cancelled" if job.status == "cancelled" else "cancel requested")
        return 0

    _run(work())


def _require_place_for(output: Path | None) -> None:
    """Refuses a place where no film can be put, before anything is made."""
    if output is None:
        return
    if not output.name or output.is_dir():
        raise ApiError(f"--output {str(output)!r}: name the file, not a folder")
    if not output.parent.is_dir() or not os.access(output.parent, os.W_OK):
        raise ApiError(f"--output {output}: the folder {output.parent} is not there or not writable")


def _facts(film: Output) -> str:
    picture = f"{film.width}x{film.height}, {film.fps:g} fps, {film.video_codec} + " if film.video_codec else ""
    return (
        f"{film.duration_seconds:.1f} s, {picture}{film.audio_codec}, "
        f"{film.loudness_lufs} LUFS, {film.size_bytes / 1e6:.1f} MB"
    )


@app.command()
def pause(job_id: str, api: Api = None, data: Data = None) -> None:
    """Let nothing new of a job begin; what runs is finished."""

    async def work() -> int:
        async with AsyncExitStack() as stack:
            client = await _client(stack, api, data, start=False)
            job = await client.pause(job_id)
            out.print("paused" if job.status == "paused" else "pause requested: what runs is finished first")
        return 0

    _run(work())


@app.command()
def resume(job_id: str, api: Api = None, data: Data = None) -> None:
    """Let a paused job go on."""

    async def work() -> int:
        async with AsyncExitStack() as stack:
            client = await _client(stack, api, data, start=False)
            await client.resume(job_id)
            out.print("resumed")
        return 0

    _run(work())


@app.command()
def retry(job_id: str, api: Api = None, data: Data = None) -> None:
    """Begin a new attempt of a failed or cancelled job."""

    async def work() -> int:
        async with AsyncExitStack() as stack:
            client = await _client(stack, api, data, start=False)
            job = await client.retry(job_id)
            out.print(f"attempt {job.attempt} has begun", highlight=False)
        return 0

    _run(work())


async def _client(stack: AsyncExitStack, api: str | None, data: Path | None, *, start: bool) -> ApiClient:
    """A client of the API that was named, of the stack that runs on the data folder, or of one started here."""
    folder = data or settings().data_dir
    url = api or settings().api_url or await already_running(folder)
    if url is None and start:
        err.print("starting Temporal, worker and API", style="dim")
        local = await stack.enter_async_context(
            running(folder, api_port=0, temporal_port=0, ui_port=0, workers=1, say=_say)
        )
        url = local.api_url
    if url is None:
        raise ApiError(f"no stack runs on {folder}: start one with `picturelock up`, or name an API with --api")
    return await stack.enter_async_context(ApiClient(url))


async def _follow(client: ApiClient, job_id: str, name: str) -> JobStatus | None:
    job: JobStatus | None = None
    with JobDisplay(err, name) as display:
        async for job in client.watch(job_id):
            display.show(job)
    return job


def _report_end(job: JobStatus | None) -> int:
    if job is None or job.status == "completed":
        return 0 if job else _FAILED
    if job.error is None:
        err.print(job.message, style="yellow")
        return _FAILED
    err.print(f"{job.error.code}: {job.error.message}", style="red", highlight=False, markup=False)
    err.print(job.error.remediation, highlight=False)
    if job.error.detail:
        err.print(job.error.detail, style="dim", highlight=False, markup=False)
    return _FAILED


if __name__ == "__main__":
    main()
