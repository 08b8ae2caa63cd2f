"""What the processes of a stack have written: entries of several logs in the order of time."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final, TextIO

from picturelock.cli.folder import StackError

_BEGINNING: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*")


@dataclass(slots=True)
class Entry:
    """A line, with those below it that belong to it, such as a traceback."""

    at: str
    process: str
    text: str


class Logs:
    """The logs in a data folder, from their beginnings, and then what is added.

    Raises:
        StackError: there are none: the service runs elsewhere.

    Example:
        logs = Logs(Path(".picturelock"))
        for entry in logs.read():
            print(entry.process, entry.text)
    """

    def __init__(self, data: Path) -> None:
        files = [path for path in sorted((data / "logs").glob("*.log")) if path.stem != "temporal"]
        if not files:
            raise StackError(f"there are no logs in {data}: they lie where the service runs")
        self._open = {path.stem: path.open(encoding="utf-8", errors="replace") for path in files}

    def read(self, job: str = "") -> list[Entry]:
        """What has been written since the last time, of one job or of all."""
        entries = chain.from_iterable(_entries(process, file) for process, file in self._open.items())
        return sorted((entry for entry in entries if job in entry.text), key=lambda entry: entry.at)

    def close(self) -> None:
        """Closes the files."""
        for file in self._open.values():
            file.close()


def _entries(process: str, file: TextIO) -> Iterator[Entry]:
    last: Entry | None = None
    for line in file:
        at = _time_of(line)
        if at is None and last is not None:
            last.text += line
            continue
        if last is not None:
            yield last
        last = Entry(at or "", process, line)
    if last is not None:
        yield last


def _time_of(line: str) -> str | None:
    """When a line was written, or None where it belongs to the one above."""
    if line.startswith("{"):
        try:
            return str(json.loads(line)["timestamp"]).replace("T", " ")
        except (ValueError, KeyError, TypeError):
            return None
    found = _BEGINNING.match(line)
    return found.group().replace("T", " ") if found else None
