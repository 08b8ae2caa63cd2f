"""`picturelock plan`: what exports would be, before anything is made."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from picturelock.cli.run import run_on_store
from picturelock.cli.script_file import ScriptFile
from picturelock.cli.service import PIPE_COLUMNS, Api, Data, client_of
from picturelock.client.asynchronous import ApiError, AsyncClient
from picturelock.errors import PicturelockError
from picturelock.models.forecast import Forecast, Need
from picturelock.script.intake import RequestRefused, read_request
from picturelock.settings import settings

if TYPE_CHECKING:
    from picturelock.cli.local_store import LocalStore

CHANGED: Final = 3
"""The exit code of `plan --exit-code` where something would be made."""

_SUFFIXES: Final = {".md", ".json"}
_NO_SCRIPTS: Final = {"readme.md", "license.md", "changelog.md", "contributing.md", "package.json"}
out = Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS)
Scripts = Annotated[list[Path], typer.Argument(help="Scripts, or folders of them.", show_default=False)]


@dataclass(frozen=True, slots=True)
class PlannedFilm:
    """A script, what it asks for, and what making it would be."""

    source: ScriptFile
    path: Path
    """Where its film goes, below the output folder and without a suffix."""

    request: Mapping[str, Any]
    forecast: Forecast


def scripts_in(paths: Sequence[Path]) -> Iterator[tuple[ScriptFile, Path]]:
    """The scripts that are named, and those in named folders; each with the path that its film has, without a suffix.

    Raises:
        ApiError: there is nothing there, one cannot be read, or two would be one film.
    """
    seen: dict[Path, Path] = {}
    for path in paths:
        found = sorted(_in_folder(path)) if path.is_dir() else [path]
        if not found:
            raise ApiError(f"{path}: there is no script (*.md, *.json) in this folder")
        for script in found:
            stem = (script.relative_to(path) if path.is_dir() else Path(script.name)).with_suffix("")
            if stem in seen:
                raise ApiError(f"{script} and {seen[stem]} would be the same film, {stem}")
            seen[stem] = script
            yield ScriptFile.read(script), stem


def _in_folder(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and path.suffix.lower() in _SUFFIXES and path.name.lower() not in _NO_SCRIPTS and not hidden:
            yield path


async def plan_here(paths: Sequence[Path], local: "LocalStore") -> list[PlannedFilm]:
    """The films of scripts, by a look at this machine's store. Raises ApiError: with all that would be refused."""
    films, refusals = [], []
    for source, stem in scripts_in(paths):
        try:
            request = await source.request(local)
            read = read_request(json.dumps(request).encode())
            films.append(PlannedFilm(source, stem, request, await local.foresee(read)))
        except RequestRefused as error:
            refusals += [f"{source.name}: {one.code}: {one.path}: {one.message}" for one in error.complaints]
        except PicturelockError as error:
            refusals.append(f"{source.name}: {error.code}: {error.message}")
    if refusals:
        raise ApiError("\n".join(refusals))
    return films


def local_store(data: Path | None) -> "LocalStore":
    """The store of a data folder. Raises ModuleNotFoundError where this installation is the command alone."""
    from picturelock.cli.local_store import LocalStore  # noqa: PLC0415 - it needs what makes films

    return LocalStore.of(data)


async def plan_there(paths: Sequence[Path], client: AsyncClient) -> list[PlannedFilm]:
    """The films of scripts, as a service sees them; pictures are uploaded to it."""
    films = []
    for source, stem in scripts_in(paths):
        request = await source.request(client)
        films.append(PlannedFilm(source, stem, request, await client.plan(request)))
    return films


def plan(
    scripts: Scripts,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document a film.")] = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help=f"End with {CHANGED} where something would be made.")
    ] = False,
    api: Api = None,
    data: Data = None,
) -> None:
    """Tell what exports would be: what is found, what would be made, how long the films are. Nothing is started."""

    async def work() -> int:
        if api or settings().api_url:
            async with client_of(api, data, start=False) as client:
                films = await plan_there(scripts, client)
        else:
            films = await plan_here(scripts, local_store(data))
        if as_json:
            for film in films:
                typer.echo(json.dumps({"script": str(film.path), **film.forecast.model_dump(mode="json")}))
        else:
            show(films)
        changed = any(film.forecast.film.missing for film in films)
        return CHANGED if exit_code and changed else 0

    run_on_store(work())


def show(films: Sequence[PlannedFilm]) -> None:
    """Prints films as a table; of a single one, its scenes, too."""
    if len(films) == 1:
        _show_scenes(films[0].forecast)
    table = Table(
        Column("film", max_width=40, no_wrap=True), "length", "narrations", "pictures", "segments", "sound", "to do",
        box=None,
    )  # fmt: skip
    for film in films:
        told = film.forecast
        length = f"{'' if told.exact else 'about '}{told.duration_seconds:.1f} s"
        needs = [_need(need) for need in (told.narrations, told.pictures, told.segments, told.sound)]
        table.add_row(Text(str(film.path)), length, *needs, _to_do(told))
    out.print(table, highlight=False)
    for film in films:
        for warning in film.forecast.warnings:
            out.print(f"! {film.path}: {warning}", style="yellow", highlight=False, markup=False)


def _show_scenes(forecast: Forecast) -> None:
    table = Table(Column("scene", max_width=44, no_wrap=True), "shows", "seconds", "narration", "segments", box=None)
    for number, scene in enumerate(forecast.scenes, 1):
        table.add_row(
            Text(f"{number}  {scene.title or scene.spoken}"),
            Text(scene.shown),
            f"{scene.seconds:.1f}",
            "found" if scene.narration_found else "to speak",
            _need(scene.segments),
        )
    out.print(table, highlight=False)
    out.print()


def _need(need: Need) -> str:
    """Found and missing things in words: `12 found, 3 to make`."""
    parts = [f"{need.found} found" if need.found else "", f"{need.missing} to make" if need.missing else ""]
    return ", ".join(part for part in parts if part) or "none"


def _to_do(forecast: Forecast) -> str:
    if forecast.film.found:
        return "nothing"
    return "make it" if forecast.eta_seconds is None else f"about {forecast.eta_seconds:.0f} s"
