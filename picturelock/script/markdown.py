"""A script in Markdown: what is spoken, what is shown, and what is a note.

The first `# heading` is the film's title, every `## heading` begins a scene with that title, a thematic break (`---`)
one without. Paragraphs, lists and quotations are spoken; code, tables, charts and formulas are shown. Nothing of the
markup is spoken or captioned. docs/markdown.md has all of it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.token import Token
from pydantic import TypeAdapter, ValidationError

from picturelock.errors import InvalidScript
from picturelock.models import Script
from picturelock.models.blocks import Block, number_in
from picturelock.script import shown
from picturelock.script.notes import without_notes
from picturelock.script.paragraphs import ONE_PICTURE, picture_of, shown_text, spoken_of, unquoted, without_marks
from picturelock.script.plain import disguised, folded, inline_parser, parser, revealed

_LONGEST_PARAGRAPH: Final = 8_000
_MOST_BRACKETS: Final = 100
_LONGEST_SOURCE: Final = 400_000
_YEARS: Final = 100
"""A list that begins with a number above this is a sentence that begins with a year."""

_BIG: Final = re.compile(r"\s*\{big\}\s*$")
_CHART_MARK: Final = re.compile(r"^\{chart=([a-z]+)\}$")
_ROW: Final = re.compile(r"\|[^|]+\|.*\|$")
_TASK: Final = re.compile(r"^\[[ xX]\]\s+")
_AUTHOR: Final = re.compile(r"^(?:—|–|--+)\s*(.+)$")
_BLOCK: Final[TypeAdapter[Any]] = TypeAdapter(Block)


@lru_cache(maxsize=1)
def _block_parser() -> MarkdownIt:
    blocks = parser()
    blocks.core.ruler.disable(["inline", "text_join"])
    return blocks


@dataclass
class _Draft:
    """A scene in the making."""

    title: str = ""
    line: int = 1
    blocks: list[dict[str, Any]] = field(default_factory=list)
    visual: dict[str, Any] | None = None

    @property
    def empty(self) -> bool:
        return not (self.title or self.blocks or self.visual)

    def as_scene(self) -> dict[str, Any]:
        scene: dict[str, Any] = {}
        if all(block["kind"] == "text" for block in self.blocks):
            scene["narration"] = " ".join(block["text"] for block in self.blocks)
        else:
            scene["blocks"] = self.blocks
        if self.title:
            scene["title"] = self.title
        if self.visual:
            scene["visual"] = self.visual
        return scene


def parse_script(source: str, language: str = "en", title: str = "") -> Script:
    """A Markdown script (without front matter) as a `Script`.

    Raises:
        InvalidScript: far too long, no scene at all, a scene without narration (named by its heading and line), a
            block that cannot be drawn (named by its line).
        pydantic.ValidationError: a limit of the models is broken.
    """
    reader = _Reader()
    reader.read(_tokens(source))
    drafts = [draft for draft in reader.drafts if not draft.empty]
    if not drafts:
        raise InvalidScript("the Markdown has no text to narrate", field="script")
    for number, draft in enumerate(drafts, start=1):
        if not any(block["kind"] in {"text", "list", "quote", "number"} for block in draft.blocks):
            name = f" ({draft.title!r}, line {draft.line})" if draft.title else f" (line {draft.line})"
            raise InvalidScript(f"scene {number}{name} has no narration", field="script")
    scenes = [draft.as_scene() for draft in drafts]
    return Script.model_validate({"title": reader.title or title, "language": language, "scenes": scenes})


def _tokens(source: str) -> list[Token]:
    """The parsed blocks. Inline markup is parsed only where a paragraph has a sane length: that is not linear in it."""
    if len(source) > _LONGEST_SOURCE:
        raise InvalidScript(f"more than {_LONGEST_SOURCE} characters", field="script", limit=_LONGEST_SOURCE)
    environment: dict[str, Any] = {}
    tokens = _block_parser().parse(disguised(without_notes(source)), environment)
    line = 1
    for token in tokens:
        line = token.map[0] + 1 if token.map else line
        if token.type == "inline":
            if len(token.content) > _LONGEST_PARAGRAPH:
                text = f"line {line}: a paragraph of more than {_LONGEST_PARAGRAPH} characters"
                raise InvalidScript(text, field="script", limit=_LONGEST_PARAGRAPH)
            if token.content.count("[") > _MOST_BRACKETS:
                # Each may begin a link: how long it takes to find out that none does grows with their square.
                text = f"line {line}: a paragraph with more than {_MOST_BRACKETS} brackets"
                raise InvalidScript(text, field="script", limit=_MOST_BRACKETS)
            # The plug-in for formulas looks at the last character where there is none before it.
            token.children = inline_parser().parseInline(f" {token.content}", environment)[0].children
    return tokens


class _Reader:
    """Walks the blocks and gathers scenes."""

    def __init__(self) -> None:
        self.title = ""
        self.drafts = [_Draft()]

    def read(self, tokens: list[Token]) -> None:
        place = 0
        while place < len(tokens):
            token = tokens[place]
            end = _end_of(tokens, place)
            self._block(token, tokens[place : end + 1])
            place = end + 1

    def _block(self, token: Token, inside: list[Token]) -> None:
        line = token.map[0] + 1 if token.map else self.drafts[-1].line
        match token.type:
            case "hr":
                self.drafts.append(_Draft(line=line))
            case "heading_open":
                self._heading(token, shown_text(inside[1], line), line)
            case "paragraph_open":
                self._paragraph(inside[1], line)
            case "bullet_list_open" | "ordered_list_open":
                self._list(token, inside, line)
            case "blockquote_open":
                self._quote(inside, line)
            case "fence" | "code_block":
                self._add(shown.code(revealed(token.info), revealed(token.content), line), line)
            case "table_open":
                self._add(shown.table(_cells(inside, line), line), line)
            case "math_block":
                self._add({"kind": "formula", "latex": revealed(token.content).strip(), "line": line}, line)

    def _heading(self, token: Token, text: str, line: int) -> None:
        if token.tag == "h1" and not self.title and len(self.drafts) == 1 and self.drafts[0].empty:
            self.title = text
        else:
            self.drafts.append(_Draft(title=text, line=line))

    def _paragraph(self, token: Token, line: int) -> None:
        if mark := _CHART_MARK.match(token.content.strip()):
            self._chart_of_table(mark.group(1), line)
            return
        if visual := picture_of(token.children or [], line):
            if self.drafts[-1].visual:
                raise InvalidScript(f"line {line}: {ONE_PICTURE}", field="script")
            self.drafts[-1].visual = visual
        text = spoken_of(token, line, pictures=True)
        without_marks(_BIG.sub("", text), line)
        if _ROW.match(text):
            raise InvalidScript(f"line {line}: a table wants a line of dashes below its names", field="script")
        if _BIG.search(text):
            self._add(_number(_BIG.sub("", text), line), line)
        elif text:
            self._add({"kind": "text", "text": text, "line": line}, line)

    def _chart_of_table(self, kind: str, line: int) -> None:
        blocks = self.drafts[-1].blocks
        if not blocks or blocks[-1]["kind"] != "table":
            raise InvalidScript(f"line {line}: there is no table before {{chart={kind}}}", field="script")
        table = blocks.pop()
        self._add(shown.chart_of_rows([table["header"], *table["rows"]], kind, table["line"], headed=True), line)

    def _list(self, token: Token, inside: list[Token], line: int) -> None:
        ordered = token.type == "ordered_list_open"
        items = _items(inside, line)
        first = int(token.attrGet("start") or 1)
        if ordered and first > _YEARS:
            sentences = [folded(f"{number}. {item}") for number, item in items]
            self._add({"kind": "text", "text": " ".join(sentences), "line": line}, line)
        elif texts := [item for _, item in items if item]:
            self._add({"kind": "list", "items": texts, "ordered": ordered, "line": line}, line)

    def _quote(self, inside: list[Token], line: int) -> None:
        if any(token.type in {"fence", "code_block", "math_block", "table_open"} for token in inside):
            text = f"line {line}: a quotation holds text; code, tables and formulas stand alone"
            raise InvalidScript(text, field="script")
        lines = [
            revealed(part)
            for token in inside
            if token.type == "inline"
            for part in without_marks(spoken_of(token, line, keep_lines=True), line).split("\n")
        ]
        author = _AUTHOR.match(lines[-1].strip()) if len(lines) > 1 else None
        text = folded(" ".join(lines[:-1] if author else lines))
        quote = {"kind": "quote", "text": unquoted(text), "line": line}
        self._add(quote | ({"author": author.group(1).strip()} if author else {}), line)

    def _add(self, block: Mapping[str, Any], line: int) -> None:
        """Takes a block, or refuses it with its line."""
        try:
            _BLOCK.validate_python(block)
        except ValidationError as error:
            reason = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in reason["loc"][1:])
            text = reason["msg"].removeprefix("Value error, ")
            raise InvalidScript(f"line {line}: {f'{where}: ' if where else ''}{text}", field="script") from error
        self.drafts[-1].blocks.append(dict(block))


def _end_of(tokens: list[Token], place: int) -> int:
    """The place of the token that closes the block which begins at `place`."""
    depth = 0
    for end in range(place, len(tokens)):
        depth += tokens[end].nesting
        if depth <= 0:
            return end
    return len(tokens) - 1


def _items(inside: list[Token], line: int) -> list[tuple[str, str]]:
    """Each item's own number, where it has one, and its text."""
    items: list[tuple[str, list[str]]] = []
    for token in inside:
        line = token.map[0] + 1 if token.map else line
        if token.type == "list_item_open":
            items.append((token.info, []))
        elif token.type == "inline":
            items[-1][1].append(_TASK.sub("", without_marks(spoken_of(token, line), line)))
        elif token.type in {"fence", "code_block", "table_open", "math_block"}:
            raise InvalidScript(
                f"line {line}: a list holds text; code, tables and formulas stand alone", field="script"
            )
    return [(number, folded(" ".join(parts))) for number, parts in items]


def _cells(inside: list[Token], line: int) -> list[list[str]]:
    rows: list[list[str]] = []
    for token in inside:
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            mark = _CHART_MARK.match(token.content.strip())  # on the line after the table it is a row of it
            rows[-1].append(mark.group() if mark else shown_text(token, line))
    return rows


def _number(text: str, line: int) -> dict[str, Any]:
    value = number_in(text)
    if value is None:
        raise InvalidScript(f"line {line}: {{big}} wants a statement with a number", field="script")
    return {"kind": "number", "value": value, "text": text, "line": line}
