"""A stack's data folder: whose it is, where its stack answers, and the secret that signs its webhooks."""

import asyncio
import contextlib
import fcntl
import json
import os
import secrets
from base64 import b64encode
from pathlib import Path
from typing import IO, Any, Final

import httpx

START_SECONDS: Final = 60.0
"""How long a stack may take until it is ready."""

STATE_FILE: Final = "stack.json"
WEBHOOK_SECRET: Final = "webhook-secret"  # noqa: S105 - the name of a file
SERVER_SECRET: Final = "server-secret"  # noqa: S105
_LOCK_FILE: Final = "lock"
_LOCK_TRIES: Final = 6
_LOCK_SECONDS: Final = 0.05


class StackError(RuntimeError):
    """The stack cannot be started, with the reason in words."""


def private_folder(folder: Path) -> Path:
    """A folder that, if it is made now, its owner alone can look into."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def open_private(path: Path, mode: str) -> IO[Any]:
    """A file that, if it is made now, its owner alone can read."""
    return open(path, mode, opener=lambda name, flags: os.open(name, flags, 0o600))


async def take_lock(data: Path) -> IO[str]:
    """Takes the folder for one stack, for as long as the file is open. Raises StackError when another one has it."""
    lock: IO[str] = open_private(private_folder(data) / _LOCK_FILE, "w")
    for _ in range(_LOCK_TRIES):  # somebody may just be looking whether it is taken
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        await asyncio.sleep(_LOCK_SECONDS)
    lock.close()
    raise StackError(f"another stack uses the data folder {data}")


def is_locked(data: Path) -> bool:
    """Whether a stack has the data folder: it runs, starts or ends."""
    try:
        with open_private(data / _LOCK_FILE, "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


async def already_running(data: Path) -> str | None:
    """The API's address of a stack that runs on this data folder, or None."""
    try:
        url = str(json.loads((data / STATE_FILE).read_text())["api"])
        async with httpx.AsyncClient(timeout=2) as client:
            return url if (await client.get(f"{url}/readyz")).is_success else None
    except (OSError, ValueError, KeyError, httpx.HTTPError):
        return None


def own_secret(data: Path, name: str) -> str:
    """A secret of this folder's, made once, for its owner's eyes only."""
    path = data / name
    if not path.exists():
        temporary = path.with_suffix(".new")
        temporary.touch(mode=0o600)
        temporary.write_text(f"whsec_{b64encode(secrets.token_bytes(32)).decode()}\n")
        temporary.replace(path)
    return path.read_text().strip()
