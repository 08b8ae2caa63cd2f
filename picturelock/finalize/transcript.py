"""The film in words, for those who read instead of watching: what is said and what is shown, as text and as HTML."""

from collections.abc import Iterator
from html import escape
from typing import Final, NamedTuple

from picturelock.languages import reads_leftwards
from picturelock.models import Scene, Script
from picturelock.models.blocks import Block, ChartBlock
from picturelock.script.plain import plain_text

_STYLE: Final = (
    "body{max-width:42rem;margin:2rem auto;padding:0 1rem;font:1.05rem/1.6 system-ui,sans-serif}"
    ":root{color-scheme:light dark}"
    "pre{overflow-x:auto;padding:.8rem;border:1px solid #8884}table{border-collapse:collapse}"
    "td,th{padding:.2rem .8rem;border-bottom:1px solid #8886;text-align:start}blockquote{margin-inline:1.5rem}"
    "figcaption,footer{opacity:.75}"
)


class _Element(NamedTuple):
    """A part of a transcript: as lines of text, and as HTML."""

    text: str
    html: str


def as_text(script: Script, title: str) -> str:
    """The transcript as plain text."""
    parts = [title]
    for scene in script.scenes:
        parts += [element.text for element in _elements(scene)]
    return "\n\n".join(parts) + "\n"


def as_html(script: Script, title: str) -> str:
    """The transcript as one HTML page without scripts and without anything from elsewhere."""
    direction = "rtl" if reads_leftwards(script.language) else "ltr"
    body = "\n".join(
        "<section>\n" + "\n".join(element.html for element in _elements(scene)) + "\n</section>"
        for scene in script.scenes
    )
    return (
        f'<!doctype html>\n<html lang="{escape(script.language)}" dir="{direction}">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n"
        f"{body}\n</body>\n</html>\n"
    )


def _elements(scene: Scene) -> Iterator[_Element]:
    if scene.title and (title := plain_text(scene.title)):
        yield _Element(f"## {title}", f"<h2>{escape(title)}</h2>")
    if scene.visual and scene.visual.alt:
        alt = scene.visual.alt
        yield _Element(f"[{alt}]", f"<figure><figcaption>{escape(alt)}</figcaption></figure>")
    if scene.narration:
        yield _paragraph(scene.narration)
    for block in scene.blocks:
        yield _block(block)


def _paragraph(text: str) -> _Element:
    plain = plain_text(text)
    return _Element(plain, f"<p>{escape(plain)}</p>")


def _block(block: Block) -> _Element:
    match block.kind:
        case "list":
            items = [plain_text(item) for item in block.items]
            marks = [f"{number}. " if block.ordered else "- " for number in range(1, len(items) + 1)]
            tag = "ol" if block.ordered else "ul"
            lines = "\n".join(f"{mark}{item}" for mark, item in zip(marks, items, strict=True))
            return _Element(lines, f"<{tag}>{''.join(f'<li>{escape(item)}</li>' for item in items)}</{tag}>")
        case "quote":
            text = plain_text(block.text)
            by = f"\n— {block.author}" if block.author else ""
            footer = f"<footer>— {escape(block.author)}</footer>" if block.author else ""
            return _Element(f"“{text}”{by}", f"<blockquote><p>{escape(text)}</p>{footer}</blockquote>")
        case "code" | "formula":
            source = block.code if block.kind == "code" else block.latex
            return _Element(source, f"<pre><code>{escape(source)}</code></pre>")
        case "table":
            return _table(block.header, block.rows)
        case "chart":
            return _chart(block)
        case _:
            return _paragraph(block.text)


def _chart(block: ChartBlock) -> _Element:
    names = [series.name for series in block.series]
    rows = [
        [label, *(block.figure(series.values[place]) for series in block.series)]
        for place, label in enumerate(block.labels)
    ]
    return _table(["", *names] if any(names) else [], rows)


def _table(header: list[str], rows: list[list[str]]) -> _Element:
    lines = [" | ".join(row) for row in ([header] if header else []) + rows]
    head = f"<tr>{''.join(f'<th>{escape(cell)}</th>' for cell in header)}</tr>" if header else ""
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return _Element("\n".join(lines), f"<table>{head}{body}</table>")
