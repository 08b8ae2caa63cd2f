"""What there is to choose from in this installation: presets, themes, voices. No service is needed to tell."""

import sys
from collections.abc import Callable, Iterable
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from picturelock.cli.service import PIPE_COLUMNS
from picturelock.models import Model
from picturelock.presets import DEFAULT_PRESET, PRESETS
from picturelock.settings import settings
from picturelock.speech.engine import installed_voices
from picturelock.themes import installed_themes

out = Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS)
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document a line.")]


class _Row(Model):
    """A line of a list."""

    name: str
    about: str


def install(app: typer.Typer) -> None:
    """Adds the commands."""
    for command in (presets, themes, voices):
        app.command()(command)


def presets(as_json: AsJson = False) -> None:
    """List the video presets."""

    def rows() -> Iterable[_Row]:
        for preset in PRESETS.values():
            video = preset.format
            size = (
                f"{video.width}x{video.height}, {video.fps} fps, {video.codec}" if video.has_picture else "sound alone"
            )
            yield _Row(name=preset.slug, about=f"{size}{', the default' if preset.slug == DEFAULT_PRESET else ''}")

    _list(rows, as_json=as_json)


def themes(as_json: AsJson = False) -> None:
    """List the themes of cards and designed scenes."""

    def rows() -> Iterable[_Row]:
        for theme in installed_themes().values():
            yield _Row(
                name=theme.name, about=f"{'dark' if theme.dark else 'light'}, {theme.heading_face}, {theme.pattern}"
            )

    _list(rows, as_json=as_json)


def voices(as_json: AsJson = False) -> None:
    """List the voices that are installed."""

    def rows() -> Iterable[_Row]:
        for voice in installed_voices(settings()):
            yield _Row(name=f"{voice.engine}/{voice.voice}", about=f"{voice.title} ({', '.join(voice.languages)})")

    _list(rows, as_json=as_json)


def preset_names() -> list[str]:
    """For the completion of a word."""
    return list(PRESETS)


def theme_names() -> list[str]:
    """For the completion of a word."""
    return list(installed_themes())


def voice_names() -> list[str]:
    """For the completion of a word."""
    return [f"{voice.engine}/{voice.voice}" for voice in installed_voices(settings())]


def _list(rows: Callable[[], Iterable[_Row]], *, as_json: bool) -> None:
    if as_json:
        for row in rows():
            typer.echo(row.model_dump_json())
        return
    table = Table("name", "", box=None)
    for row in rows():
        table.add_row(row.name, row.about)
    out.print(table, highlight=False)
