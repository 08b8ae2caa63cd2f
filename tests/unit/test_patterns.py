"""The patterns by which `make mutants` finds what it breaks."""

import pytest

from scripts.mutants import pattern
from scripts.mutants.__main__ import ROOT, broken_file, sources
from scripts.mutants.breaks import BREAKS


@pytest.mark.parametrize(
    ("source", "find", "put", "broken"),
    [
        ("x = free < needed", "free < needed", "False", "x = False"),
        ("y = f(a, b)", "f(A_, B_)", "f(B_, A_)", "y = f(b, a)"),
        ("y = f(a, b, c=1)", "f(A_, ...)", "g(A_)", "y = g(a)"),
        ("d = {'a': 1, 'b': 2}", "{'a': A_, **...}", "{'a': A_ + 1}", "d = {'a': 1 + 1}"),
        ("if a:\n    b()\n    c()", "if a:\n    ...", "pass", "pass"),
        ("def f():\n    a = 1\n    b = 2", "a = 1\nb = A_", "a = A_", "def f():\n    a = 2"),
        ("x = a.name + a.name", "A_.name + A_.name", "A_", "x = a"),
        ("x = 'ü', free < needed", "free < needed", "True", "x = 'ü', True"),
    ],
)
def test_code_is_found_by_its_shape(source: str, find: str, put: str, broken: str) -> None:
    assert pattern.replace(source, find, put) == broken


@pytest.mark.parametrize(
    ("source", "find"),
    [
        ("x = a.name + b.name", "A_.name + A_.name"),
        ("f(a)", "f(A_, B_)"),
        ("f(a, c=1)", "f(A_)"),
        ("f(a); f(b)", "f(A_)"),
    ],
)
def test_what_is_not_there_once_is_refused(source: str, find: str) -> None:
    with pytest.raises(pattern.NotOnce):
        pattern.replace(source, find, "pass")


@pytest.mark.slow
def test_every_break_fits_the_code_of_today() -> None:
    modules = sources(ROOT)
    for one in BREAKS:
        path, text = broken_file(one, modules)
        compile(text, path, "exec")
        assert text != modules[path]
    assert len({one.name for one in BREAKS}) == len(BREAKS) >= 60
