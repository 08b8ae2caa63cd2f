"""What a scene is made of: text that is spoken, and lists, quotations, code, tables, charts that are shown.

>>> ListBlock(items=["Red light passes.", "Blue light is scattered."]).kind
'list'
"""

import re
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from picturelock.models.base import Input
from picturelock.models.text import Label, NarrationText, Sentence, printable

MAX_ITEMS: Final = 8
MAX_ROWS: Final = 10
MAX_COLUMNS: Final = 6
MAX_CODE_LINES: Final = 18
MAX_CODE_COLUMNS: Final = 88
MAX_POINTS: Final = 12
MAX_SERIES: Final = 4
MAX_SLICES: Final = 8
MAX_BLOCKS: Final = 12

ChartKind = Literal["bar", "line", "column", "pie"]
LineRange = Annotated[str, StringConstraints(pattern=r"^[1-9]\d{0,3}(-[1-9]\d{0,3})?$")]


def _code(text: str) -> str:
    text = printable(text.replace("\r\n", "\n")).strip("\n").expandtabs(4)
    lines = text.split("\n")
    if len(lines) > MAX_CODE_LINES:
        raise ValueError(f"{len(lines)} lines of code cannot be read in a film; at most {MAX_CODE_LINES} can")
    longest = max(len(line) for line in lines)
    if longest > MAX_CODE_COLUMNS:
        raise ValueError(f"a line of code with {longest} characters does not fit; at most {MAX_CODE_COLUMNS} do")
    if not text.strip():
        raise ValueError("there is no code")
    return text


class _Block(Input):
    line: int | None = Field(default=None, ge=1, description="Its line in the Markdown, for messages.")


class TextBlock(_Block):
    """A paragraph: spoken, and shown as captions."""

    kind: Literal["text"] = Field(default="text", description="A paragraph.")
    text: NarrationText = Field(description="What is spoken.")


class ListBlock(_Block):
    """Items that are spoken one after the other; each appears with its first word."""

    kind: Literal["list"] = Field(default="list", description="A list.")
    items: list[Sentence] = Field(min_length=1, max_length=MAX_ITEMS, description="Each a sentence of its own.")
    ordered: bool = Field(default=False, description="Numbered instead of marked.")


class QuoteBlock(_Block):
    """A quotation: spoken, and shown with who said it."""

    kind: Literal["quote"] = Field(default="quote", description="A quotation.")
    text: Sentence = Field(description="The words, without quotation marks.")
    author: Label | None = Field(default=None, description="Who said it; shown, not spoken.")


class NumberBlock(_Block):
    """A short statement whose number is shown large."""

    kind: Literal["number"] = Field(default="number", description="A large number.")
    value: Annotated[Label, StringConstraints(min_length=1, max_length=16)] = Field(description="As shown, like `40×`.")
    text: Sentence = Field(description="The whole statement, as it is spoken.")


class CodeBlock(_Block):
    """Code: shown in colours, not spoken."""

    kind: Literal["code"] = Field(default="code", description="Code.")
    code: Annotated[str, StringConstraints(max_length=4_000), AfterValidator(_code)] = Field(
        description=f"Up to {MAX_CODE_LINES} lines of {MAX_CODE_COLUMNS} characters."
    )
    language: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+#._-]{1,32}$")] | None = Field(
        default=None, description="What it is written in."
    )
    highlight: list[LineRange] = Field(
        default=[],
        max_length=MAX_CODE_LINES,
        description='Lines that stand out one after the other while the next paragraph is spoken: `["2", "4-5"]`.',
    )

    @model_validator(mode="after")
    def _lines_are_there(self) -> Self:
        count = len(self.code.split("\n"))
        for first, last in self.ranges():
            if not first <= last <= count:
                raise ValueError(f"there are {count} lines of code: {first}-{last} cannot stand out")
        return self

    def ranges(self) -> list[tuple[int, int]]:
        """The highlighted lines, first and last of each step, from 1."""
        parts = [text.split("-") for text in self.highlight]
        return [(int(part[0]), int(part[-1])) for part in parts]


