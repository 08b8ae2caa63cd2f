"""`picturelock export`: a script becomes a film, beside its script."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from picturelock.cli.client import ApiClient, ApiError
from picturelock.cli.display import film_facts, follow, report_end, suffix_of
from picturelock.cli.run import REFUSED, run
from picturelock.cli.script_file import ScriptFile
from picturelock.cli.service import PIPE_COLUMNS, Api, Data, client_of, is_running
from picturelock.cli.wishes import Wishes
from picturelock.models import JobStatus

out = Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS)
err = Console(stderr=True)


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
    music: Annotated[Path | None, typer.Option(help="A recording under the narration.")] = None,
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
        _require_place_for(output)
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
            job = await _end_of(client, job_id, name, quiet=quiet)
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


async def _end_of(client: ApiClient, job_id: str, name: str, *, quiet: bool) -> JobStatus | None:
    if not quiet:
        err.print(f"job {job_id}", style="dim", highlight=False)
        return await follow(client, err, job_id, name)
    states = [job async for job in client.watch(job_id)]
    return states[-1] if states else None


def _require_place_for(output: Path | None) -> None:
    """Refuses a place where no film can be put, before anything is made."""
    if output is None:
        return
    if not output.name or output.is_dir():
        raise ApiError(f"--output {str(output)!r}: name the file, not a folder")
    if not output.parent.is_dir() or not os.access(output.parent, os.W_OK):
        raise ApiError(f"--output {output}: the folder {output.parent} is not there or not writable")
