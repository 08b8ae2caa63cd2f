"""`picturelock keys create | list | revoke`: the API keys of an installation, in its store."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from picturelock.auth.caller import SCOPES, Scope
from picturelock.auth.keyring import Keyring
from picturelock.auth.keys import ApiKey, new_key
from picturelock.cli.run import REFUSED, run_on_store
from picturelock.settings import Settings, settings
from picturelock.store.store import Store

app = typer.Typer(no_args_is_help=True, help="API keys: who may ask, and for what.")
out = Console()
_AGE: Final = re.compile(r"(\d{1,5})([hd])")
_OWNER: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")

Data = Annotated[Path | None, typer.Option(help="Data folder; PICTURELOCK_DATA_DIR when not given.")]


def keyring_of(data: Path | None) -> Keyring:
    """The keys of the store that the settings name, or of a data folder's."""
    configured: Settings = settings() if data is None else settings().model_copy(update={"data_dir": data})
    return Keyring(Store(configured.store_location, configured.scratch))


@app.command()
def create(
    owner: Annotated[str, typer.Option(help="Whose jobs and files the key opens.")],
    scope: Annotated[
        list[str] | None, typer.Option(help=f"One of {', '.join(SCOPES)}; may be given again. All but admin.")
    ] = None,
    expires: Annotated[str | None, typer.Option(help="How long it is good for, such as 90d or 12h.")] = None,
    data: Data = None,
) -> None:
    """Make a key and show it, once."""
    if not _OWNER.fullmatch(owner):
        raise _refusal("--owner: small letters, digits, dots, hyphens and underscores, 63 at the most")
    key, text = new_key(owner, _scopes(scope), _until(expires))

    async def work() -> int:
        await keyring_of(data).add(key)
        typer.echo(text)
        typer.echo("It is not shown again.", err=True)
        return 0

    run_on_store(work())


@app.command(name="list")
def list_keys(data: Data = None) -> None:
    """List the keys: whose they are, what they open, when they were used last."""

    async def work() -> int:
        table = Table("id", "owner", "scopes", "created", "last used", "state", box=None)
        now = datetime.now(UTC)
        for key, used_at in await keyring_of(data).all():
            used = f"{used_at:%Y-%m-%d %H:00}" if used_at else "never"
            table.add_row(key.id, key.owner, " ".join(key.scopes), f"{key.created_at:%Y-%m-%d}", used, _state(key, now))
        out.print(table)
        return 0

    run_on_store(work())


@app.command()
def revoke(key_id: str, data: Data = None) -> None:
    """End a key for good: within seconds it opens nothing any more, and neither do its sessions and links."""

    async def work() -> int:
        if not await keyring_of(data).revoke(key_id):
            raise _refusal(f"there is no key {key_id}; `picturelock keys list` lists them")
        typer.echo("revoked")
        return 0

    run_on_store(work())


def _state(key: ApiKey, now: datetime) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "valid" if key.is_valid(now) else "expired"


def _scopes(given: list[str] | None) -> list[Scope]:
    if not given:
        return [scope for scope in SCOPES if scope != "admin"]
    known = [scope for scope in SCOPES if scope in given]
    if unknown := set(given) - set(known):
        raise _refusal(f"--scope {', '.join(sorted(unknown))}: there are {', '.join(SCOPES)}")
    return known


def _until(age: str | None) -> datetime | None:
    if age is None:
        return None
    match = _AGE.fullmatch(age)
    if match is None or int(match[1]) == 0:
        raise _refusal(f"--expires {age!r}: a number with d for days or h for hours, such as 90d")
    number = int(match[1])
    return datetime.now(UTC) + (timedelta(days=number) if match[2] == "d" else timedelta(hours=number))


def _refusal(text: str) -> typer.Exit:
    typer.secho(text, fg="red", err=True)
    return typer.Exit(REFUSED)
