"""Lays scenes out with Typst and cuts what it draws into parts that can appear one by one."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import cv2
import numpy as np
import numpy.typing as npt

from picturelock.errors import InvalidScript
from picturelock.languages import primary, reads_leftwards, script
from picturelock.models import VideoFormat
from picturelock.models.blocks import Block, ChartBlock, CodeBlock, FormulaBlock, QuoteBlock, TableBlock
from picturelock.script.latex import FormulaError, typst_math
from picturelock.script.plain import plain_text
from picturelock.text.fonts import drawable_text, font_folders, han_family, theme_font_folders
from picturelock.themes import Theme, mixed

if TYPE_CHECKING:
    import typst

VERSION: Final = "3"
LayoutKind = Literal["card", "lower-third", "centred"]
Role = Literal[
    "kicker", "title", "rule", "subtitle", "item", "quote", "number", "code", "panel", "line", "row", "axis", "legend",
    "column", "deficit", "bar", "value", "plot", "pie", "formula",
]  # fmt: skip
RGBA = npt.NDArray[np.uint8]

_LAYOUTS: Final = Path(__file__).with_name("layouts.typ")
_MARGIN: Final = 0.085
_PAD: Final = 0.012
"""Ink may leave its box by so much of the shorter side: descenders, slanted letters."""


@dataclass(frozen=True, slots=True)
class Page:
    """What is laid out on one page, in texts that can be drawn."""

    layout: LayoutKind
    title: str = ""
    kicker: str = ""
    subtitle: str = ""
    blocks: tuple[Block, ...] = ()
    logo_height: int = 0


@dataclass(frozen=True, slots=True)
class DrawnPart:
    """Pixels that appear together: RGBA, with their place in the frame (even)."""

    role: Role
    block: int | None
    """The place of its block in the scene; None for titles."""
    index: int
    """Which of the block's parts of this role."""
    x: int
    y: int
    pixels: RGBA


