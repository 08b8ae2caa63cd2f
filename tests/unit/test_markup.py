"""What Markdown shows: tables, charts, code, formulas, pictures, numbers. Each refusal has its line."""

import json
from contextlib import suppress

import pytest

from picturelock.errors import InvalidScript
from picturelock.finalize.transcript import as_html, as_text
from picturelock.models import ExportRequest, Script
from picturelock.models.blocks import (
    ChartBlock,
    CodeBlock,
    FormulaBlock,
    ListBlock,
    NumberBlock,
    QuoteBlock,
    Series,
    TableBlock,
    TextBlock,
)
from picturelock.script.intake import RequestRefused, read_request
from picturelock.script.latex import FormulaError, spoken_math, typst_math
from picturelock.script.markdown import parse_script
from picturelock.script.notes import without_notes
from picturelock.script.spoken import spoken_text

ASSET = "sha256-" + "b" * 64


def blocks(source: str) -> list[object]:
    return list(parse_script(f"Words first.\n\n{source}").scenes[0].blocks[1:])


def request(source: str, **fields: object) -> ExportRequest:
    return read_request(json.dumps({"script": source, **fields}).encode())


def test_a_table_is_a_table_and_a_marked_one_a_chart() -> None:
    table = "| Year | Revenue |\n| --- | ---: |\n| 2024 | €1.2M |\n| 2025 | €1,800M |"
    assert blocks(table) == [
        TableBlock(line=3, header=["Year", "Revenue"], rows=[["2024", "€1.2M"], ["2025", "€1,800M"]])
    ]
    chart = ChartBlock(
        line=3,
        chart="bar",
        labels=["2024", "2025"],
        series=[Series(name="Revenue", values=[1.2, 1800])],
        prefix="€",
        unit="M",
    )
    assert blocks(f"{table}\n{{chart=bar}}") == blocks(f"{table}\n\n{{chart=bar}}") == [chart]


def test_a_chart_of_csv() -> None:
    assert blocks("```chart line\nMonth, A, B\nJan, 1, 2\nFeb, -3.5, 4\n```") == [
        ChartBlock(
            line=3, chart="line", labels=["Jan", "Feb"],
            series=[Series(name="A", values=[1, -3.5]), Series(name="B", values=[2, 4])],
        )
    ]  # fmt: skip
    assert blocks("```chart\na, 12 %\nb, 30 %\n```") == [
        ChartBlock(line=3, labels=["a", "b"], series=[Series(values=[12, 30])], unit="%")
    ]


def test_code_keeps_its_lines_and_its_marks() -> None:
    assert blocks("```python {2,4-5}\na\nb <!-- c -->\n\n_d_\n*e*\n```") == [
        CodeBlock(line=3, code="a\nb <!-- c -->\n\n_d_\n*e*", language="python", highlight=["2", "4-5"])
    ]


def test_a_quotation_has_its_author() -> None:
    assert blocks("> So it *is*,\n> he said.\n> — A. Bee") == [
        QuoteBlock(line=3, text="So it is, he said.", author="A. Bee")
    ]
    assert blocks("> Just words.") == [QuoteBlock(line=3, text="Just words.")]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("It is 40× as long.", "40×"),
        ("Only $9 a month.", "$9"),
        ("Up by 50 % now.", "50 %"),
        ("About 1,250 of them.", "1,250"),
    ],
)
def test_a_big_number_is_found_in_its_statement(text: str, value: str) -> None:
    assert blocks(f"{text} {{big}}") == [NumberBlock(line=3, value=value, text=text)]


def test_formulas_are_shown_or_read() -> None:
    assert blocks("$$\nE = mc^2\n$$") == [FormulaBlock(line=3, latex="E = mc^2")]
    said = parse_script("We know $a^2 + b^2 = c^2$ since long, and it costs $5, or $9 with tax.")
    assert said.scenes[0].narration == (
        "We know a squared plus b squared equals c squared since long, and it costs $5, or $9 with tax."
    )


def test_a_picture_has_words_and_a_frame() -> None:
    (scene,) = parse_script(f"![The sea]({ASSET}){{motion=zoom-in fit=contain focus=0.2,0.8}}\n\nThe sea.").scenes
    visual = scene.visual
    assert visual is not None
    assert visual.focus is not None
    assert (visual.alt, visual.motion, visual.fit, visual.focus.x, visual.focus.y) == (
        "The sea",
        "zoom-in",
        "contain",
        0.2,
        0.8,
    )
    assert scene.narration == "The sea."


