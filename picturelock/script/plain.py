"""Inline Markdown without its marks: what is spoken and shown of a text."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin

_LINE_MARKS: Final = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|>[ \t]?|[-*+][ \t]+(?!\d))", re.MULTILINE)
_LITERAL_MARKS: Final = re.compile(r"(?<=[A-Za-z0-9])(?:\*|_+)(?=[A-Za-z0-9])|(?<=\d)\*\*(?=\d)|\b__\w+?__\b")
_KEPT: Final = {"*": "\ue000", "_": "\ue001"}
"""Stars and underscores inside a word are letters of it (2*3*4, __init__); they pass the parser in disguise."""

_RULE: Final = re.compile(r"^[ \t]*(?:[-*_][ \t]*){3,}$", re.MULTILINE)
_FORMULA: Final = re.compile(r"[\\^_=]|\ue001")
_ONE_SYMBOL: Final = re.compile(r"\s*(?:[A-Za-z]|\d+)\s*")
_SPACE: Final = re.compile(r"\s+")


def parser() -> MarkdownIt:
    """The parser of the house: CommonMark with tables, strikethrough and formulas."""
    # Backslash escapes, entities and HTML stay as they are written: "C:\new", "R&amp;D" and "<b>" are text here.
    return (
        MarkdownIt("commonmark")
        .enable(["strikethrough", "table"])
        .disable(["escape", "entity", "html_inline", "html_block", "lheading"])
        .use(dollarmath_plugin, allow_labels=False, allow_space=False, allow_digits=False, double_inline=False)
    )


@lru_cache(maxsize=1)
def inline_parser() -> MarkdownIt:
    """The parser for what stands inside a paragraph."""
    return parser()


@lru_cache(maxsize=1)
def _text_parser() -> MarkdownIt:
    """The parser for texts that are no Markdown documents: dollars are dollars."""
    plain = parser()
    plain.inline.ruler.disable("math_inline")
    return plain


def plain_text(text: str) -> str:
    """Inline Markdown without its marks, white space folded: what is spoken and shown.

    Only what certainly is markup goes: emphasis, code marks, links (their text stays), heading and list marks at the
    start of a line. A leading number with a full stop stays: "1986. That was the year."
    """
    unmarked = _LINE_MARKS.sub("", _RULE.sub("", text))
    tokens = _text_parser().parseInline(disguised(unmarked))
    return folded(inline_text(tokens[0].children or [] if tokens else []))


def folded(text: str) -> str:
    """The text with single spaces."""
    return _SPACE.sub(" ", text).strip()


def disguised(text: str) -> str:
    """The text with stars and underscores that belong to words out of the parser's sight; see `revealed`."""

    def keep(match: re.Match[str]) -> str:
        return "".join(_KEPT.get(character, character) for character in match.group())

    return _LITERAL_MARKS.sub(keep, text)


def revealed(text: str) -> str:
    """The text as it was before `disguised`."""
    for character, disguise in _KEPT.items():
        text = text.replace(disguise, character)
    return text


def is_formula(latex: str) -> bool:
    """Whether what stands between dollars is a formula, and the dollars are no money or names of variables.

    >>> is_formula("x^2"), is_formula("n"), is_formula("HOME/")
    (True, True, False)
    """
    return bool(_FORMULA.search(latex) or _ONE_SYMBOL.fullmatch(latex))


def inline_text(tokens: Sequence[Token]) -> str:
    """The text of parsed inline Markdown, formulas as they are written; pictures have none."""
    parts: list[str] = []
    for token in tokens:
        if token.type in {"text", "code_inline"}:
            parts.append(token.content)
        elif token.type in {"softbreak", "hardbreak"}:
            parts.append(" ")
        elif token.type == "math_inline":
            parts.append(token.content if is_formula(token.content) else f"${token.content}$")
    return revealed("".join(parts))
