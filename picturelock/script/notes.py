"""Notes of an author, `<!-- like this -->`: they are neither spoken nor shown."""

import re
from typing import Final

_FENCE: Final = re.compile(r"^ {0,3}(`{3,}|~{3,})")


def without_notes(source: str) -> str:
    """The Markdown without `<!-- notes -->`, line for line; what stands in code stays."""
    kept: list[str] = []
    fence, in_note = "", False
    for line in source.split("\n"):
        match = None if in_note else _FENCE.match(line)
        if fence or match:
            kept.append(line)
            if match:
                closed = bool(fence) and match.group(1).startswith(fence)
                fence = "" if closed else fence or match.group(1)
            continue
        text, in_note = _without_note(line, in_note=in_note)
        kept.append(text)
    return "\n".join(kept)


def _without_note(line: str, *, in_note: bool) -> tuple[str, bool]:
    """A line without what is commented out, and whether a comment goes on behind it."""
    parts: list[str] = []
    while line:
        if in_note:
            _, ended, line = line.partition("-->")
            in_note = not ended
        else:
            text, begun, line = line.partition("<!--")
            parts.append(text)
            in_note = bool(begun)
    return "".join(parts), in_note