def test_notes_are_neither_spoken_nor_shown_and_lines_stay_where_they_are() -> None:
    assert parse_script("One. <!-- not this -->\n\n<!--\nnor\n\nthat -->\n\nTwo.").scenes[0].narration == "One. Two."
    assert without_notes("a\n<!-- b\nc -->\nd").count("\n") == 3
    with pytest.raises(InvalidScript, match="line 7: "):
        parse_script("One.\n\n<!--\nnote\n-->\n\n```chart\na, b\n```")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("```chart pizza\na, 1\n```", "line 3: there is no chart 'pizza'"),
        ("```chart\na, one\n```", "line 3: 'one' is no number"),
        ("```chart\na, 1\nb\n```", "line 3: a chart wants a label and as many numbers"),
        ("```chart\na, 1 km\nb, 2 mm\n```", "line 3: one chart, several units: 1km, 1mm"),
        ("```chart pie\na, -1\nb, 2\n```", "line 3: a pie has"),
        ("{chart=bar}", "line 3: there is no table before"),
        ("```python {x}\na\n```", "line 3: {x} names no lines"),
        ("```python {3}\na\n```", "line 3: there are 1 lines of code: 3-3 cannot stand out"),
        ("```\n" + "a\n" * 19 + "```", "line 3: code: 19 lines of code cannot be read"),
        ("```\n" + "a" * 89 + "\n```", "line 3: code: a line of code with 89 characters"),
        ("| a |\n| --- |\n" + "| 1 |\n" * 40, "line 3: rows: "),
        ("- " + "a " * 200, "line 3: items.0: "),
        ("- one\n\n  ```\n  code\n  ```", "line 5: a list holds text"),
        ("No number here. {big}", "line 3: {big} wants a statement with a number"),
        ("So $\\foo$ is.", r"line 3: the command .*foo' is not known"),
        ("So $\\sum_i x_i$ is.", "line 3: how .* is spoken is not sure"),
        (f"![]({ASSET}){{speed=3}}", "line 3: a picture takes motion, fit, focus"),
        (f"![]({ASSET}){{focus=left}}", "line 3: focus=left is no place"),
        (f"![]({ASSET})\n\n![]({ASSET})", "line 5: a scene shows one picture"),
        (f"- ![]({ASSET})", "line 3: a picture stands in a paragraph"),
        ("> ```py\n> x\n> ```", "line 3: a quotation holds text"),
        ("Words. {chart=Bar}", "line 3: '{chart=Bar}' is not understood"),
        ("| a | b |\n| 1 | 2 |", "line 3: a table wants a line of dashes"),
        ("```chart bar\na, 5\nb, -3\n```", "line 3: a bar chart has no values below 0"),
        ("```chart\na, (5)\n```", r"line 3: '\(5\)' is no number"),
        ("```chart\na, x" + " " * 30_000 + "y\n```", "line 3: .* is no number"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_its_line(source: str, message: str) -> None:
    with pytest.raises(InvalidScript, match=f"^script: {message}"):
        blocks(source)


CONTROL = "control character U+0001 cannot be spoken or shown"
APART = "code, tables and formulas stand alone"


@pytest.mark.parametrize(
    ("source", "message", "limit"),
    [
        pytest.param("\n" * 400_001, "more than 400000 characters", 400_000, id="long"),
        pytest.param("W.\n\n" + "a" * 8_001, "line 3: a paragraph of more than 8000 characters", 8_000, id="paragraph"),
        pytest.param("W.\n\n" + "[" * 101, "line 3: a paragraph with more than 100 brackets", 100, id="brackets"),
        pytest.param("- a\n\n      code", f"line 3: a list holds text; {APART}", None, id="code in a list"),
        pytest.param(
            "- a\n\n  | b |\n  | - |\n  | c |", f"line 3: a list holds text; {APART}", None, id="table in a list"
        ),
        pytest.param("- a\n\n  $$\n  b\n  $$", f"line 3: a list holds text; {APART}", None, id="formula in a list"),
        pytest.param("> a\n>\n>     code", f"line 1: a quotation holds text; {APART}", None, id="quoted code"),
        pytest.param("> a\n>\n> $$\n> b\n> $$", f"line 1: a quotation holds text; {APART}", None, id="quoted formula"),
        pytest.param("> | a |\n> | - |\n> | b |", f"line 1: a quotation holds text; {APART}", None, id="quoted table"),
        pytest.param(f"> ![]({ASSET})", "line 1: a picture stands in a paragraph of its own", None, id="quoted"),
        pytest.param("\x01", f"line 1: text: {CONTROL}", None, id="control in a text"),
        pytest.param("9 \x01 {big}", f"line 1: text: {CONTROL}", None, id="control by a number"),
        pytest.param("1986. \x01", f"line 1: text: {CONTROL}", None, id="control after a year"),
        pytest.param("> \x01", f"line 1: text: {CONTROL}", None, id="control in a quotation"),
        pytest.param("$$\n\x01\n$$", f"line 1: latex: {CONTROL}", None, id="control in a formula"),
        pytest.param(
            "| a | b |\n| - | - |\n| c | -1 |\n\n{chart=bar}",
            "line 5: a bar chart has no values below 0; a column chart may",
            None,
            id="negative bars",
        ),
        pytest.param("- 5 {big}", "line 1: '{big}' is not understood there", None, id="big in a list"),
        pytest.param("> 5 {big}", "line 1: '{big}' is not understood there", None, id="big in a quotation"),
        pytest.param(
            "W.\n\n## A {chart=bar}", "line 3: '{chart=bar}' is not understood there", None, id="chart in a title"
        ),
        pytest.param(f"## A ![]({ASSET})", "line 1: a picture stands in a paragraph of its own", None, id="titled"),
        pytest.param(
            f"![]({ASSET}) ![]({ASSET})", "line 1: a scene shows one picture; begin another with ---", None, id="two"
        ),
        pytest.param("W.\n\n```chart foo_b\na, 1\n```", "line 3: there is no chart 'foo_b'", None, id="underscore"),
    ],
)
def test_a_refusal_says_what_where_and_how_much(source: str, message: str, limit: float | None) -> None:
    with pytest.raises(InvalidScript) as caught:
        parse_script(source)
    assert str(caught.value).startswith(f"script: {message}")
    assert (caught.value.field, caught.value.limit) == ("script", limit)


def test_only_braces_behind_a_picture_are_its_attributes() -> None:
    scene = parse_script(f"{{x}}  is `code` of $X$: ![The *sea*]({ASSET}){{fit=contain}} *and* {{y}}").scenes[0]
    assert scene.narration == "{x} is code of X: and {y}"
    assert scene.visual is not None
    assert (scene.visual.alt, scene.visual.fit) == ("The *sea*", "contain")


def test_a_quotation_alone_loses_its_marks_and_a_number_alone_is_a_scene() -> None:
    script = parse_script("> “X marks it.”\n\n---\n\n> — X\n\n---\n\nThere are 9. {big}")
    assert [block for scene in script.scenes for block in scene.blocks] == [
        QuoteBlock(line=1, text="X marks it."),
        QuoteBlock(line=5, text="— X"),
        NumberBlock(line=9, value="9", text="There are 9."),
    ]


def test_a_quotation_with_quotations_keeps_their_marks() -> None:
    assert parse_script("> “A,” he said, “b.”").scenes[0].blocks == [QuoteBlock(line=1, text="“A,” he said, “b.”")]
    assert parse_script("> „Ja.“").scenes[0].blocks == [QuoteBlock(line=1, text="Ja.")]


def test_years_are_their_own_and_not_counted() -> None:
    script = parse_script("1986. That was one.\n1990. That was another.\n1992.")
    assert spoken_text(script.scenes[0]) == "1986. That was one. 1990. That was another. 1992."


def test_a_hundred_is_no_year_and_indented_code_is_code() -> None:
    script = parse_script("100. One\n\n     two\n\n     *three*.\n\n---\n\n1986. Then\n1987. this.\n\n    x")
    assert [block for scene in script.scenes for block in scene.blocks] == [
        ListBlock(line=1, items=["One two three."], ordered=True),
        TextBlock(line=9, text="1986. Then 1987. this."),
        CodeBlock(line=12, code="x"),
    ]


def test_a_hundred_brackets_are_not_too_many() -> None:
    assert parse_script("a" + "[" * 100).scenes[0].narration == "a" + "[" * 100


def test_dollars_that_are_no_formulas_stay_in_titles_and_cells() -> None:
    script = parse_script("## The $HOME/$USER\n\nW.\n\n| $A/$B | c |\n| - | - |\n| d | $x^2$ |")
    assert script.scenes[0].title == "The $HOME/$USER"
    assert script.scenes[0].blocks[1] == TableBlock(line=5, header=["$A/$B", "c"], rows=[["d", "x^2"]])


def test_a_language_with_an_underscore_is_one() -> None:
    assert blocks("```objective_c\nx\n```") == [CodeBlock(line=3, language="objective_c", code="x")]


def test_nothing_of_the_markup_is_spoken() -> None:
    script = parse_script(
        "# T\n\nA **b** $x^2$.\n\n- `c`\n\n> d\n\n```python\ndef e(): pass\n```\n\n"
        "| f | g |\n| - | - |\n| h | i |\n\n$$\n\\frac{1}{2}\n$$\n"
    )
    spoken = spoken_text(script.scenes[0])
    assert spoken == "A b x squared. c. d."


@pytest.mark.parametrize(
    ("latex", "typst"),
    [
        (r"\frac{a}{b}", "frac(a, b)"),
        (r"\sqrt[3]{x}", "root(3, x)"),
        (r"\left( x \right)", "lr(( x ))"),
        (r"x_i^{2n}", "x_(i)^(2 n)"),
        (r"\text{if } x", '"if " x'),
        (r"\begin{pmatrix}1 & 2\\3 & 4\end{pmatrix}", 'mat(delim: "(", 1, 2; 3, 4)'),
        (r"50\%", '50 "%"'),
        (r"\frac12", "frac(1, 2)"),
        (r"\text{kinetic energy}", '"kinetic energy"'),
        (r"{}^2 x", "zws^(2) x"),
        (r"\sqrt{}", "sqrt(zws)"),
        (r"\left\{ x \right.", r"lr(\{ x )"),
        ("a, b; c / d", r"a comma b \; c \/ d"),
    ],
)
def test_formulas_in_typsts_words(latex: str, typst: str) -> None:
    assert typst_math(latex) == typst


@pytest.mark.parametrize(
    "latex",
    [r"\input{x}", "#read", r"\frac{1", "x}", "^2", r"\text{a\b}", r"\left( x", r"\begin{matrix}1", "{" * 20, "é", " "],
)
def test_what_is_no_formula_is_refused(latex: str) -> None:
    with pytest.raises(FormulaError):
        typst_math(latex)


@pytest.mark.parametrize(
    ("latex", "words"),
    [
        ("x^3 - 1", "x cubed minus 1"),
        (r"\frac{a}{2}", "a over 2"),
        (r"\sqrt{x} \approx 1.4", "the square root of x is about 1.4"),
        (r"e^{10} \leq \pi", "e to the power of 10 is at most pi"),
        ("x_1", "x sub 1"),
    ],
)
def test_short_formulas_are_read(latex: str, words: str) -> None:
    assert spoken_math(latex) == words


def test_front_matter_has_the_names_of_the_request() -> None:
    front = "# how it looks\ntheme: paper\nformat: tiktok\nvoice: {speed: 1.2}\nlanguage: en-GB\ntitle: Tides"
    source = f"---\n{front}\n---\nHello there."
    read = request(source)
    assert read.script is not None
    assert (read.theme, read.video.preset, read.voice.speed) == ("paper", "tiktok", 1.2)
    assert (read.script.language, read.script.title) == ("en-GB", "Tides")
    assert request(source, theme="ember").theme == "ember"


@pytest.mark.parametrize(
    ("front", "message"),
    [
        ("them: paper", "line 2: there is no setting 'them'"),
        ("theme: paper\nwebhook: {}", "line 3: there is no setting 'webhook'"),
        ("theme: nope", "there is no theme 'nope'"),
        ("captions: {style: neon}", "captions.style"),
        ("theme: [", "line 2: the front matter is no YAML"),
        ("theme: &a paper\ntitle: *a", "aliases are not allowed"),
        ("theme: " + "x" * 11_000, "more than 10000 characters"),
        ("brand: {colors: ['#202020']}", "4.5:1 is needed"),
        ("opening: !!bool x", "tags are not allowed"),
        ("theme: " + "[" * 5_000, "nested too deep"),
        ("theme: paper\ntheme: ember", "line 2: 'theme' is set twice"),
        ("format: tiktok\nvideo: x", "video"),
        ("title: [a]", "line 2: title is a text"),
        ("captions: !!python/object:os.system {}", "tags are not allowed"),
    ],
)
def test_front_matter_that_is_wrong_is_refused(front: str, message: str) -> None:
    with pytest.raises(RequestRefused, match=message.replace("[", r"\[")):
        request(f"---\n{front}\n---\nHello there.")


@pytest.mark.parametrize(
    "source",
    ["\ufeff---\ntheme: paper\n---\nHi.", "\n---\n\ntheme: paper\n---\nHi.", "---\r\ntheme: paper\r\n---\r\nHi."],
)
def test_front_matter_is_found_as_editors_save_it(source: str) -> None:
    assert request(source).theme == "paper"


def test_front_matter_without_an_end_is_refused_instead_of_narrated() -> None:
    with pytest.raises(RequestRefused, match="line 1: the front matter has no end"):
        request("---\ntheme: paper\n\nHello.")


def test_values_of_front_matter_are_what_is_written() -> None:
    script = request("---\nlanguage: no\ntitle: 12:30\n---\nHei.").script
    assert script is not None
    assert (script.language, script.title) == ("no", "12:30")


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Cost ($) and price ($) rise.", "Cost ($) and price ($) rise."),
        ("$HOME/$USER is set.", "$HOME/$USER is set."),
        ("We know $x$.", "We know x."),
        ("这是**重要**的。", "这是重要的。"),
        ("un**believ**able", "unbelievable"),
        ("- [ ] open\n- [x] done", "open. done."),
        ("See [the docs][d].\n\n[d]: https://example.org", "See the docs."),
        ("<!--\nnote\n\n```py\nx\n```\n-->\n\nWords.", "Words."),
    ],
)  # fmt: skip
def test_what_looks_like_markup_is_told_from_it(written: str, spoken: str) -> None:
    assert spoken_text(parse_script(written).scenes[0]) == spoken


