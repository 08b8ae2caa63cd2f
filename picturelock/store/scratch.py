"""Folders for files in the making. They end with their block, and what a killed process left is swept by the next one.

Every process works in a folder of its own and holds a lock on it; a folder whose lock is free has lost its process. The
lock is the kernel's, so it also holds between containers that share a disk.
"""

import atexit
import contextlib
import fcntl
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_PREFIX: Final = "process-"
_OWN: dict[tuple[int, Path], tuple[Path, int]] = {}
"""This process's folder below each scratch folder, with the descriptor that holds its lock."""


@contextmanager
def workspace(scratch: Path, purpose: str) -> Iterator[Path]:
    """A new, empty folder that is removed at the end of the block."""
    with tempfile.TemporaryDirectory(
        dir=_own_folder(scratch), prefix=f"{purpose}-", ignore_cleanup_errors=True
    ) as path:
        yield Path(path)


def _own_folder(scratch: Path) -> Path:
    key = (os.getpid(), scratch)
    if key not in _OWN or not _OWN[key][0].is_dir():
        folder = scratch / f"{_PREFIX}{uuid.uuid4().hex[:12]}"
        folder.mkdir(parents=True)
        descriptor = os.open(folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        _OWN[key] = (folder, descriptor)
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return _OWN[key][0]


def sweep(scratch: Path) -> list[Path]:
    """Removes the folders of processes that are gone; returns them."""
    removed: list[Path] = []
    for folder in scratch.glob(f"{_PREFIX}*") if scratch.is_dir() else []:
        with contextlib.suppress(OSError):
            descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
                removed.append(folder)
            finally:
                os.close(descriptor)
    return removed
