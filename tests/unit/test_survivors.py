"""What breaks of single operators in the pure modules have shown to be unseen: one case for each."""

import pytest

from picturelock.composition.captions import Ruler
from picturelock.composition.layout import Pauses
from picturelock.errors import InvalidScript
from picturelock.jobs.stages import job_priority
from picturelock.jobs.status import assemble
from picturelock.jobs.strip import FilmView
from picturelock.script import markdown, plain
from picturelock.script.latex import FormulaError, spoken_math, typst_math
from picturelock.script.markdown import parse_script
from picturelock.script.paragraphs import unquoted
from picturelock.script.shown import code, picture_attributes, table
from picturelock.script.words import phrase_ends, split_words
from tests.unit.test_cues import cost_of, said, width
from tests.unit.test_markup import ASSET
from tests.unit.test_status import observed
from tests.unit.test_strip import FILE, TIMELINE, rendered, strip_of, tiles

# picturelock/composition/captions.py


def test_a_cue_that_ends_in_a_word_which_belongs_to_the_next_costs_most() -> None:  # Costs.of
    assert cost_of(said("a b the"), 2.0, leans=True) == 17.0


def test_a_run_may_be_cut_after_any_word_but_its_last() -> None:  # Ruler.cuts
    assert list(Ruler(said("ab cd ef"), width).cuts(0, 3)) == [1, 2]  # all three would fit a line


@pytest.mark.parametrize(
    ("text", "cuts"),
    [("abc def ghi jkl", [2]), ("a b cdefgh ijklmn", [3])],
    ids=["a line of two words before the end", "a line of one"],
)
def test_a_run_is_cut_where_both_parts_fit_a_line(text: str, cuts: list[int]) -> None:  # Ruler._from
    assert list(Ruler(said(text), width).cuts(0, 4)) == cuts


# picturelock/composition/layout.py


def test_a_pause_is_shorter_by_the_transition_it_lies_beside() -> None:  # Pauses.of
    assert Pauses.of(6, 30, first=False, last=False) == Pauses(lead=6, tail=9)


# picturelock/jobs/status.py


def test_a_job_has_the_title_of_its_film() -> None:  # assemble
    assert assemble(observed(title="Tides")).title == "Tides"


# picturelock/jobs/strip.py


def test_what_is_in_no_batch_waits() -> None:  # film_strip
    assert tiles(strip_of(FilmView(TIMELINE))) == [("waiting", 0), ("waiting", 0), ("waiting", 0)]


def test_the_previews_seconds_have_three_digits() -> None:  # film_strip
    view = FilmView(TIMELINE.model_copy(update={"fps": 7}), {"render-000": rendered("render-000")}, sound=FILE)
    assert strip_of(view).preview_seconds == 8.571  # 60 / 7


# picturelock/script/markdown.py


def test_a_picture_in_a_cell_is_refused_with_the_line_of_its_table() -> None:  # _cells, _Reader._block
    with pytest.raises(InvalidScript, match="line 3: a picture stands in a paragraph of its own"):
        parse_script(f"Words.\n\n| a |\n| - |\n| ![]({ASSET}) |")


# picturelock/script/paragraphs.py


def test_two_pictures_side_by_side_are_refused() -> None:  # picture_of
    with pytest.raises(InvalidScript, match="line 1: a scene shows one picture"):
        parse_script(f"![]({ASSET})![]({ASSET})\n\nWords.")


@pytest.mark.parametrize(("text", "inside"), [("“”", "“”"), ("“A”", "A")], ids=["nothing to quote", "a letter"])
def test_a_quotation_without_its_marks_is_never_empty(text: str, inside: str) -> None:  # unquoted
    assert unquoted(text) == inside


# picturelock/script/plain.py


def test_a_title_keeps_a_formula_as_it_is_written() -> None:  # inline_text
    assert parse_script("# So $x_1$\n\nWords.").title == "So x_1"


@pytest.fixture
def fresh_parsers() -> None:
    """The parsers are made anew: what they are made of is under test, too."""
    plain.inline_parser.cache_clear()
    markdown._block_parser.cache_clear()


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Words.\n\n$$E$$ (one)", "Words. $E$ (one)"),  # allow_labels
        ("Either $ x $ or y.", "Either $ x $ or y."),  # allow_space
        ("Rows 1$x$ and y.", "Rows 1$x$ and y."),  # allow_digits
        ("Twice $$x$$ here.", "Twice $x$ here."),  # double_inline
    ],
    ids=["a label", "spaces inside", "a digit before", "two dollars in a sentence"],
)
@pytest.mark.usefixtures("fresh_parsers")
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


