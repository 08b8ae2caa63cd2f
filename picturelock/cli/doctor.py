"""`picturelock doctor`: whether this machine can make films, and what to do where it cannot."""

import asyncio
import sys
from typing import Annotated, Final

import typer
from pydantic import ValidationError
from rich.console import Console

from picturelock.cli.run import run_on_store
from picturelock.cli.service import PIPE_COLUMNS
from picturelock.models import Model
from picturelock.settings import settings, wrong_settings

out = Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS)
NOT_WELL: Final = 1
"""The exit code where no film can be made."""


class Diagnosis(Model):
    """One line of what was found."""

    what: str
    well: bool
    serious: bool
    said: str
    advice: str


def doctor(as_json: Annotated[bool, typer.Option("--json", help="One JSON document a line.")] = False) -> None:
    """Look whether films can be made here: programs, fonts, voices, Temporal, store, room, limits, settings, clock.

    Ends with 1 where something that every film needs is not well.
    """

    async def work() -> int:
        found = await diagnose()
        for one in found:
            if as_json:
                typer.echo(one.model_dump_json())
                continue
            mark, style = ("✓", "green") if one.well else ("✗", "red") if one.serious else ("!", "yellow")
            out.print(f"{mark} {one.what}: {one.said}", style=style, highlight=False, markup=False, soft_wrap=True)
            if one.advice:
                out.print(f"  {one.advice}", highlight=False, markup=False, soft_wrap=True)
        return NOT_WELL if any(one.serious and not one.well for one in found) else 0

    run_on_store(work())


async def diagnose() -> list[Diagnosis]:
    """Everything that was looked at, in order."""
    try:
        configured = settings()
    except ValidationError as error:
        advice = "correct it: the README lists the settings"
        wrong = wrong_settings(error)
        return [Diagnosis(what=name, well=False, serious=True, said=why, advice=advice) for name, why in wrong]
    from picturelock.cli.checks import CHECKS  # noqa: PLC0415 - it needs what makes films

    found = await asyncio.gather(*(check(configured) for check in CHECKS))
    return [
        Diagnosis(what=one.what, well=one.well, serious=one.serious, said=one.said, advice=one.advice)
        for findings in found
        for one in findings
    ]
