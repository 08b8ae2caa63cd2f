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

    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Starts it in a session of its own: a Ctrl-C in the terminal reaches only the supervisor."""
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.arguments,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=self.inherits,
                preexec_fn=_end_with_parent,
            )

    async def stop(self) -> None:
        """Asks it to end, waits, and kills it when it does not."""
        if self.process is None or self.process.returncode is not None:
            return
        self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), _STOP_SECONDS)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            await self.process.wait()

    @property
    def pid(self) -> int:
        """Its process id; 0 when it does not run."""
        return self.process.pid if self.process else 0
