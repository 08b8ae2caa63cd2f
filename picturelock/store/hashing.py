"""Hashes that name files and cache keys, and the certainty that a file is what its name says."""

import asyncio
import contextlib
import hashlib
import uuid
from collections import OrderedDict
from pathlib import Path
from typing import Final

from picturelock.errors import ArtifactLost, StoreUnavailable
from picturelock.models import ArtifactRef

_KEPT: Final = 20_000
"""Files whose hash is known to be right, as long as nobody writes to them."""


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cache_key(*parts: str) -> str:
    """A key over everything that determines a result."""
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()


def lost(ref: ArtifactRef, what: str) -> ArtifactLost:
    """The error for a file that is not what it should be; `what` completes the sentence."""
    return ArtifactLost(f"the file {ref.sha256[:12]}… ({ref.media_type}) {what}")


class Integrity:
    """Knows which files of a local store are intact. Each is hashed once, as long as nobody writes to it."""

    def __init__(self, aside: Path) -> None:
        self._aside = aside
        self._intact: OrderedDict[tuple[str, int, int, int], None] = OrderedDict()

    async def check(self, path: Path, ref: ArtifactRef) -> None:
        """Sees that a file is there and is what its hash says; a damaged one is put aside, so that it is made again.

        Raises:
            ArtifactLost: it is not.
            StoreUnavailable: it cannot be read.
        """
        try:
            status = path.stat()
            key = (ref.sha256, status.st_ino, status.st_mtime_ns, status.st_size)
            if key in self._intact:
                return
            intact = status.st_size == ref.size_bytes and await asyncio.to_thread(sha256_of, path) == ref.sha256
        except FileNotFoundError as error:
            raise lost(ref, "is not in the store any more") from error
        except OSError as error:
            raise StoreUnavailable(f"the artifact store does not answer: {error.strerror}") from error
        if not intact:
            with contextlib.suppress(OSError):
                self._aside.mkdir(exist_ok=True)
                path.replace(self._aside / f"{ref.sha256}.{uuid.uuid4().hex[:8]}")
            raise lost(ref, "is damaged")
        self._intact[key] = None
        while len(self._intact) > _KEPT:
            self._intact.popitem(last=False)
