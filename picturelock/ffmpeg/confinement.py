"""What a program that decodes strangers' files is given: no secret of its parent, and no more memory than it needs.

A decoder with a hole in it runs somebody else's code. What it cannot see it cannot send away.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

_PASSED: Final = frozenset({"PATH", "HOME", "LANG", "LANGUAGE", "TMPDIR", "TZ", "LD_LIBRARY_PATH"})
_PASSED_PREFIXES: Final = ("LC_", "FONTCONFIG_", "LIBVA_", "VDPAU_", "CUDA_", "NVIDIA_", "DRI_")
"""What programs need to find libraries, fonts and graphics cards."""

_PROBE_MEMORY: Final = 1024**3
_PROBE_CPU_SECONDS: Final = 30


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a child: what is passed on of this process's own, and `more`."""
    passed = {key: value for key, value in os.environ.items() if key in _PASSED or key.startswith(_PASSED_PREFIXES)}
    return {**passed, "AV_LOG_FORCE_NOCOLOR": "1", **(more or {})}


def limited(command: Sequence[str]) -> list[str]:
    """A command that may take a gigabyte of memory and half a minute of CPU, where util-linux's prlimit is there."""
    prlimit = _find_prlimit()
    if prlimit is None:
        return list(command)
    return [prlimit, f"--as={_PROBE_MEMORY}", f"--cpu={_PROBE_CPU_SECONDS}", "--core=0", "--", *command]


@lru_cache(maxsize=1)
def _find_prlimit() -> str | None:
    return shutil.which("prlimit")
