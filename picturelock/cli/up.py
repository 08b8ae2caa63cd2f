"""`picturelock up`: the whole stack on this machine, for itself or for a network."""

import asyncio
import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console

from picturelock.auth.caller import SCOPES
from picturelock.auth.keys import new_key
from picturelock.cli.keys import keyring_of
from picturelock.cli.lease import until_unused
from picturelock.cli.ports import HOST, is_loopback
from picturelock.cli.run import run
from picturelock.models.base import LOCAL
from picturelock.settings import settings

if TYPE_CHECKING:
    from picturelock.cli.stack import Stack, StackPlan

out = Console()
err = Console(stderr=True)
_API_PORT: Final = 8080
_TEMPORAL_PORT: Final = 7233
_UI_PORT: Final = 8233
Data = Annotated[Path | None, typer.Option(help="Data folder; PICTURELOCK_DATA_DIR when not given.")]


def up(  # noqa: PLR0913, PLR0917 - each is an option
    data: Data = None,
    host: Annotated[
        str, typer.Option(help="Address on which the API listens; any but this machine's own asks for API keys.")
    ] = HOST,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port of the API; 0 for any.")] = _API_PORT,
    temporal_port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port of the Temporal server; 0 for any.")
    ] = _TEMPORAL_PORT,
    ui_port: Annotated[int, typer.Option(min=0, max=65_535, help="Port of the Temporal UI; 0 for any.")] = _UI_PORT,
    no_ui: Annotated[bool, typer.Option("--no-ui", help="Start no Temporal UI.")] = False,
    workers: Annotated[int, typer.Option(min=1, max=64, help="How many workers.")] = 1,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Let everybody who reaches --host do everything, without a key.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON when everything is ready.")] = False,
    while_used: Annotated[bool, typer.Option("--while-used", hidden=True)] = False,
) -> None:
    """Run Temporal, worker and API on this machine until Ctrl-C."""
    from picturelock.cli.stack import Ports, StackPlan  # noqa: PLC0415 - Temporal's client takes long to load

    async def serve() -> int:
        folder = data or settings().data_dir
        keys = settings().authentication == "keys" or not (insecure or is_loopback(host))
        plan = StackPlan(
            folder,
            Ports(port, temporal_port, ui_port),
            workers,
            host=host,
            keys=keys,
            ui=not no_ui,
            insecure=insecure,
            while_used=while_used,
        )
        return await _serve(plan, as_json=as_json)

    run(serve())


async def _serve(plan: "StackPlan", *, as_json: bool) -> int:
    from picturelock.cli.stack import running  # noqa: PLC0415

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    watching = asyncio.create_task(_stop_when_unused(plan.data, stop)) if plan.while_used else None
    async with running(plan, say=_say, stop=stop) as stack:
        if stop.is_set():
            return 0
        if as_json:
            typer.echo(json.dumps(stack.describe()))
        else:
            _describe(stack)
        if plan.keys:
            await _first_key(plan.data)
        await stop.wait()
        err.print("stopping", style="dim")
    if watching:
        watching.cancel()
    return 0


def _describe(stack: "Stack") -> None:
    out.print(f"API       {stack.api_url}")
    out.print(f"API docs  {stack.api_url}/docs")
    if stack.plan.ui:
        out.print(f"Temporal  {stack.ui_url}")
    out.print(f"Data      {stack.data}   (Ctrl-C stops everything that was started here)", highlight=False)
    if stack.plan.insecure and not is_loopback(stack.plan.host):
        err.print("Everybody who reaches this address may do everything (--insecure).", style="red")


async def _first_key(data: Path) -> None:
    """Where there is no key yet, makes one that opens everything, and shows it once."""
    keyring = keyring_of(data)
    if not await keyring.all():
        key, text = new_key(LOCAL, SCOPES)
        await keyring.add(key)
        typer.echo(f"API key   {text}   (shown once; `picturelock keys` makes others and revokes it)", err=True)


async def _stop_when_unused(data: Path, stop: asyncio.Event) -> None:
    lease = await until_unused(data)
    stop.set()
    await asyncio.Event().wait()  # nobody takes a lease of a stack that is ending …
    lease.give_back()  # … until the process is gone


def _say(text: str) -> None:
    err.print(text, style="yellow", highlight=False)
