"""The service that a command asks: an API that is named, the stack on the data folder, or one that is started."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from picturelock.cli.folder import already_running
from picturelock.cli.lease import shared_stack
from picturelock.client.asynchronous import ApiError, AsyncClient
from picturelock.settings import settings

PIPE_COLUMNS: Final = 200
"""A row of a table is one line for whoever reads it from a pipe."""

Data = Annotated[Path | None, typer.Option(help="Data folder; PICTURELOCK_DATA_DIR when not given.")]
Api = Annotated[
    str | None, typer.Option(help="Address of the API; PICTURELOCK_API_URL, or a stack on the data folder.")
]
_err = Console(stderr=True)


async def is_running(api: str | None, data: Path | None) -> bool:
    """Whether there is a service that goes on when the command has ended."""
    return bool(api or settings().api_url) or await already_running(data or settings().data_dir) is not None


@asynccontextmanager
async def client_of(api: str | None, data: Path | None, *, start: bool) -> AsyncIterator[AsyncClient]:
    """A client of the API that was named, of the stack that runs on the data folder, or of one started here."""
    folder = data or settings().data_dir
    named = api or settings().api_url
    stack = nullcontext(named) if named else shared_stack(folder, start=start, say=_say)
    async with stack as url:
        if url is None:
            raise ApiError(f"no stack runs on {folder}: start one with `picturelock up`, or name an API with --api")
        key = settings().api_key
        async with AsyncClient(url, key.get_secret_value() if key else None) as client:
            yield client


def _say(text: str) -> None:
    _err.print(text, style="yellow", highlight=False)
