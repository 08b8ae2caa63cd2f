"""One supervised process: started with its log, asked to end, killed when it does not, ended with its parent."""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from picturelock.ffmpeg.parent_death import HAS_DEATH_SIGNAL, guarded

_STOP_SECONDS: Final = 10.0
_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None)


def _end_with_parent() -> None:
    """Runs in the child before exec: asked to end when the supervisor is killed."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


@dataclass(slots=True)
class Child:
    """One supervised process with its log file."""

    name: str
    arguments: list[str]
    environment: dict[str, str]
    log: Path
    inherits: tuple[int, ...] = ()
    """File descriptors that it gets from its parent."""

    begins_when_told: bool = False
    """Whether it loads itself and then waits for a line on its standard input, so that it can be started ahead."""

    process: asyncio.subprocess.Process | None = None
    _spare: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Starts it, or has the one that was started ahead begin."""
        if self._spare is None or self._spare.returncode is not None:
            self._spare = await self._spawn()
        self.process, self._spare = self._spare, None
        if self.process.stdin is not None:
            self.process.stdin.write(b"\n")

    async def start_ahead(self) -> None:
        """Starts the next one, which waits until it is needed."""
        if self.begins_when_told and self._spare is None:
            self._spare = await self._spawn()

    async def stop(self) -> None:
        """Asks it to end, waits, and kills it when it does not."""
        await asyncio.gather(*(_stop(process) for process in (self._spare, self.process) if process is not None))

    async def _spawn(self) -> asyncio.subprocess.Process:
        """In a session of its own: a Ctrl-C in the terminal reaches only the supervisor."""
        with self.log.open("ab") as log:
            tied = HAS_DEATH_SIGNAL
            return await asyncio.create_subprocess_exec(
                *(self.arguments if tied else guarded(self.arguments, signal.SIGTERM)),
                env={**os.environ, **self.environment},
                stdin=subprocess.PIPE if self.begins_when_told else subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=self.inherits,
                preexec_fn=_end_with_parent if tied else None,
            )

    @property
    def pid(self) -> int:
        """Its process id; 0 when it does not run."""
        return self.process.pid if self.process else 0


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _STOP_SECONDS)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