@pytest.mark.parametrize(
    ("cell", "value"),
    [("1,234", 1234), ("1.234,5", 1234.5), ("1,234.5", 1234.5), ("0,125", 0.125), ("-$5", -5), ("−3 %", -3)],
)
def test_numbers_of_charts_are_read_as_they_are_written(cell: str, value: float) -> None:
    (chart,) = blocks(f"| a | b |\n| - | - |\n| x | {cell} |\n\n{{chart=column}}")
    assert isinstance(chart, ChartBlock)
    assert chart.series[0].values == [value]


def test_a_table_has_its_header_whatever_is_in_it() -> None:
    (chart,) = blocks("| Country | 2023 | 2024 |\n| - | - | - |\n| DE | 5 | 7 |\n\n{chart=column}")
    assert isinstance(chart, ChartBlock)
    assert ([one.name for one in chart.series], chart.labels) == (["2023", "2024"], ["DE"])


@pytest.mark.parametrize("source", ["```a b" + " " * 5_000 + "x\na\n```", "<!-- " * 20_000, "1," * 2_500, "{" * 3_000])
def test_nothing_is_chewed_on_for_long(source: str) -> None:
    with suppress(RequestRefused):
        request(f"Words.\n\n{source}")


@pytest.mark.parametrize("source", ["---\nHello there.\n---\nMore.", "---\n\nHello.", "--- \nNo end: of it"])
def test_a_film_may_begin_with_a_rule(source: str) -> None:
    assert request(source).theme == "midnight"