@dataclass(frozen=True, slots=True)
class Typesetter:
    """Draws the pages of one film."""

    video: VideoFormat
    language: str
    theme: Theme
    foot: int
    """How many pixels at the frame's foot are kept free, for captions."""

    def draw(self, page: Page, field: str = "script") -> list[DrawnPart]:
        """The parts of a page, those that lie under others first.

        Raises:
            InvalidScript: it does not fit the frame legibly, or a formula cannot be read.
            GlyphMissing: no bundled font has a character.
        """
        import typst  # noqa: PLC0415 - it takes a while to load

        data = self.input_of(page, field)
        compiler = typst.Compiler(
            str(_LAYOUTS),
            root=str(_LAYOUTS.parent),
            font_paths=_fonts(),
            ignore_system_fonts=True,
            sys_inputs={"scene": data},
        )
        try:
            drawn = compiler.compile(format="png", ppi=72)
        except typst.TypstError as error:
            raise InvalidScript(f"{_where(page)} cannot be laid out: {error.message}", field=field) from error
        fit = json.loads(compiler.query("<fit>", field="value", one=True))
        if not fit["fits"]:
            size = f"{self.video.width}x{self.video.height}"
            raise InvalidScript(f"{_where(page)} does not fit a picture of {size} legibly", field=field)
        places = json.loads(compiler.query("<part>", field="value"))
        sheets = [_decoded(sheet) for sheet in (drawn if isinstance(drawn, list) else [drawn or b""])]
        places.sort(key=lambda place: int(place["page"]))
        parts = [self._cut(place, places, sheets) for place in places]
        return [part for part in parts if part is not None]

    def input_of(self, page: Page, field: str = "script") -> str:
        """All that a page is drawn from, as JSON. Raises InvalidScript: a formula cannot be read."""
        return json.dumps(self._data(page, field), ensure_ascii=False)

    def _cut(self, place: dict[str, Any], places: list[dict[str, Any]], sheets: list[RGBA]) -> DrawnPart | None:
        """A part's pixels, cropped to its ink; None where it has none."""
        sheet = sheets[place["page"] - 1]
        pad = max(2, round(min(self.video.width, self.video.height) * _PAD))
        top, bottom, left, right = _box(place, sheet, pad)
        pixels = sheet[top:bottom, left:right].copy()
        own = _box(place, sheet, 0)
        for other in places:  # what lies in a neighbour's box is the neighbour's
            if other["page"] != place["page"] or other is place:
                continue
            first, last, near, far = _box(other, sheet, 0)
            cleared = pixels[max(0, first - top) : max(0, last - top), max(0, near - left) : max(0, far - left)]
            if cleared.size:
                kept = pixels[own[0] - top : own[1] - top, own[2] - left : own[3] - left].copy()
                cleared[:] = 0
                pixels[own[0] - top : own[1] - top, own[2] - left : own[3] - left] = kept
        rows, columns = np.flatnonzero(pixels[..., 3].any(axis=1)), np.flatnonzero(pixels[..., 3].any(axis=0))
        if not len(rows):
            return None
        y, x = (top + int(rows[0])) // 2 * 2, (left + int(columns[0])) // 2 * 2
        drawn = np.zeros(
            ((int(rows[-1]) + top - y + 2) // 2 * 2, (int(columns[-1]) + left - x + 2) // 2 * 2, 4), np.uint8
        )
        ink = pixels[int(rows[0]) : int(rows[-1]) + 1, int(columns[0]) : int(columns[-1]) + 1]
        down, across = top + int(rows[0]) - y, left + int(columns[0]) - x
        drawn[down : down + ink.shape[0], across : across + ink.shape[1]] = ink
        return DrawnPart(place["role"], place["block"], place["index"], x, y, drawn)

    def _data(self, page: Page, field: str) -> dict[str, Any]:
        width, height = self.video.width, self.video.height
        top = round(height * (0.13 if page.kicker else 0.1))
        blocks = [_block_data(block, field) for block in page.blocks]
        under = any(block["kind"] == "chart" or block.get("steps") for block in blocks)
        return {
            "layout": page.layout,
            "width": width,
            "height": height,
            "margin": round(width * _MARGIN),
            "top": top,
            "bottom": height - self.foot,
            "lang": primary(self.language),
            "script": script(self.language).lower(),
            "rtl": reads_leftwards(self.language),
            "latin": script(self.language) in {"Latn", "Cyrl", "Grek"},
            "title": _shown(page.title),
            "kicker": _shown(page.kicker),
            "subtitle": _shown(page.subtitle),
            "logo-height": page.logo_height,
            "blocks": blocks,
            "levels": [0, 1] if under else [1],
            "theme": self._theme_data(),
        }

    def _theme_data(self) -> dict[str, Any]:
        theme = self.theme
        others = list(dict.fromkeys(["Noto Sans", han_family(self.language), *_families()]))
        return {
            "text": theme.text,
            "muted": theme.muted,
            "accent": theme.accent,
            "panel": theme.panel,
            "ground": theme.backgrounds[1],
            "series": theme.series,
            "corner": theme.corner,
            "weight": theme.heading_weight,
            "fonts": [theme.face, *others],
            "heading": [theme.heading_face, theme.face, *others],
            "mono": ["JetBrains Mono", "DejaVu Sans Mono", *others],
            "syntax": _syntax(theme),
        }


def _box(place: dict[str, Any], sheet: RGBA, pad: int) -> tuple[int, int, int, int]:
    """Rows and columns of a part on its page: first, end, first, end."""
    top, left = max(0, round(place["y"]) - pad), max(0, round(place["x"]) - pad)
    bottom = min(sheet.shape[0], round(place["y"] + place["height"]) + pad)
    right = min(sheet.shape[1], round(place["x"] + place["width"]) + pad)
    return top, max(top, bottom), left, max(left, right)


def _where(page: Page) -> str:
    lines = [block.line for block in page.blocks if block.line]
    where = f"line {lines[0]}: " if lines else ""
    kinds = ", ".join(dict.fromkeys(block.kind for block in page.blocks if block.kind != "text"))
    return f"{where}the scene{f' {page.title[:60]!r}' if page.title else ''} ({kinds or 'title'})"


def _shown(text: str) -> str:
    return drawable_text(plain_text(text))[0]


def _block_data(block: Block, field: str) -> dict[str, Any]:
    match block:
        case CodeBlock():
            lines = block.code.split("\n")
            return {
                "kind": "code",
                "code": drawable_text(block.code)[0],
                "language": (block.language or "text").lower(),
                "steps": block.highlight,
                "count": len(lines),
                "columns": max(len(line) for line in lines),
            }
        case TableBlock():
            cells = [[_shown(cell) for cell in row] for row in block.rows]
            numeric = [
                column > 0 and all(_numeric(row[column]) for row in cells) for column in range(len(block.header))
            ]
            return {
                "kind": "table",
                "header": [_shown(name) for name in block.header],
                "rows": cells,
                "numeric": numeric,
            }
        case ChartBlock():
            return _chart_data(block)
        case FormulaBlock():
            try:
                return {"kind": "formula", "math": typst_math(block.latex)}
            except FormulaError as error:
                where = f"line {block.line}: " if block.line else ""
                raise InvalidScript(f"{where}{error}", field=field) from error
        case QuoteBlock():
            author = _shown(block.author) if block.author else None
            return {"kind": "quote", "text": _shown(block.text), "author": author}
        case _:
            data: dict[str, Any] = block.model_dump(mode="json", by_alias=False, exclude={"line"})
            for name in ("text", "value"):
                data |= {name: _shown(data[name])} if name in data else {}
            return data | ({"items": [_shown(item) for item in data["items"]]} if "items" in data else {})


def _numeric(cell: str) -> bool:
    return not cell or sum(character.isdigit() for character in cell) * 2 >= len(cell.replace(" ", ""))


def _chart_data(block: ChartBlock) -> dict[str, Any]:
    values = [value for series in block.series for value in series.values]
    top, low = max(0.0, *values), min(0.0, *values)
    span = (
        sum(values) if block.chart == "pie" else max(abs(top), abs(low)) if block.chart == "bar" else top - low
    ) or 1.0
    series = [
        {
            "name": _shown(one.name),
            "shares": [value / span for value in one.values],
            "texts": [block.figure(value) for value in one.values],
        }
        for one in block.series
    ]
    labels = [_shown(label) for label in block.labels]
    return {
        "kind": "chart",
        "chart": block.chart,
        "labels": labels,
        "series": series,
        "top": top,
        "low": low or 0.0,
    } | ({} if top > low else {"top": 1.0})


def _syntax(theme: Theme) -> str:
    """A TextMate colour scheme in the theme's colours (https://macromates.com/manual/en/themes)."""
    keyword, string, name, number = theme.code
    comment = mixed(theme.panel, theme.text, 0.66)
    scopes = {
        "comment": comment,
        "keyword, storage, keyword.operator": keyword,
        "string, constant.character": string,
        "entity.name, support, variable.function": name,
        "constant.numeric, constant.language": number,
    }
    rules = "".join(
        f"<dict><key>scope</key><string>{scope}</string><key>settings</key><dict><key>foreground</key>"
        f"<string>{color}</string></dict></dict>"
        for scope, color in scopes.items()
    )
    general = f"<dict><key>settings</key><dict><key>foreground</key><string>{theme.text}</string></dict></dict>"
    return (
        '<?xml version="1.0" encoding="UTF-8"?><plist version="1.0"><dict><key>name</key><string>theme</string>'
        f"<key>settings</key><array>{general}{rules}</array></dict></plist>"
    )


@lru_cache(maxsize=1)
def _fonts() -> "typst.Fonts":
    import typst  # noqa: PLC0415

    folders = [str(folder) for folder in (*font_folders(), *theme_font_folders())]
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=folders)


@lru_cache(maxsize=1)
def _families() -> tuple[str, ...]:
    """The Noto faces, for scripts that a theme's own face has not."""
    return tuple(sorted(family for family in _fonts().families() if family.startswith("Noto ") and "CJK" not in family))


def _decoded(png: bytes) -> RGBA:
    """A page as RGBA, shape (height, width, 4)."""
    bgra = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    if bgra is None or bgra.ndim != 3 or bgra.shape[2] != 4:
        raise ValueError("the page is no RGBA picture")
    return np.asarray(cv2.cvtColor(bgra, cv2.COLOR_BGRA2RGBA), np.uint8)
