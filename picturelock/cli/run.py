"""A command's work, run to an exit code: refusals come in words, not as tracebacks."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, Final

import httpx
import typer
from pydantic import ValidationError
from rich.console import Console

from picturelock.cli.folder import StackError
from picturelock.client.asynchronous import ApiError
from picturelock.errors import StorageError
from picturelock.settings import Settings, wrong_settings

err = Console(stderr=True)
REFUSED: Final = 2
_SETTLE_SECONDS: Final = 0.2
"""A store's threads let go of the interpreter shortly after; leaving earlier can crash it."""

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


def run_on_store(work: Coroutine[Any, Any, int]) -> None:
    """Runs a command that has opened a store itself; see `run`."""

    async def and_settle() -> int:
        try:
            return await work
        finally:
            await asyncio.sleep(_SETTLE_SECONDS)

    run(and_settle())


def run(work: Coroutine[Any, Any, int]) -> None:
    """Runs a command to its exit code, with refusals in words instead of tracebacks."""
    try:
        code = asyncio.run(work)
    except ValidationError as error:
        wrong = wrong_settings(error) if error.title == Settings.__name__ else [(error.title, str(error))]
        for name, why in wrong:
            err.print(f"{name}: {why}", style="red", highlight=False, markup=False, soft_wrap=True)
        code = REFUSED
    except (ApiError, StackError, StorageError) as error:
        err.print(str(error), style="red", highlight=False, markup=False, soft_wrap=True)
        code = REFUSED
    except httpx.TransportError as error:
        err.print(f"the API does not answer: {error}", style="red", highlight=False, markup=False, soft_wrap=True)
        code = REFUSED
    except _WRONG_INPUT as error:
        err.print(f"{type(error).__name__}: {error}", style="red", highlight=False, markup=False, soft_wrap=True)
        code = REFUSED
    except KeyboardInterrupt:
        code = 128 + signal.SIGINT
    raise typer.Exit(code)