def test_a_cell_of_a_chart_has_eighty_characters_at_most() -> None:  # _matched
    assert code("chart", "a, " + "1" * 80, 1)["series"] == [{"name": "", "values": [float("1" * 80)]}]
    with pytest.raises(InvalidScript, match="is no number"):
        code("chart", "a, " + "1" * 81, 1)


@pytest.mark.parametrize("cell", ["1'234", "1 234"])
def test_thousands_may_be_apart(cell: str) -> None:  # _plain_digits
    assert code("chart", f"a, {cell}", 1)["series"] == [{"name": "", "values": [1_234.0]}]


def test_a_chart_without_rows_is_refused() -> None:  # chart_of_rows
    with pytest.raises(InvalidScript, match="line 1: a chart wants a label and as many numbers in every row"):
        code("chart", "", 1)


def test_one_row_below_its_names_is_a_chart() -> None:  # chart_of_rows
    assert code("chart", "x, Sales\na, 1", 1)["series"] == [{"name": "Sales", "values": [1.0]}]


def test_numbers_without_a_unit_go_with_those_of_one() -> None:  # chart_of_rows
    assert code("chart", "a, 1 %\nb, 2", 1)["unit"] == "%"


def test_a_place_with_a_second_equals_sign_is_refused_as_a_place() -> None:  # picture_attributes
    with pytest.raises(InvalidScript, match=r"line 1: focus=0\.3=0\.6 is no place"):
        picture_attributes("focus=0.3=0.6", 1)


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        ([["{chart=bar}", ""]], "table"),
        ([["a", "b"], ["{chart=bar}", ""]], "chart"),
        ([["a", "b"], ["c", "1"], ["{chart=bar}", "x"]], "table"),
    ],
    ids=["the mark alone", "names alone", "something beside the mark"],
)
def test_the_mark_of_a_chart_is_a_last_row_of_its_own(rows: list[list[str]], kind: str) -> None:  # table
    assert table(rows, 1)["kind"] == kind


def test_the_first_row_of_a_marked_table_has_its_names_whatever_is_in_it() -> None:  # table
    series = table([["Country", "2023"], ["DE", "5"], ["{chart=bar}", ""]], 1)["series"]
    assert series == [{"name": "2023", "values": [5.0]}]


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
        (r"\begin{matrix}\end{matrix}", "mat(delim: #none, zws)"),  # _Parser._matrix
        (r"\begin{matrix}a \\ \end{matrix}", "mat(delim: #none, a)"),  # _Parser._matrix
        (r"\begin{matrix}a b\end{matrix}", "mat(delim: #none, a b)"),  # _Parser._matrix
        ("{" * 11 + "x" + "}" * 11, "x"),  # _Parser.sequence: twelve deep
        ("{x}" * 13, " ".join("x" * 13)),  # _Parser.sequence: one after the other is not deep
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


def test_a_group_that_has_ended_takes_nothing_from_the_depth_around_it() -> None:  # _Parser.sequence
    with pytest.raises(FormulaError, match="nested more than 12 deep"):
        typst_math("{" * 10 + "{x}{{x}}" + "}" * 10)


def test_a_point_and_digits_are_read() -> None:  # _Reader._unit
    assert spoken_math(r"\frac1.5") == "1 over .5"


def test_a_sign_without_a_word_is_not_read() -> None:  # _Reader._unit
    with pytest.raises(FormulaError, match="how '!' is spoken is not sure"):
        spoken_math("n!")


@pytest.mark.parametrize("words", ["motion=foo", "fit=foo", "focus=5,0.5", "focus=nan,0.5", "focus=0.5"])
def test_a_framing_that_is_none_is_refused_with_its_line(words: str) -> None:  # picture_attributes
    with pytest.raises(InvalidScript, match=f"line 3: {words}"):
        parse_script(f"Words.\n\n![]({ASSET}){{{words}}}\n\nMore.")


def test_an_escaped_dollar_at_a_paragraphs_start_stays_whatever_its_end() -> None:  # _tokens
    assert parse_script("\\$x^2$ is a \\").scenes[0].narration == "\\$x^2$ is a \\"
