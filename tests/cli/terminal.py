"""Runs the command as a person does: in a pipe, or on a terminal whose screen can be read."""

import asyncio
import contextlib
import fcntl
import os
import pty
import struct
import sys
import termios
from asyncio.subprocess import PIPE
from dataclasses import dataclass, field
from pathlib import Path

import pyte

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "picturelock.cli.main"]
COLUMNS, LINES = 110, 30


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


async def piped(*arguments: str, environment: dict[str, str] | None = None) -> Ended:
    """Runs a command to its end with both its outputs in pipes."""
    process = await start(*arguments, environment=environment)
    return await ended(process)


async def start(*arguments: str, environment: dict[str, str] | None = None) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *COMMAND, *arguments, cwd=ROOT, env={**os.environ, **(environment or {})}, stdout=PIPE, stderr=PIPE
    )


async def ended(process: asyncio.subprocess.Process) -> Ended:
    out, err = await asyncio.wait_for(process.communicate(), 55)
    return Ended(process.returncode or 0, out.decode(), err.decode())


@dataclass
class Terminal:
    """A command on a pseudo-terminal, and the screen it draws."""

    process: asyncio.subprocess.Process
    descriptor: int
    screen: pyte.Screen = field(default_factory=lambda: pyte.Screen(COLUMNS, LINES))
    raw: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        self._stream = pyte.ByteStream(self.screen)
        self._changed = asyncio.Event()
        asyncio.get_running_loop().add_reader(self.descriptor, self._read)

    @classmethod
    async def open(cls, *arguments: str) -> "Terminal":
        """Starts a command on a terminal of its own."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color"}
        process = await asyncio.create_subprocess_exec(
            *COMMAND, *arguments, cwd=ROOT, env=environment, stdin=theirs, stdout=theirs, stderr=theirs,
            start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        return cls(process, ours)

    def _read(self) -> None:
        try:
            data = os.read(self.descriptor, 65_536)
        except OSError:  # the other side is closed
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self.descriptor)
        self.raw += data
        self._stream.feed(data)
        self._changed.set()

    @property
    def text(self) -> str:
        """What the screen shows."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    async def shows(self, *words: str) -> str:
        """Waits until the screen shows all the words; what it shows then."""
        async with asyncio.timeout(30):
            while not all(word in self.text for word in words):
                self._changed.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), 0.5)
        return self.text

    async def ends(self) -> int:
        """Its exit code."""
        code = await asyncio.wait_for(self.process.wait(), 55)
        while self._read_rest():
            pass
        os.close(self.descriptor)
        return code

    def _read_rest(self) -> bool:
        asyncio.get_running_loop().remove_reader(self.descriptor)
        try:
            data = os.read(self.descriptor, 65_536)
        except OSError:
            return False
        self.raw += data
        self._stream.feed(data)
        return bool(data)