def test_a_formula_in_json_is_checked_when_it_comes() -> None:
    scenes = [{"narration": "Look.", "blocks": [{"kind": "formula", "latex": r"\foo"}]}]
    with pytest.raises(RequestRefused, match=r"script\.scenes\[0\]\.blocks\[0\]\.latex: the command"):
        read_request(json.dumps({"script": {"scenes": scenes}}).encode())


def test_the_transcript_has_all_that_is_said_and_shown() -> None:
    script = parse_script(
        f"# <T>\n\n## One & two\n\n![A chart]({ASSET})\n\nWords.\n\n1. a\n2. b\n\n> q\n> — W\n\n```\nif a < b\n```\n\n"
        "| h |\n| - |\n| c |\n\n```chart\nx, 5 %\n```\n\n$$\nE\n$$\n\nIt is 40 now. {big}\n"
    )
    text, page = as_text(script, script.title), as_html(script, script.title)
    assert text.split("\n\n") == [
        "<T>", "## One & two", "[A chart]", "Words.", "1. a\n2. b", "“q”\n— W", "if a < b", "h\nc", "x | 5%", "E",
        "It is 40 now.\n",
    ]  # fmt: skip
    assert "<h1>&lt;T&gt;</h1>" in page
    assert "<ol><li>a</li><li>b</li></ol>" in page
    assert "if a &lt; b" in page
    assert "<script" not in page
    assert 'dir="rtl"' in as_html(Script(language="ar", scenes=script.scenes), "x")
