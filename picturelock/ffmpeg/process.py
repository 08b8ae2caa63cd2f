"""Programs with pipes of our own: read while they run, ended whatever they do, never waited for without a limit.

asyncio's pipes are not used. Where a reader of theirs is cancelled, its pipe stays paused, its end is never seen, and
until then asyncio does not tell that the program has ended: whoever waits, waits for ever
(https://github.com/python/cpython/issues/119710). The exit of a program without asyncio's pipes is told at once.
"""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final, Self

import structlog

from picturelock.ffmpeg import confinement

TERMINATE_SECONDS = 2.0
"""How long a program has to end when it is asked to, before it is killed."""

_KILL_SECONDS: Final = 2.0
LEFTOVER_SECONDS: Final = 2.0
"""How long what an ended program has left in its pipes may take; a child of its own may hold them open."""

_CHUNK: Final = 65_536
CAPTURED_BYTES: Final = 1024 * 1024
_PATH: Final = re.compile(r"(?<![\w.])/(?:[\w.+@%=-]+/)+")
log = structlog.get_logger()


class Pipe:
    """Both ends of a pipe; whoever takes one closes it, the rest is closed with the stack."""

    def __init__(self, read: int, write: int) -> None:
        self.read = read
        self.write = write
        self._open = {read, write}

    @classmethod
    def open(cls, stack: ExitStack) -> Self:
        """A new pipe."""
        pipe = cls(*os.pipe())
        stack.callback(pipe.close)
        return pipe

    def take(self, end: int) -> int:
        """An end that from now on somebody else closes."""
        self._open.discard(end)
        return end

    def close(self, end: int | None = None) -> None:
        """Closes one end, or all that are still ours."""
        for descriptor in {end} & self._open if end is not None else set(self._open):
            self._open.discard(descriptor)
            os.close(descriptor)


async def read(pipe: Pipe, take: Callable[[bytes], None]) -> None:
    """Hands everything that comes through a pipe to `take`, until its end."""
    stream = asyncio.StreamReader()
    file = os.fdopen(pipe.take(pipe.read), "rb", buffering=0)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stream), file
    )
    try:
        while chunk := await stream.read(_CHUNK):
            take(chunk)
    finally:
        transport.close()


def signal_group(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """Sends a signal to a program and all that it has started."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)


async def end(process: asyncio.subprocess.Process) -> None:
    """Asks a program to end, kills it when it does not, and sees its exit. A stopped one is continued to die.

    One that not even a kill ends (it hangs in the kernel, on a disk that is gone) is abandoned after a while: the work
    that waits here must not hang with it.
    """
    if process.returncode is not None:
        return
    signal_group(process, signal.SIGTERM)
    signal_group(process, signal.SIGCONT)
    try:
        await asyncio.wait_for(process.wait(), TERMINATE_SECONDS)
    except TimeoutError:
        signal_group(process, signal.SIGKILL)
        try:
            await asyncio.wait_for(process.wait(), _KILL_SECONDS)
        except TimeoutError:
            log.exception("a program that was killed does not end", pid=process.pid)


async def settle(tasks: set[asyncio.Task[None]], seconds: float) -> None:
    """Waits for tasks, and cancels those that take longer. Raises what the first failed one has raised."""
    if not tasks:
        return
    done, late = await asyncio.wait(tasks, timeout=seconds)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    for task in done:
        task.result()


def redact(stderr: str) -> str:
    """A stderr tail without the server's folders."""
    return _PATH.sub("…/", stderr).strip()


async def capture(command: list[str], seconds: float) -> tuple[int, bytes, bytes]:
    """Runs a program to its end: exit code, standard output, standard error. A megabyte is kept of each.

    Raises:
        TimeoutError: it took longer than `seconds`, and was ended.
    """
    with ExitStack() as stack:
        output, errors = Pipe.open(stack), Pipe.open(stack)
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=subprocess.DEVNULL,
            stdout=output.write,
            stderr=errors.write,
            start_new_session=True,
            env=confinement.environment(),
        )
        said, complained = bytearray(), bytearray()
        try:
            output.close(output.write)
            errors.close(errors.write)
            readers = {
                asyncio.create_task(read(output, _up_to(CAPTURED_BYTES, said))),
                asyncio.create_task(read(errors, _up_to(CAPTURED_BYTES, complained))),
            }
            try:
                async with asyncio.timeout(seconds):
                    code = await process.wait()
                    await settle(readers, LEFTOVER_SECONDS)
            finally:
                for task in readers:
                    task.cancel()
        finally:
            await asyncio.shield(end(process))
    return code, bytes(said), bytes(complained)


def _up_to(limit: int, kept: bytearray) -> Callable[[bytes], None]:
    """Takes what comes into `kept`, and lets go of what is beyond the limit."""
    return lambda data: kept.extend(data[: max(0, limit - len(kept))])
