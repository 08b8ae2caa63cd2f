"""What Markdown shows and does not speak: code, tables, charts, and how pictures are framed."""

import csv
import io
import re
from collections.abc import Mapping
from typing import Any, Final, get_args

from picturelock.errors import InvalidScript
from picturelock.models.blocks import ChartKind
from picturelock.models.script import Fit, Focus, Motion

_LONGEST_INFO: Final = 200
_LONGEST_CELL: Final = 80
_RANGES: Final = re.compile(r"^\s*\d+(?:-\d+)?(?:\s*,\s*\d+(?:-\d+)?)*\s*$")
_VALUE: Final = re.compile(r"^([+−-]?)\s?([^\d+−.,()-]{0,4}?)\s?([+−-]?)(\d[\d.,' ]*)\s?([^\d()]{0,8})$")
_GROUPED: Final = re.compile(r"[1-9]\d{0,2}(,\d{3})+")
_KINDS: Final = get_args(ChartKind)
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {"motion": get_args(Motion), "fit": get_args(Fit)}
_FRAMING: Final = (*_WORDS, "focus")


def code(info: str, content: str, line: int) -> dict[str, Any]:
    """A fenced block: code with its language and its highlighted lines, or a chart of CSV."""
    head, brace, rest = " ".join((info or "").split())[:_LONGEST_INFO].partition("{")
    language, _, words = head.strip().partition(" ")
    marks = rest.rstrip().removesuffix("}") if brace else None
    if language == "chart":
        kind = (marks or words or "column").strip().removeprefix("chart=").removeprefix("type=").strip()
        try:
            rows = [row for row in csv.reader(io.StringIO(content.strip()), skipinitialspace=True) if any(row)]
        except csv.Error as error:
            raise InvalidScript(f"line {line}: that is no CSV: {error}", field="script") from error
        return chart_of_rows(rows, kind, line)
    block: dict[str, Any] = {"kind": "code", "code": content, "line": line}
    if language:
        block["language"] = language
    if marks is not None:
        if not _RANGES.match(marks):
            raise InvalidScript(f"line {line}: {{{marks}}} names no lines; write {{2,4-5}}", field="script")
        block["highlight"] = [part.strip() for part in marks.split(",")]
    return block


def table(rows: list[list[str]], line: int) -> dict[str, Any]:
    """A table; one whose last row is `{chart=bar}` is a chart."""
    mark = re.match(r"^\{chart=([a-z]+)\}$", rows[-1][0]) if len(rows) > 1 and rows[-1] else None
    if mark and not any(rows[-1][1:]):
        return chart_of_rows(rows[:-1], mark.group(1), line, headed=True)
    return {"kind": "table", "header": rows[0], "rows": rows[1:], "line": line}


def chart_of_rows(rows: list[list[str]], kind: str, line: int, *, headed: bool | None = None) -> dict[str, Any]:
    """A chart of rows of text: labels in the first column, numbers in the others, names in a first row without numbers.

    Raises:
        InvalidScript: an unknown kind, a cell that is no number, numbers of different units.
    """
    if kind not in _KINDS:
        raise InvalidScript(f"line {line}: there is no chart {kind!r}; {', '.join(_KINDS)}", field="script")
    width = max((len(row) for row in rows), default=0)
    if width < 2 or any(len(row) != width for row in rows):
        raise InvalidScript(f"line {line}: a chart wants a label and as many numbers in every row", field="script")
    if headed is None:  # CSV may begin with its data
        headed = len(rows) > 1 and not any(_matched(cell) for cell in rows[0][1:])
    body = rows[1:] if headed else rows
    names = [cell.strip() for cell in rows[0][1:]] if headed else [""] * (width - 1)
    units: set[tuple[str, str]] = set()
    columns: list[list[float]] = [[] for _ in names]
    for row in body:
        for column, cell in zip(columns, row[1:], strict=True):
            value, unit = _number_of(cell, line)
            column.append(value)
            units.add(unit)
    units.discard(("", ""))
    if len(units) > 1:
        different = ", ".join(f"{before}1{behind}" for before, behind in sorted(units))
        raise InvalidScript(f"line {line}: one chart, several units: {different}", field="script")
    prefix, suffix = next(iter(units), ("", ""))
    series = [{"name": name, "values": values} for name, values in zip(names, columns, strict=True)]
    labels = [row[0].strip() for row in body]
    shown: dict[str, Any] = {"kind": "chart", "chart": kind, "labels": labels, "series": series, "line": line}
    return shown | {"prefix": prefix, "unit": suffix}


def _matched(cell: str) -> re.Match[str] | None:
    text = " ".join(cell.split())
    return _VALUE.match(text) if len(text) <= _LONGEST_CELL else None


def _number_of(cell: str, line: int) -> tuple[float, tuple[str, str]]:
    """A cell's number, and what stands before and behind it: "-€1,234.5" and "1.234,5 €" are numbers."""
    match = _matched(cell)
    try:
        if match is None:
            raise ValueError("it has no digits, or more than one number")
        sign, before, inner, digits, behind = (part.strip() for part in match.groups())
        value = float(_plain_digits(digits))
    except ValueError as error:
        text = f"line {line}: {cell.strip()[:40]!r} is no number: a chart wants numbers"
        raise InvalidScript(text, field="script") from error
    return -value if (sign or inner) in {"-", "−"} else value, (before, behind)


def _plain_digits(digits: str) -> str:
    """Digits without their grouping; of two separators the last one is the decimal point."""
    digits = digits.replace("'", "").replace(" ", "")
    if "," in digits and "." in digits:
        decimal = max(",", ".", key=digits.rfind)
        return digits.replace("." if decimal == "," else ",", "").replace(decimal, ".")
    if _GROUPED.fullmatch(digits):
        return digits.replace(",", "")
    return digits.replace(",", ".")


def picture_attributes(text: str, line: int) -> dict[str, Any]:
    """What stands in braces behind a picture: `motion=zoom-in fit=cover focus=0.3,0.6`."""
    attributes: dict[str, Any] = {}
    for word in text.split():
        name, _, value = word.partition("=")
        if name not in _FRAMING or not value:
            raise InvalidScript(f"line {line}: a picture takes {', '.join(_FRAMING)}, not {word!r}", field="script")
        if name == "focus":
            x, _, y = value.partition(",")
            try:
                attributes["focus"] = Focus(x=float(x), y=float(y)).model_dump()
            except ValueError as error:
                text = f"line {line}: focus={value} is no place; write two shares, such as focus=0.3,0.6"
                raise InvalidScript(text, field="script") from error
        elif value not in _WORDS[name]:
            text = f"line {line}: {name}={value}: one of {', '.join(_WORDS[name])}"
            raise InvalidScript(text, field="script")
        else:
            attributes[name] = value
    return attributes
