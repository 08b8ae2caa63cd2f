"""What a program that decodes strangers' files is given: no secret, no network, and no more than it needs.

A decoder with a hole in it runs somebody else's code. What it cannot see it cannot send away, and what it takes, it
takes from nobody else. Limits are set by util-linux's prlimit, the network is taken away by its unshare; what a machine
does not have or forbids is left out (docs/security.md says how to have it all).
"""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from picturelock.ffmpeg.parent_death import DeathSignalCommand, with_death_signal

_PASSED: Final = frozenset({"PATH", "HOME", "LANG", "LANGUAGE", "TMPDIR", "TZ", "LD_LIBRARY_PATH"})
_PASSED_PREFIXES: Final = ("LC_", "FONTCONFIG_", "LIBVA_", "VDPAU_", "CUDA_", "NVIDIA_", "DRI_")
"""What programs need to find libraries, fonts and graphics cards."""

_MB: Final = 1024**2
_TRY_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a program may take: bytes of address space, seconds of CPU, bytes of one written file, open files."""

    memory: int
    cpu_seconds: int
    file_bytes: int
    open_files: int = 64


PROBE: Final = Limits(memory=1024 * _MB, cpu_seconds=10, file_bytes=_MB)
"""For whoever finds out what a file is, in the time of a request."""

PICTURE: Final = Limits(memory=1024 * _MB, cpu_seconds=15, file_bytes=512 * _MB)
"""For a picture of at most 50 megapixels, decoded into 4 bytes a pixel."""

DECODER: Final = Limits(memory=1536 * _MB, cpu_seconds=4 * 3_600, file_bytes=8 * 1024 * _MB, open_files=256)
"""For films and sounds. 4K of 10 bits takes 1.3 GB of address space, a third of it memory; 4 h of stereo are 2.8 GB."""


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a child: what is passed on of this process's own, and `more`."""
    passed = {key: value for key, value in os.environ.items() if key in _PASSED or key.startswith(_PASSED_PREFIXES)}
    return {**passed, "AV_LOG_FORCE_NOCOLOR": "1", **(more or {})}


def confined(command: Sequence[str], limits: Limits) -> list[str]:
    """A command that keeps within limits and reaches no network, as far as this machine can see to it."""
    return [*_find_unshare(), *_limited(command, limits)]


def tied(command: Sequence[str], limits: Limits | None) -> DeathSignalCommand:
    """A command that dies with the calling thread, confined where there are limits.

    The network is taken away first: whoever gains a namespace of his own loses the death signal that he had asked for.
    """
    if limits is None:
        return with_death_signal(command)
    program = with_death_signal(_limited(command, limits))
    unshare = _find_unshare() if program.preexec is None else ()
    return DeathSignalCommand([*unshare, *program.command], program.preexec)


def _limited(command: Sequence[str], limits: Limits) -> list[str]:
    prlimit = _find_prlimit()
    if prlimit is None:
        return list(command)
    return [
        prlimit, f"--as={limits.memory}", f"--cpu={limits.cpu_seconds}", f"--fsize={limits.file_bytes}",
        f"--nofile={limits.open_files}", "--core=0", "--", *command,
    ]  # fmt: skip


@lru_cache(maxsize=1)
def _find_prlimit() -> str | None:
    return shutil.which("prlimit")


@lru_cache(maxsize=1)
def _find_unshare() -> tuple[str, ...]:
    """The words that start a command without a network, if this machine lets us: as root, or in a user namespace."""
    program = shutil.which("unshare")
    for words in (("--net",), ("--net", "--map-root-user")) if program else ():
        try:
            subprocess.run(
                [str(program), *words, "--", "true"], stdin=subprocess.DEVNULL, capture_output=True,
                timeout=_TRY_SECONDS, check=True,
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError):
            continue
        return (str(program), *words, "--")
    return ()


def missing_confinement() -> list[str]:
    """What this machine cannot do to decoders of strangers' files: `limits`, `network`."""
    return [
        *([] if _find_prlimit() else ["limits (prlimit)"]),
        *([] if _find_unshare() else ["separation from the network (unshare)"]),
    ]
