"""The `picturelock` command: `up`, `export`, what can be asked of jobs, and what there is to choose from."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from picturelock import __version__
from picturelock.cli import catalog, keys, verbs
from picturelock.cli.batch import batch
from picturelock.cli.build import build
from picturelock.cli.display import film_facts, report_end, suffix_of
from picturelock.cli.doctor import doctor
from picturelock.cli.export import end_of, require_place_for
from picturelock.cli.mcp import mcp
from picturelock.cli.plan import plan
from picturelock.cli.run import REFUSED, run
from picturelock.cli.script_file import ScriptFile
from picturelock.cli.service import PIPE_COLUMNS, Api, Data, client_of, is_running
from picturelock.cli.up import up
from picturelock.cli.wishes import SHAPES, Wishes
from picturelock.client.asynchronous import ApiError

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="Durable video export.")
app.add_typer(keys.app, name="keys")
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
    preset: Annotated[
        str | None, typer.Option(help="Video preset, such as youtube-1080p.", autocompletion=catalog.preset_names)
    ] = None,
    shape: Annotated[
        str | None, typer.Option("--format", help="16:9, 9:16, 1:1 or 4:5.", autocompletion=lambda: list(SHAPES))
    ] = None,
    theme: Annotated[
        str | None, typer.Option(help="One of `picturelock themes`.", autocompletion=catalog.theme_names)
    ] = None,
    voice: Annotated[
        str | None, typer.Option(help="One of `picturelock voices`: ENGINE/VOICE.", autocompletion=catalog.voice_names)
    ] = None,
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


verbs.install(app)
catalog.install(app)


if __name__ == "__main__":
    main()