class TableBlock(_Block):
    """A table: shown, not spoken."""

    kind: Literal["table"] = Field(default="table", description="A table.")
    header: list[Label] = Field(min_length=1, max_length=MAX_COLUMNS, description="The columns' names.")
    rows: list[list[Label]] = Field(min_length=1, max_length=MAX_ROWS, description="As many cells as the header.")

    @model_validator(mode="after")
    def _rectangular(self) -> Self:
        for number, row in enumerate(self.rows, start=1):
            if len(row) != len(self.header):
                raise ValueError(f"row {number} has {len(row)} cells; the header has {len(self.header)}")
        return self


class Series(Input):
    """One line, or one bar of each group."""

    name: Label = Field(default="", description="Shown in the legend.")
    values: list[float] = Field(min_length=1, max_length=MAX_POINTS, description="One for each label.")


class ChartBlock(_Block):
    """A chart drawn from numbers: it grows as it enters; not spoken."""

    kind: Literal["chart"] = Field(default="chart", description="A chart.")
    chart: ChartKind = Field(default="column", description="How the numbers are drawn.")
    labels: list[Label] = Field(min_length=1, max_length=MAX_POINTS, description="What the numbers belong to.")
    series: list[Series] = Field(min_length=1, max_length=MAX_SERIES, description="The numbers.")
    prefix: Annotated[Label, StringConstraints(max_length=4)] = Field(default="", description="Before each number.")
    unit: Annotated[Label, StringConstraints(max_length=8)] = Field(default="", description="Behind each number.")

    def figure(self, value: float) -> str:
        """A number as it is written beside its bar, with its sign before its prefix."""
        apart = " " if len(self.unit) > 1 and self.unit[0].isalpha() else ""
        return f"{'−' if value < 0 else ''}{self.prefix}{written_number(abs(value))}{apart}{self.unit}"

    @model_validator(mode="after")
    def _drawable(self) -> Self:
        for series in self.series:
            if len(series.values) != len(self.labels):
                raise ValueError(f"{len(series.values)} values for {len(self.labels)} labels")
        if self.chart == "bar" and min(value for series in self.series for value in series.values) < 0:
            raise ValueError("a bar chart has no values below 0; a column chart may")
        if self.chart == "line" and len(self.labels) < 2:
            raise ValueError("a line needs at least two points")
        if self.chart == "pie":
            values = self.series[0].values
            if len(self.series) > 1 or min(values) < 0 or sum(values) <= 0 or len(values) > MAX_SLICES:
                raise ValueError(f"a pie has one series of up to {MAX_SLICES} values, none below 0, not all 0")
        return self


class FormulaBlock(_Block):
    """A formula in LaTeX's notation: shown, not spoken."""

    kind: Literal["formula"] = Field(default="formula", description="A formula.")
    latex: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500), AfterValidator(printable)
    ] = Field(description="Without dollar signs.")


Block = Annotated[
    TextBlock | ListBlock | QuoteBlock | NumberBlock | CodeBlock | TableBlock | ChartBlock | FormulaBlock,
    Field(discriminator="kind"),
]


def written_number(value: float) -> str:
    """A number as it is written in charts.

    >>> written_number(1234567.5), written_number(0.1)
    ('1,234,567.5', '0.1')
    """
    return f"{value:,.15g}" if abs(value) < 1e15 else f"{value:.4g}"


_NUMBER: Final = re.compile(r"[$€£¥]?\s?[+−-]?\d[\d.,]*(?:\s?(?:×|%|‰|x\b|[kKMB]\b|bn\b|°C?))?")


def number_in(text: str) -> str | None:
    """The first number of a statement that has a sign or a unit, else the first one, as it is shown.

    >>> number_in("It costs $9 a month.")
    '$9'
    """
    found = [match.group().strip().rstrip(".,") for match in _NUMBER.finditer(text)]
    return next((number for number in found if not number.isdigit()), found[0] if found else None)
