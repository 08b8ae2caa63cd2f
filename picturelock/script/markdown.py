"""Markdown as a script, and Markdown inside narrations.

A script in Markdown: the first `# heading` is the film's title, every `## heading` begins a scene with that title,
a thematic break (`---`) begins a scene without one, paragraphs are narration, and `![](sha256-…)` on its own is the
scene's picture. Nothing of the markup is spoken or shown.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from picturelock.errors import InvalidScript
from picturelock.models import Script

_LINE_MARKS = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|>[ \t]?|[-*+][ \t]+(?!\d))", re.MULTILINE)
_LITERAL_MARKS = re.compile(r"(?<=\w)[*_]+(?=\w)|\b__\w+?__\b")
_KEPT = {"*": "\ue000", "_": "\ue001"}
"""Stars and underscores inside a word are letters of it (2*3*4, __init__); they pass the parser in disguise."""

_LONGEST_PARAGRAPH = 8_000
_MOST_BRACKETS = 100
_LONGEST_SOURCE = 400_000
_RULE = re.compile(r"^[ \t]*(?:[-*_][ \t]*){3,}$", re.MULTILINE)
_SPACE = re.compile(r"\s+")


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    return _parser_of_house()


def _parser_of_house() -> MarkdownIt:
    # Backslash escapes, entities and HTML stay as they are written: "C:\new", "R&amp;D" and "<b>" are text here.
    return (
        MarkdownIt("commonmark")
        .enable("strikethrough")
        .disable(["escape", "entity", "html_inline", "html_block", "lheading"])
    )


@lru_cache(maxsize=1)
def _block_parser() -> MarkdownIt:
    parser = _parser_of_house()
    parser.core.ruler.disable(["inline", "text_join"])
    return parser


def plain_text(text: str) -> str:
    """Inline Markdown without its marks, white space folded: what is spoken and shown.

    Only what certainly is markup goes: emphasis, code marks, links (their text stays), heading and list marks at the
    start of a line. A leading number with a full stop stays: "1986. That was the year."
    """
    unmarked = _LINE_MARKS.sub("", _RULE.sub("", text))
    tokens = _parser().parseInline(_disguised(unmarked))
    return _SPACE.sub(" ", _inline_text(tokens[0].children or [] if tokens else [])).strip()


def _disguised(text: str) -> str:
    def keep(match: re.Match[str]) -> str:
        return "".join(_KEPT.get(character, character) for character in match.group())

    return _LITERAL_MARKS.sub(keep, text)


def _inline_text(tokens: Sequence[Token]) -> str:
    parts: list[str] = []
    for token in tokens:
        if token.type in {"text", "code_inline"}:
            parts.append(token.content)
        elif token.type in {"softbreak", "hardbreak"}:
            parts.append(" ")
    text = "".join(parts)
    for character, disguise in _KEPT.items():
        text = text.replace(disguise, character)
    return text


@dataclass
class _Draft:
    """A scene in the making."""

    title: str = ""
    line: int = 1
    paragraphs: list[str] = field(default_factory=list)
    asset_id: str | None = None

    @property
    def empty(self) -> bool:
        return not (self.title or self.paragraphs or self.asset_id)

    def as_scene(self) -> dict[str, Any]:
        scene: dict[str, Any] = {"narration": " ".join(self.paragraphs)}
        if self.title:
            scene["title"] = self.title
        if self.asset_id:
            scene["visual"] = {"kind": "image", "assetId": self.asset_id}
        return scene


def parse_script(source: str, language: str = "en") -> Script:
    """A Markdown script as a `Script`.

    Raises:
        InvalidScript: far too long, no scene at all, a scene without narration (named by its heading and line).
        pydantic.ValidationError: a limit of the models is broken.
    """
    title, drafts = _read_blocks(source)
    if not drafts:
        raise InvalidScript("the Markdown has no text to narrate", field="script")
    for number, draft in enumerate(drafts, start=1):
        if not draft.paragraphs:
            name = f" ({draft.title!r}, line {draft.line})" if draft.title else f" (line {draft.line})"
            raise InvalidScript(f"scene {number}{name} has no narration", field="script")
    scenes = [draft.as_scene() for draft in drafts]
    return Script.model_validate({"title": title, "language": language, "scenes": scenes})


def _read_blocks(source: str) -> tuple[str, list[_Draft]]:
    title = ""
    drafts = [_Draft()]
    number = ""
    tokens = _tokens(source)
    for position, token in enumerate(tokens):
        line = token.map[0] + 1 if token.map else drafts[-1].line
        if token.type == "hr":
            drafts.append(_Draft(line=line))
        elif token.type == "list_item_open":
            number = f"{token.info}. " if token.info else ""
        elif token.type in {"code_block", "fence"}:
            drafts[-1].paragraphs.append(_SPACE.sub(" ", token.content).strip())
        elif token.type == "inline":
            heading = tokens[position - 1]
            if heading.type != "heading_open":
                _add_paragraph(drafts[-1], number, token)
                number = ""
            elif heading.tag == "h1" and not title and len(drafts) == 1 and drafts[0].empty:
                title = _inline_text(token.children or [])
            else:
                drafts.append(_Draft(title=_inline_text(token.children or []), line=line))
    return title, [draft for draft in drafts if not draft.empty]


def _tokens(source: str) -> list[Token]:
    """The parsed blocks. Inline markup is parsed only where a paragraph has a sane length: that is not linear in it."""
    if len(source) > _LONGEST_SOURCE:
        raise InvalidScript(f"more than {_LONGEST_SOURCE} characters", field="script", limit=_LONGEST_SOURCE)
    tokens = _block_parser().parse(_disguised(source))
    for token in tokens:
        if token.type == "inline":
            line = token.map[0] + 1 if token.map else 1
            if len(token.content) > _LONGEST_PARAGRAPH:
                text = f"line {line}: a paragraph of more than {_LONGEST_PARAGRAPH} characters"
                raise InvalidScript(text, field="script", limit=_LONGEST_PARAGRAPH)
            if token.content.count("[") > _MOST_BRACKETS:
                # Each may begin a link: how long it takes to find out that none does grows with their square.
                text = f"line {line}: a paragraph with more than {_MOST_BRACKETS} brackets"
                raise InvalidScript(text, field="script", limit=_MOST_BRACKETS)
            token.children = _parser().parseInline(token.content)[0].children
    return tokens


def _add_paragraph(draft: _Draft, number: str, token: Token) -> None:
    children = token.children or []
    for child in children:
        if child.type == "image":
            draft.asset_id = str(child.attrs.get("src", ""))
    text = _SPACE.sub(" ", _inline_text(children)).strip()
    if text:
        draft.paragraphs.append(number + text)
