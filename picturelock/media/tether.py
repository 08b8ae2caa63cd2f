"""Ties a program to this process: the kernel kills it when the thread that started it ends, whatever ended it.

PR_SET_PDEATHSIG has to be asked for between fork and exec. A function of Python's there makes every start copy the
page tables of the whole worker (27 ms with its voice loaded); util-linux's setpriv asks for it in a small process
of its own, and the start is a vfork.
"""

import ctypes
import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None)


@dataclass(frozen=True, slots=True)
class Tethered:
    """A command, and what subprocess has to run between fork and exec: nothing where setpriv does it."""

    command: list[str]
    preexec: Callable[[], None] | None


def tethered(command: Sequence[str]) -> Tethered:
    """The command that dies with the calling thread."""
    setpriv = _setpriv()
    if setpriv is None:
        return Tethered(list(command), _die_with_parent)
    return Tethered([*_asking(setpriv), *command], None)


def _asking(setpriv: str) -> list[str]:
    return [setpriv, "--pdeathsig", "KILL", "--"]


@lru_cache(maxsize=1)
def _setpriv() -> str | None:
    """Where a setpriv is that can do it: busybox has one that cannot, a sandbox may forbid it."""
    found = shutil.which("setpriv")
    if found is None:
        return None
    tried = subprocess.run([*_asking(found), found, "--version"], capture_output=True, timeout=30, check=False)
    return found if tried.returncode == 0 else None


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
