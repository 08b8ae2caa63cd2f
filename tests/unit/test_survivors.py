"""What breaks of single operators in the pure modules have shown to be unseen: one case for each."""

import pytest

from picturelock.composition.captions import Ruler
from picturelock.composition.layout import Pauses
from picturelock.errors import InvalidScript
from picturelock.jobs.stages import job_priority
from picturelock.jobs.status import assemble
from picturelock.script.latex import FormulaError, spoken_math, typst_math
from picturelock.script.markdown import parse_script
from picturelock.script.shown import code
from picturelock.script.words import phrase_ends, split_words
from tests.unit.test_cues import cost_of, said, width
from tests.unit.test_status import observed

# picturelock/composition/captions.py


def test_a_cue_that_ends_in_a_word_which_belongs_to_the_next_costs_most() -> None:  # Costs.of
    assert cost_of(said("a b the"), 2.0, leans=True) == 17.0


def test_a_run_may_be_cut_after_any_word_but_its_last() -> None:  # Ruler.cuts
    assert list(Ruler(said("ab cd ef"), width).cuts(0, 3)) == [1, 2]  # all three would fit a line


# picturelock/composition/layout.py


def test_a_pause_is_shorter_by_the_transition_it_lies_beside() -> None:  # Pauses.of
    assert Pauses.of(6, 30, first=False, last=False) == Pauses(lead=6, tail=9)


# picturelock/jobs/status.py


def test_a_job_has_the_title_of_its_film() -> None:  # assemble
    assert assemble(observed(title="Tides")).title == "Tides"


# picturelock/script/plain.py


def test_a_title_keeps_a_formula_as_it_is_written() -> None:  # inline_text
    assert parse_script("# So $x_1$\n\nWords.").title == "So x_1"


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Say $$E$$ (one)", "Say $E$ (one)"),  # allow_labels
        ("Either $ x $ or y.", "Either $ x $ or y."),  # allow_space
        ("Rows 1$x$ and y.", "Rows 1$x$ and y."),  # allow_digits
        ("Twice $$x$$ here.", "Twice $x$ here."),  # double_inline
    ],
    ids=["a label", "spaces inside", "a digit before", "two dollars in a sentence"],
)
def test_dollars_that_are_no_formulas_stay(written: str, spoken: str) -> None:  # parser
    assert parse_script(written).scenes[0].narration == spoken


# picturelock/script/shown.py


@pytest.mark.parametrize(
    ("info", "kind"),
    [("chart", "column"), ("chart bar", "bar"), ("chart chart=bar", "bar"), ("chart {type=bar}", "bar")],
)
def test_the_kind_of_a_chart_is_written_with_or_without_its_name(info: str, kind: str) -> None:  # code
    assert code(info, 'a, "1,000"\n\nb, 2\n', 7) == {
        "kind": "chart", "chart": kind, "labels": ["a", "b"], "series": [{"name": "", "values": [1_000.0, 2.0]}],
        "line": 7, "prefix": "", "unit": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("info", "more"),
    [("", {}), ("py " + "x" * 191 + "{1,2} y", {"language": "py", "highlight": ["1", "2"]})],
    ids=["no info", "what stands behind 200 characters is not read"],
)
def test_code_has_what_its_first_line_says(info: str, more: dict[str, object]) -> None:  # code
    assert code(info, "a\nb", 7) == {"kind": "code", "code": "a\nb", "line": 7, **more}


@pytest.mark.parametrize(
    ("info", "content", "message"),
    [
        ("chart", "a" * 131_073 + ", 1", "script: line 1: that is no CSV: "),
        ("py {x}", "a", "script: line 1: {x} names no lines; "),
    ],
    ids=["a cell that is too long", "marks that are no numbers"],
)
def test_a_fence_that_cannot_be_read_is_refused_with_its_place(info: str, content: str, message: str) -> None:  # code
    with pytest.raises(InvalidScript) as caught:
        code(info, content, 1)
    assert str(caught.value).startswith(message)


# picturelock/script/words.py


def test_phrases_end_at_particles_and_at_spaces() -> None:  # phrase_ends
    words = split_words("月は 地球の まわりを")
    ends = "".join(word.text + "|" * end for word, end in zip(words, phrase_ends(words, "ja"), strict=True))
    assert ends == "月は|地球の|まわりを|"


# picturelock/jobs/stages.py


def test_the_more_films_somebody_has_open_the_later_is_the_next() -> None:  # job_priority
    assert [job_priority(count) for count in (None, 0, 2, 3, 19, 20)] == [3, 2, 2, 3, 3, 4]


# picturelock/script/latex.py


