"""Breaks the product on purpose, one break at a time, and tells which test has seen each.

    python -m scripts.mutants [--only WORD] [--at-once N] [--everything]

Each break is made in a copy of this checkout. A break whose own tests pass is tried against all tests with
`--everything`. Exit code 1 where less than 95 of 100 are seen, or where a break does not fit the code any more.
"""

import argparse
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scripts.mutants import pattern
from scripts.mutants.breaks import BREAKS, Break

ROOT: Final = Path(__file__).parents[2]
PRODUCT: Final = ("picturelock", "activities", "workflows", "api", "worker.py")
NEEDED: Final = 0.95
_SECONDS: Final = 600
_HUNG: Final = re.compile(r"^  File \"[^\"]*/(tests/[^\"]*)\", line \d+ in test_", re.MULTILINE)
"""A test that hangs ends the run, with a trace of where it hung."""

_ENDED: Final = re.compile(r"Timeout \(\d+:\d+:\d+\)!$", re.MULTILINE)
_FAILED: Final = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Seen:
    """What became of a break: the test that has seen it, or why there is none."""

    broken: Break
    test: str | None
    seconds: float
    note: str = ""


def sources(folder: Path) -> dict[Path, str]:
    """The product's modules and what is in them."""
    files = [
        path
        for name in PRODUCT
        for path in ([folder / name] if name.endswith(".py") else (folder / name).rglob("*.py"))
    ]
    return {path: path.read_text() for path in sorted(files)}


def copy(folder: Path) -> Path:
    """A copy of this checkout, as it lies there."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True,
        check=True,
    ).stdout.splitlines()  # fmt: skip
    for name in listed:
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def broken_file(broken: Break, modules: dict[Path, str]) -> tuple[Path, str]:
    """The one module that a break fits, and what it becomes. Raises NotOnce."""
    fits = {path: pattern.count(text, broken.find) for path, text in modules.items()}
    if sum(fits.values()) != 1:
        raise pattern.NotOnce(sum(fits.values()))
    path = next(path for path, places in fits.items() if places)
    return path, pattern.replace(modules[path], broken.find, broken.put)


def look(broken: Break, folder: Path, *, everything: bool) -> Seen:
    """Makes a break in a copy and runs its tests."""
    began = time.monotonic()
    modules = sources(folder)
    try:
        path, text = broken_file(broken, modules)
    except pattern.NotOnce as error:
        return Seen(broken, None, 0, f"does not fit the code: {error}")
    path.write_text(text)
    try:
        for tests in [broken.tests, *(["tests"] if everything else [])]:
            code, said = run(arguments(tests), folder)
            if code not in {0, 5}:
                found = _FAILED.search(said) or _HUNG.search(said)
                if found:
                    return Seen(broken, found.group(1), time.monotonic() - began)
                if _ENDED.search(said):  # a coroutine that waits is in no thread's stack
                    return Seen(broken, f"a test of {tests} hung", time.monotonic() - began)
                return Seen(broken, None, time.monotonic() - began, f"pytest ended with {code}: {said[-300:]}")
        return Seen(broken, None, time.monotonic() - began, "every test passes")
    finally:
        path.write_text(modules[path])


def arguments(tests: str) -> list[str]:
    """The words for pytest; what follows `-k` is one expression."""
    places, _, words = tests.partition(" -k ")
    return [*places.split(), *(["-k", words] if words else [])]


def run(tests: list[str], folder: Path) -> tuple[int, str]:
    """Pytest in the copy, up to the first failure; the folder of temporary files is the copy's own."""
    scratch = folder / ".scratch"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(scratch)}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "--tb=line", *tests]
    with tempfile.TemporaryFile("w+") as output:
        try:
            code = subprocess.run(
                command, cwd=folder, env=environment, stdout=output, stderr=output, timeout=_SECONDS, check=False
            ).returncode
        except subprocess.TimeoutExpired:
            return 1, f"FAILED hung for {_SECONDS} s"
        output.seek(0)
        return code, output.read()


def main() -> int:
    """Reads the command line and runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="only breaks with this word in their name")
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument(
        "--everything", action="store_true", help="run all tests for a break that its own have not seen"
    )
    chosen = parser.parse_args()
    waiting: queue.Queue[Break] = queue.Queue()
    for one in BREAKS:
        if chosen.only in one.name:
            waiting.put(one)
    results: list[Seen] = []

    def work(folder: Path) -> None:
        while True:
            try:
                one = waiting.get_nowait()
            except queue.Empty:
                return
            seen = look(one, folder, everything=chosen.everything)
            results.append(seen)
            print(f"| {one.name} | {seen.test or f'**survived**: {seen.note}'} | {seen.seconds:.0f} |", flush=True)

    print("| break | test that has seen it | seconds |\n| --- | --- | --- |")
    with tempfile.TemporaryDirectory(prefix="mutants-") as place:
        copies = [copy(Path(place) / str(number)) for number in range(chosen.at_once)]
        threads = [threading.Thread(target=work, args=(folder,)) for folder in copies]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    caught = sum(one.test is not None for one in results)
    print(f"\n{caught} of {len(results)} breaks were seen")
    return 0 if caught >= NEEDED * len(results) and not any("does not fit" in one.note for one in results) else 1


if __name__ == "__main__":
    sys.exit(main())
