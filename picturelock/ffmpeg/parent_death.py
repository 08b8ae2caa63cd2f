"""Ties a program to this process: the kernel kills it when the thread that started it ends, whatever ended it.

On macOS, where the kernel does not, a small program beside it does (`guard`); that was not run there.

PR_SET_PDEATHSIG has to be asked for between fork and exec. A function of Python's there makes every start copy the
page tables of the whole worker (27 ms with its voice loaded). So util-linux's setpriv asks for it in a small process
of its own, and the start is a vfork.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None)
_GUARD: Final = Path(__file__).with_name("guard.py")
HAS_DEATH_SIGNAL: Final = sys.platform == "linux"
"""Whether the kernel can be asked to end a program with its parent."""

_PROBE_SECONDS: Final = 5

_UNLESS_ORPHANED: Final = ("/bin/sh", "-c", '[ "$PPID" = "$0" ] && exec "$@"')
"""Whoever started it may have died before setpriv had asked: the signal for that is never sent."""


@dataclass(frozen=True, slots=True)
class DeathSignalCommand:
    """A command, and what subprocess has to run between fork and exec: nothing where setpriv does it."""

    command: list[str]
    preexec: Callable[[], None] | None


def with_death_signal(command: Sequence[str]) -> DeathSignalCommand:
    """The command that dies with the calling thread; where the kernel cannot do that, with this process."""
    if not HAS_DEATH_SIGNAL:
        return DeathSignalCommand(guarded(command, signal.SIGKILL), None)
    setpriv = find_setpriv()
    if setpriv is None:
        return DeathSignalCommand(list(command), partial(_die_with_parent, os.getpid()))
    return DeathSignalCommand([*_asking(setpriv), *command], None)


def guarded(command: Sequence[str], number: signal.Signals) -> list[str]:
    """The command, started by a small program that ends it with a signal when this process is gone."""
    return [sys.executable, "-I", str(_GUARD), str(os.getpid()), str(int(number)), *command]


def _asking(setpriv: str) -> list[str]:
    return [setpriv, "--pdeathsig", "KILL", "--", *_UNLESS_ORPHANED, str(os.getpid())]


@lru_cache(maxsize=1)
def find_setpriv() -> str | None:
    """Where a setpriv is that can do it, if any: busybox has one that cannot, a sandbox may forbid it."""
    program = shutil.which("setpriv")
    if program is None:
        return None
    try:
        subprocess.run(
            [*_asking(program), "true"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PROBE_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return program


def _die_with_parent(parent: int) -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