@pytest.mark.parametrize(
    ("latex", "typst"),
    [
        (
            r"\begin{matrix}x^2_i & \\ & a b \\ -1 & {c}\end{matrix}",
            "mat(delim: #none, x^(2)_(i), zws; zws, a b; - 1, c)",
        ),
        (r"\begin{matrix}a & a b_1^2 \\ c & \end{matrix}", "mat(delim: #none, a, a b_(1)^(2); c, zws)"),
        (r"\begin{matrix}\frac{1}{2}\end{matrix} x", "mat(delim: #none, frac(1, 2)) x"),
        (r"\left\{ x \right\}", "lr({ x })"),
        (r"\left. x \right|", "lr( x |)"),
        (r"a\!b", "a b"),
        (r"\frac123", "frac(1, 2) 3"),
        (r"\frac1.5", "frac(1, .5)"),
        ("x^2.5", "x^(2) .5"),
        ("x^10", "x^(1) 0"),
        (r"\begin{matrix}a \\ b \\ \end{matrix}", "mat(delim: #none, a; b)"),
        ("x_{ab}^{cd}", "x_(a b)^(c d)"),
        ("' + 1", "' + 1"),
        (r"\sqrt{ab}", "sqrt(a b)"),
        ("a*b`", "a ast.op b prime"),
        ("Ͱ Ͽ", "Ͱ Ͽ"),
        ("x''", "x''"),
    ],
)
def test_more_formulas_in_typsts_words(latex: str, typst: str) -> None:
    assert typst_math(latex) == typst


@pytest.mark.parametrize(
    ("latex", "message"),
    [
        (" ", "the formula is empty"),
        ("x^", "the formula ends too early"),
        (r"\text{a", "the formula ends too early"),
        ("^2", "there is nothing before '^'"),
        ("{x", "'}' is missing"),
        ("{" * 13 + "x" + "}" * 13, "the formula is nested more than 12 deep"),
        (r"\left x", r"'x' cannot follow \left"),
        (r"\left( x \right x", r"'x' cannot follow \right"),
        (r"\begin{X}1\end{X}", "the environment 'X' is not known in formulas"),
        (r"\begin{matrix}1\end{X}", r"\end{matrix} is missing"),
        (r"\begin{matrix}1", r"\end{matrix} is missing"),
        (r"\begin{Xmatrix}1\end{matrix}", "the environment 'Xmatrix' is not known in formulas"),
        (r"\begin{matrix}1\end{matrixX}", r"\end{matrix} is missing"),
        (r"\text x", "'{' is missing after a text command"),
        (r'\text{a"}', "'\"' has no place in the text of a formula"),
        (r"\text{{}", "'{' has no place in the text of a formula"),
        (r"\foo", r"the command '\\foo' is not known in formulas"),
        ("é", "the character 'é' is not known in formulas"),
        *[(sign, f"{sign!r} has no place there") for sign in '}&#$%~"'],
    ],
)
def test_a_formula_that_cannot_be_read_says_why(latex: str, message: str) -> None:
    with pytest.raises(FormulaError) as caught:
        typst_math(latex)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("latex", "words"),
    [
        (r"\dfrac{a}{b}, \tfrac{c}{d}", "a over b c over d"),
        (r"x_{12} + y^{n + 1} \cdot 2", "x sub 12 plus y to the power of n plus 1 times 2"),
        ("x^10", "x to the power of 1 0"),
        ("x^{10}", "x to the power of 10"),
        (r"\frac12", "1 over 2"),
        (r"\frac{1}23", "1 over 2 3"),
        (r"x^\frac12", "x to the power of 1 over 2"),
        ("2.5", "2.5"),
        (r"\sqrt x < \Omega", "the square root of x is less than omega"),
    ],
)
def test_more_short_formulas_are_read(latex: str, words: str) -> None:
    assert spoken_math(latex) == words


@pytest.mark.parametrize("latex", [r"\sqrt[3]{x}", r"\vec x"])
def test_what_has_no_sure_reading_is_not_read(latex: str) -> None:
    with pytest.raises(FormulaError) as caught:
        spoken_math(latex)
    command = latex.partition("[")[0].partition(" ")[0]
    assert str(caught.value) == f"how {command!r} is spoken is not sure: put the formula on lines of its own"


@pytest.mark.parametrize("end", ["5", "\\", "."])
def test_a_formula_at_a_paragraphs_start_is_read_whatever_its_end(end: str) -> None:
    assert parse_script(f"$x^2$ is at most {end}").scenes[0].narration == f"x squared is at most {end}"


def test_a_formula_that_ends_too_early_is_refused_with_its_line() -> None:
    with pytest.raises(InvalidScript, match="line 3: the formula ends too early"):
        parse_script("Words.\n\nSo $\\frac1$ is.")


def test_a_kind_of_chart_may_have_spaces_around_it_and_rows_may_be_blank() -> None:
    block = code("chart { chart=bar }", "a, 1\n \nb, 2", 1)
    assert (block["chart"], block["labels"]) == ("bar", ["a", "b"])
