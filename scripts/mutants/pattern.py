"""Finds Python code by its shape and replaces it, wherever it lives: a break survives moves and most renames.

A pattern is Python code. `A_` to `Z_` stand for anything (an expression, a name, an argument), the same letter for the
same code; `...` as the last argument, item or statement (`**...` in a dictionary) stands for any number of them.

    >>> replace("x = free < needed", "free < needed", "False")
    'x = False'
"""

import ast
import re
import textwrap
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_WILD = re.compile(r"[A-Z]_")
_NAME = re.compile(r"[A-Za-z_]\w*")
_STRING = re.compile(r"""[rbf]*('[^']*'|"[^"]*")""")
_SKIPPED = frozenset({"ctx", "type_comment", "kind", "type_params"})
Bound = dict[str, ast.AST | str]


class NotOnce(Exception):
    """A pattern that is found nowhere, or in more places than one."""

    def __init__(self, count: int) -> None:
        super().__init__(f"found {count} times; a pattern has to be found once")
        self.count = count


def count(source: str, find: str) -> int:
    """In how many places a pattern is found."""
    if not all(word in source for word in _words(find)):
        return 0
    return sum(1 for _ in _places(_code(source), _pattern(find)))


@lru_cache(maxsize=512)
def _words(find: str) -> frozenset[str]:
    """The names that a pattern's places have in them: to look for these is quicker than to compare trees."""
    return frozenset(word for word in _NAME.findall(_STRING.sub("", find)) if not _WILD.fullmatch(word))


def replace(source: str, find: str, put: str) -> str:
    """The source with the code that `find` matches replaced by `put`.

    Raises:
        NotOnce: the pattern is not found exactly once.
    """
    places = list(_places(_code(source), _pattern(find)))
    if len(places) != 1:
        raise NotOnce(len(places))
    nodes, bound = places[0]
    data = source.encode()
    lines = data.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    first, last = nodes[0], nodes[-1]
    begin = starts[first.lineno - 1] + first.col_offset
    end = starts[(last.end_lineno or 1) - 1] + (last.end_col_offset or 0)
    text = _filled(put, bound, source)
    if isinstance(first, ast.stmt):
        text = textwrap.indent(text, " " * first.col_offset).lstrip()
    elif "\n" in text:
        raise ValueError("an expression is replaced by a line")
    return (data[:begin] + text.encode() + data[end:]).decode()


def _filled(put: str, bound: Bound, source: str) -> str:
    def code(found: re.Match[str]) -> str:
        value = bound.get(found.group())
        if isinstance(value, ast.AST):
            return ast.get_source_segment(source, value) or ""
        return value or found.group()

    return re.sub(r"\b[A-Z]_(?!\w)", code, put)


@dataclass(frozen=True)
class _Code:
    """A module's code by its shape: many patterns are looked for in it."""

    expressions: Mapping[type[ast.AST], list[ast.expr]]
    blocks: list[list[ast.stmt]]


@lru_cache(maxsize=1_000)
def _code(source: str) -> _Code:
    expressions: dict[type[ast.AST], list[ast.expr]] = defaultdict(list)
    blocks = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.expr):
            expressions[type(node)].append(node)
        for _, block in ast.iter_fields(node):
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                blocks.append(block)
    return _Code(expressions, blocks)


def _pattern(find: str) -> list[ast.AST]:
    """The pattern's statements, or its one expression."""
    body = ast.parse(textwrap.dedent(find)).body
    if len(body) == 1 and isinstance(body[0], ast.Expr):
        return [body[0].value]
    return list(body)


def _places(code: _Code, pattern: list[ast.AST]) -> Iterator[tuple[list[ast.expr | ast.stmt], Bound]]:
    """The nodes that match, with what the wildcards stand for: one expression, or a run of statements."""
    if len(pattern) == 1 and isinstance(pattern[0], ast.expr):
        for node in code.expressions.get(type(pattern[0]), ()):
            bound: Bound = {}
            if _matches(node, pattern[0], bound):
                yield [node], bound
        return
    for block in code.blocks:
        yield from _runs(block, pattern)


def _runs(block: list[ast.stmt], pattern: list[ast.AST]) -> Iterator[tuple[list[ast.expr | ast.stmt], Bound]]:
    for at in range(len(block) - len(pattern) + 1):
        bound: Bound = {}
        run = block[at : at + len(pattern)]
        if all(_matches(node, one, bound) for node, one in zip(run, pattern, strict=True)):
            yield list(run), bound


def _matches(node: object, pattern: object, bound: Bound) -> bool:
    if (name := _wildcard(pattern)) is not None:
        fits = isinstance(node, str if isinstance(pattern, str) else ast.expr)
        return fits and _same(name, node, bound)  # type: ignore[arg-type] # it fits
    if isinstance(pattern, list):
        return isinstance(node, list) and _match_lists(node, pattern, bound)
    if not isinstance(pattern, ast.AST):
        return type(node) is type(pattern) and node == pattern
    if type(node) is not type(pattern):
        return False
    return all(_matches(inner, wanted, bound) for inner, wanted in zip(_parts(node), _wanted(pattern), strict=True))


def _wildcard(pattern: object) -> str | None:
    name = pattern.id if isinstance(pattern, ast.Name) else pattern
    return name if isinstance(name, str) and _WILD.fullmatch(name) else None


def _parts(node: Any) -> list[object]:
    """What of a node is compared; a call's arguments are one list."""
    if isinstance(node, ast.Call):
        return [node.func, [*node.args, *node.keywords]]
    return [getattr(node, name, None) for name in node._fields if name not in _SKIPPED]


def _wanted(pattern: Any) -> list[object]:
    """The same of a pattern. `**...` in a dictionary has no key: it gets one that stands for the rest."""
    if isinstance(pattern, ast.Dict) and pattern.values and _is_rest(pattern.values[-1]):
        return [[*pattern.keys[:-1], ast.Constant(...)], pattern.values]
    return _parts(pattern)


def _match_lists(nodes: Sequence[object], patterns: Sequence[object], bound: Bound) -> bool:
    if patterns and _is_rest(patterns[-1]):
        return len(nodes) >= len(patterns) - 1 and _match_lists(nodes[: len(patterns) - 1], patterns[:-1], bound)
    return len(nodes) == len(patterns) and all(
        _matches(node, pattern, bound) for node, pattern in zip(nodes, patterns, strict=True)
    )


def _is_rest(pattern: object) -> bool:
    if isinstance(pattern, ast.Expr):
        pattern = pattern.value
    return isinstance(pattern, ast.Constant) and pattern.value is ...


def _same(name: str, node: ast.AST | str, bound: Bound) -> bool:
    known = bound.setdefault(name, node)
    if known is node:
        return True
    if isinstance(known, ast.AST) and isinstance(node, ast.AST):
        return ast.dump(known) == ast.dump(node)
    return known == node
