"""Figures beside their bars: a JSON line each as they come, and a table at the end."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """One measured value and the most (or the least) it should be; without a bar it only informs."""

    name: str
    value: float
    unit: str
    bar: float | None = None
    note: str = ""

    @property
    def holds(self) -> bool | None:
        return None if self.bar is None else self.value <= self.bar


@dataclass
class Report:
    """Collects figures."""

    figures: list[Figure] = field(default_factory=list)

    def add(self, name: str, value: float, unit: str, bar: float | None = None, note: str = "") -> None:
        figure = Figure(name, round(value, 3), unit, bar, note)
        self.figures.append(figure)
        line = {"name": name, "value": figure.value, "unit": unit, "bar": bar, "holds": figure.holds, "note": note}
        print(json.dumps(line), flush=True)

    def table(self, title: str) -> bool:
        """Prints the table; whether every bar holds."""
        table = Table(title=title, title_justify="left")
        for column in ("figure", "measured", "bar", "", "note"):
            table.add_column(column)
        for one in self.figures:
            bar = "" if one.bar is None else f"≤ {one.bar:g} {one.unit}"
            mark = {None: "", True: "holds", False: "MISSED"}[one.holds]
            table.add_row(one.name, f"{one.value:g} {one.unit}", bar, mark, one.note)
        Console(width=140).print(table)
        return all(one.holds is not False for one in self.figures)


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile, `share` from 0 to 1; not a number when there is nothing."""
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
