"""`picturelock build`: makes the films of scripts that have changed, and only those."""

import asyncio
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console

from picturelock.cli.display import film_facts, report_end, suffix_of
from picturelock.cli.export import end_of
from picturelock.cli.lock_file import NAME, LockedFilm, LockFile
from picturelock.cli.plan import PlannedFilm, Scripts, local_store, plan_here, plan_there
from picturelock.cli.run import REFUSED, run_on_store
from picturelock.cli.service import PIPE_COLUMNS, Api, Data, client_of
from picturelock.client.asynchronous import ApiError, AsyncClient
from picturelock.models import ArtifactRef
from picturelock.settings import settings
from picturelock.store.hashing import sha256_of

if TYPE_CHECKING:
    from picturelock.cli.local_store import LocalStore
    from picturelock.cli.sheet import SheetRow

out = Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS)
err = Console(stderr=True)
_SUFFIXES: Final = {"mp4": ".mp4", "webm": ".webm", "m4a": ".m4a"}


@dataclass(slots=True)
class _Build:
    """One run of the command."""

    output: Path
    lock: LockFile
    tools: Mapping[str, str]
    quiet: bool
    before: dict[str, "SheetRow"] = field(default_factory=dict)
    made: dict[str, LockedFilm] = field(default_factory=dict)

    def target(self, film: PlannedFilm) -> Path:
        """Where the film's file goes."""
        return self.output / film.path.with_name(film.path.name + _SUFFIXES[film.forecast.container])

    async def is_current(self, film: PlannedFilm) -> bool:
        """Whether the film lies in its place already."""
        target, wanted = self.target(film), film.forecast.sha256
        return wanted is not None and target.is_file() and await asyncio.to_thread(sha256_of, target) == wanted

    async def keep_sheet(self, film: PlannedFilm) -> None:
        """Keeps moments of the film that is about to be replaced."""
        from picturelock.cli.sheet import row_of  # noqa: PLC0415 - it needs what makes films

        if self.target(film).is_file():
            self.before[str(film.path)] = await row_of(f"{film.path}: before", self.target(film))

    def note(self, film: PlannedFilm, sha256: str, seconds: float) -> None:
        """Takes note of a film for the lock."""
        name = self.target(film).relative_to(self.output).as_posix()
        self.made[film.path.as_posix()] = LockedFilm(file=name, sha256=sha256, seconds=round(seconds, 3))

    def write_lock(self) -> None:
        """Writes the lock: films whose scripts were not named this time stay in it as long as their files do."""
        others = {name: film for name, film in self.lock.films.items() if (self.output / film.file).is_file()}
        LockFile(tools=dict(self.tools), films=others | self.made).write(self.output)


def build(
    scripts: Scripts,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the films and of the lock.")] = Path(
        "films"
    ),
    sheet: Annotated[Path | None, typer.Option(help="A picture of what has changed, before and after.")] = None,
    locked: Annotated[bool, typer.Option("--locked", help="Refuse other tools than those in the lock.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Tell no progress.")] = False,
    api: Api = None,
    data: Data = None,
) -> None:
    """Make the films of scripts that have changed. What was made before is found in the data folder's store.

    Films that are there already are copied and nothing is started; for the others a stack is, if none runs.
    """

    async def work() -> int:
        output.mkdir(parents=True, exist_ok=True)
        tools = await asyncio.to_thread(_tools)
        building = _Build(output, LockFile.read(output), tools, quiet)
        for text in building.lock.differences(tools):
            err.print(f"! {text}: what was made with it is not found", style="yellow", highlight=False, markup=False)
            if locked:
                raise ApiError(f"--locked: the tools are not those of {output / NAME}")
        if api or settings().api_url:
            async with client_of(api, data, start=False) as client:
                return await _finished(building, await plan_there(scripts, client), None, client, sheet)
        local = local_store(data)
        films = await plan_here(scripts, local)
        todo = [film for film in films if film.forecast.sha256 is None]
        if not todo:
            return await _finished(building, films, local, None, sheet)
        async with client_of(api, data, start=True) as client:
            return await _finished(building, films, local, client, sheet)

    run_on_store(work())


async def _finished(
    building: _Build,
    films: Sequence[PlannedFilm],
    local: "LocalStore | None",
    client: AsyncClient | None,
    sheet: Path | None,
) -> int:
    changed = [film for film in films if not await building.is_current(film)]
    for film in films:
        if film not in changed:
            building.note(film, film.forecast.sha256 or "", film.forecast.duration_seconds)
            out.print(f"{building.target(film)}  is up to date", highlight=False, soft_wrap=True)
    if sheet:
        for film in changed:
            await building.keep_sheet(film)
    for film in changed:
        building.target(film).parent.mkdir(parents=True, exist_ok=True)
    there = [film for film in changed if local is not None and film.forecast.sha256]
    for film in there:
        await _copy(building, film, local)
    code = await _export(building, [film for film in changed if film not in there], client) if client else 0
    building.write_lock()
    if sheet:
        await _write_sheet(building, changed, sheet)
    return code


def _tools() -> dict[str, str]:
    """What films are made with here; nothing where this installation is the command alone."""
    try:
        from picturelock.forecast import made_with  # noqa: PLC0415
    except ModuleNotFoundError:
        return {}
    return made_with()


async def _copy(building: _Build, film: PlannedFilm, local: "LocalStore | None") -> None:
    """Puts a film that is in this machine's store in its place."""
    told = film.forecast
    if local is None or told.sha256 is None or told.size_bytes is None:
        return
    ref = ArtifactRef(sha256=told.sha256, size_bytes=told.size_bytes, media_type=f"video/{told.container}")
    target = building.target(film)
    part = target.with_name(f".{target.name}.part")
    try:
        await asyncio.to_thread(shutil.copyfile, await local.store.local(ref), part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    building.note(film, ref.sha256, film.forecast.duration_seconds)
    out.print(f"{target}  was there already", highlight=False, soft_wrap=True)


async def _export(building: _Build, films: Sequence[PlannedFilm], client: AsyncClient) -> int:
    """Has films made, all at once. The exit code is that of the first one that has failed."""
    code = 0
    jobs = [await client.create(await film.source.request(client)) for film in films]
    for film, job_id in zip(films, jobs, strict=True):
        job = await end_of(err, client, job_id, str(film.path), quiet=building.quiet)
        if job is None or job.status != "completed" or job.output is None:
            code = code or report_end(err, job) or REFUSED
            continue
        target = building.target(film).with_suffix(suffix_of(job.output))
        await client.download(job.output.path, target)
        building.note(film, job.output.sha256, job.output.duration_seconds)
        out.print(f"{target}  {film_facts(job.output)}", highlight=False, soft_wrap=True)
    return code


async def _write_sheet(building: _Build, films: Sequence[PlannedFilm], sheet: Path) -> None:
    from picturelock.cli.sheet import row_of, write_sheet  # noqa: PLC0415

    rows = []
    for film in films:
        if (before := building.before.get(str(film.path))) is not None:
            rows.append(before)
        if building.target(film).is_file():
            rows.append(await row_of(f"{film.path}: after", building.target(film)))
    write_sheet([row for row in rows if row.pictures], sheet)
    out.print(str(sheet), highlight=False, soft_wrap=True)
