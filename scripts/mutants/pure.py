"""Mutates the pure modules operator by operator with mutmut, in a copy of this checkout, and lists what survives.

    python -m scripts.mutants.pure [--keep FOLDER]

The modules and their tests are named in pyproject.toml. Exit code 1 where less than 85 of 100 mutants are seen.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

from scripts.mutants.__main__ import copy

NEEDED: Final = 0.85
_SEEN: Final = frozenset({"killed", "timeout", "suspicious", "segfault", "caught by type check"})
_UNTRIED: Final = frozenset({"skipped"})


def main() -> int:
    """Reads the command line and runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="the copy to work in; kept, and gone on with when it is there")
    kept = parser.parse_args().keep
    with tempfile.TemporaryDirectory(prefix="mutants-") as place:
        folder = kept or Path(place)
        folder.mkdir(exist_ok=True)
        copy(folder)
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | {"CI": "true"}
        command = [sys.executable, "-m", "mutmut"]
        subprocess.run([*command, "run", "--max-children", "2"], cwd=folder, env=environment, check=True)
        listed = subprocess.run(
            [*command, "results", "--all", "true"], cwd=folder, env=environment, capture_output=True, text=True,
            check=True,
        ).stdout  # fmt: skip
        results = dict(re.findall(r"^\s*(\S+): (.+)$", listed, re.MULTILINE))
        count = Counter(results.values())
        tried = sum(number for result, number in count.items() if result not in _UNTRIED)
        seen = sum(number for result, number in count.items() if result in _SEEN)
        for name, result in sorted(results.items()):
            if result not in _SEEN | _UNTRIED:
                shown = subprocess.run(
                    [*command, "show", name], cwd=folder, env=environment, capture_output=True, text=True, check=False
                ).stdout
                changes = [line for line in shown.splitlines() if re.match(r"[-+](?![-+])", line)]
                print(f"{result}: {name}\n  " + "\n  ".join(changes))
        print(f"\n{seen} of {tried} mutants of the pure modules were seen ({seen / max(1, tried):.1%}): {dict(count)}")
    return 0 if tried and seen >= NEEDED * tried else 1


if __name__ == "__main__":
    sys.exit(main())
