"""A stack that several commands share: the first one starts it, the last one ends it, whatever happens to the others.

Every command that uses the stack of a data folder holds a lease on the folder: a shared lock of the kernel's, which
goes with its process, however that ends. The stack itself runs under a supervisor of its own (`picturelock up
--while-used`), which ends when nobody holds a lease any more. So no command is another one's child.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Final, Self

from picturelock.cli.folder import (
    START_SECONDS,
    STATE_FILE,
    StackError,
    already_running,
    is_locked,
    open_private,
    private_folder,
)

_USERS_FILE: Final = "users"
_POLL_SECONDS: Final = 0.1
_END_SECONDS: Final = 30.0
_LOG_CHARACTERS: Final = 600


class Lease:
    """A shared lock on a data folder; see the module."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    @classmethod
    async def take(cls, data: Path) -> Self:
        """Takes a lease; waits while a stack on the folder is ending."""
        file: IO[str] = open_private(private_folder(data) / _USERS_FILE, "a")
        await _until(lambda: _locked(file, fcntl.LOCK_SH))
        return cls(file)

    def becomes_exclusive(self) -> bool:
        """Whether nobody else holds a lease; from then on nobody gets one before this one is given back."""
        return _locked(self._file, fcntl.LOCK_EX)

    def give_back(self) -> None:
        """Ends the lease."""
        self._file.close()


async def until_unused(data: Path) -> Lease:
    """Waits until nobody holds a lease; keeps the folder from new ones for as long as the answer is kept."""
    file: IO[str] = open_private(data / _USERS_FILE, "a")
    await _until(lambda: _locked(file, fcntl.LOCK_EX))
    return Lease(file)


async def _until(happened: Callable[[], bool]) -> None:
    while not happened():  # noqa: ASYNC110 - the kernel tells nobody that a lock has become free
        await asyncio.sleep(_POLL_SECONDS)


def _locked(file: IO[str], how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@asynccontextmanager
async def shared_stack(data: Path, *, start: bool, say: Callable[[str], None]) -> AsyncIterator[str | None]:
    """The API's address of the stack on a data folder, which stays for as long as the block runs.

    With `start`, one is started where none runs; without, None is the answer then.

    Raises:
        StackError: it cannot be started.
    """
    data = data.resolve()
    if not start and not data.is_dir():
        yield None
        return
    lease = await Lease.take(data)
    try:
        url = await already_running(data)
        if url is None and start:
            say("starting Temporal, worker and API")
            url = await _started(data)
        yield url
    finally:
        await asyncio.shield(_leave(lease, data))


async def _started(data: Path) -> str:
    """The address of a stack that is started now, by this command or by another one at the same moment."""
    logs = private_folder(data / "logs")
    command = [sys.executable, "-m", "picturelock.cli.main", "up", "--data", str(data), "--json", "--while-used"]
    ports = ["--port", "0", "--temporal-port", "0", "--ui-port", "0"]
    with open_private(logs / "stack.log", "ab") as log:
        began = log.tell()
        # No child of asyncio's: those are killed with their loop, and others may use this one longer than we do.
        supervisor = subprocess.Popen(  # noqa: ASYNC220 - it is not waited for
            [*command, *ports], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(START_SECONDS):
            while supervisor.poll() is None or is_locked(data):
                if url := await already_running(data):
                    return url
                await asyncio.sleep(_POLL_SECONDS)
    said = (logs / "stack.log").read_bytes()[began:].decode(errors="replace").strip()
    raise StackError(said[-_LOG_CHARACTERS:] or f"the stack did not start; see {logs}")


async def _leave(lease: Lease, data: Path) -> None:
    """Gives the lease back; the last user of a stack that was started for users ends it and sees its end."""
    try:
        supervisor = _supervisor(data)
        if supervisor and lease.becomes_exclusive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(supervisor, signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_END_SECONDS):
                    await _until(lambda: not is_locked(data))
    finally:
        lease.give_back()


def _supervisor(data: Path) -> int | None:
    """The process of a stack that runs for its users alone; None where there is none."""
    try:
        state = json.loads((data / STATE_FILE).read_text())
        return int(state["supervisor"]) if state["whileUsed"] else None
    except (OSError, ValueError, LookupError):
        return None
