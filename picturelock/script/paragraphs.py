"""What stands inside paragraphs, headings and cells of a script: as it is spoken, or as it is shown."""

import re
from typing import Any, Final
from urllib.parse import unquote

from markdown_it.token import Token

from picturelock.errors import InvalidScript
from picturelock.script import shown
from picturelock.script.latex import FormulaError, spoken_math
from picturelock.script.plain import folded, inline_text, is_formula, revealed

_ATTRIBUTES: Final = re.compile(r"^\{([^{}]*)\}")
_SLIP: Final = re.compile(r"\{\s*(?:chart|big|motion|focus|fit)\b[^{}]{0,80}\}")
"""A mark of ours in the wrong place."""

ONE_PICTURE: Final = "a scene shows one picture; begin another with ---"
_QUOTES: Final = {"“": "”", '"': '"', "„": "“”", "«": "»", "»": "«", "”": "”"}
"""The marks that begin a quotation, and those that may end it."""


def spoken_of(token: Token, line: int, *, keep_lines: bool = False, pictures: bool = False) -> str:
    """A paragraph as it is spoken: formulas by their reading, pictures and their attributes not at all."""
    parts: list[str] = []
    after_picture = False
    for child in token.children or []:
        if child.type == "math_inline":
            parts.append(_read_formula(revealed(child.content), line))
        elif child.type in {"softbreak", "hardbreak"}:
            parts.append("\n" if keep_lines else " ")
        elif child.type == "image" and not pictures:
            raise InvalidScript(f"line {line}: a picture stands in a paragraph of its own", field="script")
        elif child.type in {"text", "code_inline"}:
            parts.append(_ATTRIBUTES.sub("", child.content) if after_picture else child.content)
        after_picture = child.type == "image"
    text = revealed("".join(parts))
    return text.strip() if keep_lines else folded(text)


def _read_formula(latex: str, line: int) -> str:
    """A formula within a sentence as it is spoken; dollars that are no formula's stay dollars."""
    if not is_formula(latex):
        return f"${latex}$"
    try:
        return spoken_math(latex)
    except FormulaError as error:
        raise InvalidScript(f"line {line}: {error}", field="script") from error


def shown_text(token: Token, line: int) -> str:
    """The text of a heading or a cell."""
    if any(child.type == "image" for child in token.children or []):
        raise InvalidScript(f"line {line}: a picture stands in a paragraph of its own", field="script")
    return without_marks(folded(inline_text(token.children or [])), line)


def without_marks(text: str, line: int) -> str:
    """The text. Raises InvalidScript: there is a mark of ours in it, where it means nothing."""
    if slip := _SLIP.search(text):
        raise InvalidScript(f"line {line}: {slip.group()!r} is not understood there", field="script")
    return text


def unquoted(text: str) -> str:
    """A quotation without the marks around all of it.

    >>> unquoted('“Panta rhei.”'), unquoted('“A,” he said, “b.”')
    ('Panta rhei.', '“A,” he said, “b.”')
    """
    if len(text) > 2 and text[-1] in _QUOTES.get(text[0], ""):
        inside = text[1:-1]
        if not any(mark in inside for mark in (text[0], text[-1])):
            return inside.strip()
    return text


def picture_of(children: list[Token], line: int) -> dict[str, Any] | None:
    """The visual that a paragraph's picture is; None where it has none. Raises InvalidScript: it has two."""
    for place, child in enumerate(children):
        if child.type == "image":
            if any(other.type == "image" for other in children[place + 1 :]):
                raise InvalidScript(f"line {line}: {ONE_PICTURE}", field="script")
            visual: dict[str, Any] = {"kind": "image", "assetId": revealed(unquote(str(child.attrs.get("src", ""))))}
            if alt := folded(child.content):
                visual["alt"] = revealed(alt)
            follower = children[place + 1].content if place + 1 < len(children) else ""
            match = _ATTRIBUTES.match(follower)
            return visual | (shown.picture_attributes(revealed(match.group(1)), line) if match else {})
    return None
