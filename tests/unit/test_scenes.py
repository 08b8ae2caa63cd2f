"""Designed scenes: laid out whole and legibly, every part revealed with its words."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from picturelock import themes
from picturelock.composition.scenes.backgrounds import panorama
from picturelock.composition.scenes.reveals import EARLY_SECONDS, Clock, Moment, moments
from picturelock.composition.scenes.typesetter import DrawnPart, Page, Typesetter
from picturelock.errors import InvalidRequest, InvalidScript
from picturelock.models import Scene, VideoFormat, VideoOptions, Word
from picturelock.models.blocks import (
    Block,
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
from picturelock.models.request import Brand
from picturelock.presets import resolve
from picturelock.script.spoken import spoken_text
from picturelock.script.words import split_words
from picturelock.text.ass import CaptionLook

SIZES = [(1280, 720), (720, 1280), (720, 720), (320, 180)]
TWO = [Series(name="One", values=[1, -2, 3]), Series(name="Two", values=[2, 1, 0])]
BLOCKS: dict[str, Block] = {
    "list": ListBlock(items=["Red light passes.", "Green light is scattered.", "Blue light is scattered most of all."]),
    "numbered": ListBlock(items=["First", "Second"], ordered=True),
    "quote": QuoteBlock(text="The sunset is only the noon sky, seen from the side.", author="Lord Rayleigh"),
    "number": NumberBlock(value="40×", text="The way through the air is 40× as long."),
    "code": CodeBlock(code="def add(a, b):\n    return a + b", language="python"),
    "lines": CodeBlock(code="a = 1\nb = 2\nc = 3", highlight=["1", "2-3"]),
    "table": TableBlock(header=["Year", "Revenue"], rows=[["2024", "1.2"], ["2025", "1.8"]]),
    "column": ChartBlock(chart="column", labels=["a", "b", "c"], series=TWO, prefix="€"),
    "bar": ChartBlock(chart="bar", labels=["a", "b", "c"], series=[Series(values=[3, 2, 1])], unit="%"),
    "line": ChartBlock(chart="line", labels=["a", "b", "c"], series=TWO),
    "pie": ChartBlock(chart="pie", labels=["a", "b", "c"], series=[Series(values=[3, 2, 1])]),
    "formula": FormulaBlock(latex=r"\frac{1}{2} m v^2"),
}  # fmt: skip
ROLES = {
    "list": ["item"] * 3, "numbered": ["item"] * 2, "quote": ["quote"], "number": ["number"], "code": ["code"],
    "lines": ["panel", "line", "line", "line"], "table": ["row"] * 3, "bar": ["axis", *["bar", "value"] * 3],
    "line": ["axis", "legend", "plot"], "pie": ["pie", "legend"], "formula": ["formula"],
    "column": ["axis", "legend", *["column", "value"] * 2, "deficit", "value", *["column", "value"] * 3],
}  # fmt: skip


def video(size: tuple[int, int]) -> VideoFormat:
    return resolve(VideoOptions(width=size[0], height=size[1]))


def drawn(
    page: Page, size: tuple[int, int] = (1280, 720), theme: str = "midnight", language: str = "en"
) -> list[DrawnPart]:
    look = CaptionLook.of(*size)
    foot = look.bottom + round(3.6 * look.em)
    return Typesetter(video(size), language, themes.theme_of(theme, None), foot).draw(page)


def box(part: DrawnPart) -> tuple[int, int, int, int]:
    return part.y, part.y + part.pixels.shape[0], part.x, part.x + part.pixels.shape[1]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", BLOCKS)
def test_every_block_is_whole_above_the_captions(name: str, size: tuple[int, int]) -> None:
    parts = drawn(Page("card", "A headline", "The film", blocks=(BLOCKS[name],)), size)
    look = CaptionLook.of(*size)
    for part in parts:
        top, bottom, left, right = box(part)
        assert top > 0
        assert bottom < size[1] - look.bottom - 2 * look.em
        assert left > size[0] * 0.05
        assert right < size[0] * 0.95
        assert part.x % 2 == part.y % 2 == part.pixels.shape[0] % 2 == part.pixels.shape[1] % 2 == 0
    roles = [part.role for part in parts if part.block == 0]
    assert sorted(roles) == sorted(ROLES[name])


@pytest.mark.parametrize("name", BLOCKS)
def test_no_two_parts_share_ink(name: str) -> None:
    """What lies under others on purpose (a panel, the axes) is let out."""
    parts = drawn(Page("card", "A headline", "The film", blocks=(BLOCKS[name],)))
    for one, other in combinations([part for part in parts if part.role not in {"panel", "axis"}], 2):
        ink = np.zeros((720, 1280), np.uint8)
        for part in (one, other):
            top, bottom, left, right = box(part)
            ink[top:bottom, left:right] += (part.pixels[..., 3] > 100).astype(np.uint8)
        assert ink.max() <= 1, (one.role, other.role)


@pytest.mark.parametrize(
    ("block", "what"),
    [
        (CodeBlock(line=7, code="x" * 88), "code"),
        (ListBlock(line=7, items=["word " * 58] * 8), "list"),
        (TableBlock(line=7, header=["a" * 60] * 6, rows=[["b" * 60] * 6]), "table"),
        (ChartBlock(line=7, labels=["a"] * 12, series=[Series(values=[1_234_567.0] * 12)], prefix="US$"), "chart"),
        (ChartBlock(line=7, chart="column", labels=["l" * 40] * 12, series=[Series(values=[1] * 12)]), "chart"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_line(block: Block, what: str) -> None:
    with pytest.raises(InvalidScript, match=rf"line 7: .*{what}.*720x1280 legibly") as caught:
        drawn(Page("card", "A headline", blocks=(block,)), (720, 1280))
    assert caught.value.field == "script"


def test_long_labels_of_a_pie_are_all_there() -> None:
    labels = ["Renewable energy such as wind and solar", "Natural gas and other fossil fuels", "Nuclear"]
    pie = ChartBlock(chart="pie", labels=labels, series=[Series(values=[3, 2, 1])])
    (legend,) = [part for part in drawn(Page("card", "Energy", blocks=(pie,)), (720, 720)) if part.role == "legend"]
    rows = np.flatnonzero(legend.pixels[..., 3].any(axis=1))
    lines = 1 + int((np.diff(rows) > 1).sum())
    assert lines >= 5


@pytest.mark.parametrize(
    "latex",
    [r"\left\{x\right.", r"{}_2F_1", r"\frac{(}{)}", r"\vec{}", r"f(x) = [a; b)", r"\begin{pmatrix}(&]\end{pmatrix}"],
)
def test_every_formula_that_is_taken_is_drawn(latex: str) -> None:
    assert drawn(Page("card", "", blocks=(FormulaBlock(latex=latex),)))


def test_texts_are_data_and_never_code() -> None:
    nasty = '#panic("x") $ \\ ] } // /* #read("layouts.typ") @a <b> *c* _d_ `e`'
    blocks = (ListBlock(items=[nasty]), TableBlock(header=[nasty[:70]], rows=[["$1"]]), CodeBlock(code=nasty[:80]))
    assert drawn(Page("card", nasty[:100], nasty[:60], blocks=blocks))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ar", "المد والجزر يتبعان القمر"),
        ("he", "הגאות והשפל"),
        ("ja", "月が海を引く"),
        ("hi", "समुद्र शांत है"),
        ("th", "ทะเลสงบ"),
    ],
)
def test_every_script_is_laid_out_on_its_side(language: str, text: str) -> None:
    parts = {
        part.role: part
        for part in drawn(Page("card", text, text[:5], blocks=(ListBlock(items=[text]),)), language=language)
    }
    middle = {role: part.x + part.pixels.shape[1] / 2 for role, part in parts.items()}
    for role in ("title", "kicker", "item"):
        assert (middle[role] > 640) == (language in {"ar", "he"}), role


def test_a_bold_headline_is_bolder_than_plain_text() -> None:
    """A variable font whose weight is ignored draws everything alike."""

    def ink(role: str) -> float:
        part = next(part for part in drawn(Page("centred", "Sea", subtitle="Sea")) if part.role == role)
        alpha = part.pixels[..., 3].astype(float) / 255
        return float(alpha.sum() / (part.pixels.shape[0] * part.pixels.shape[1]))

    assert ink("title") > 1.2 * ink("subtitle")


def words_of(text: str, seconds: float = 0.5) -> list[Word]:
    return [
        Word(text=word.text, start_seconds=number * seconds, end_seconds=(number + 0.8) * seconds, joined=word.joined)
        for number, word in enumerate(split_words(text))
    ]


def times(scene: Scene, *, opening: bool = False) -> dict[tuple[str, int | None, int], Moment]:
    """The moments of a scene's parts at 30 frames a second; a word each half second, from frame 20 on."""
    words = words_of(spoken_text(scene))
    clock = Clock(words, 20, 20 + 15 * len(words) + 40, 30)
    parts = drawn(Page("card", scene.title or "", "Film", blocks=tuple(scene.blocks)))
    found = moments(scene, parts, clock, opening=opening, brief=False)
    return {(part.role, part.block, part.index): moment for part, moment in zip(parts, found, strict=True)}


def at_word(number: int) -> int:
    return 20 + 15 * number - round(EARLY_SECONDS * 30)


def test_each_item_enters_with_its_first_word_and_dims_with_the_next() -> None:
    scene = Scene(narration="Two colours here.", title="Sky", blocks=[ListBlock(items=["Red light", "Blue"])])
    found = times(scene)
    assert found["item", 0, 0].enter_frame == at_word(3)
    assert found["item", 0, 1].enter_frame == at_word(5)
    assert [(level.frame, level.opacity) for level in found["item", 0, 0].levels] == [(20 + 75, themes.DIMMED)]
    assert found["item", 0, 1].levels == ()
    assert found["title", None, 0].enter == "none"
    assert times(scene, opening=True)["title", None, 0].enter == "fade"


def test_what_is_not_spoken_enters_with_what_follows_it() -> None:
    scene = Scene(narration="Look here now.", blocks=[BLOCKS["formula"], TextBlock(text="That is it.")])
    assert times(scene)["formula", 0, 0].enter_frame == at_word(3)
    last = Scene(narration="Look here now.", blocks=[BLOCKS["formula"]])
    assert times(last)["formula", 0, 0].enter_frame == at_word(0)


def test_lines_of_code_stand_out_one_step_after_the_other() -> None:
    scene = Scene(blocks=[BLOCKS["lines"], TextBlock(text="One two three four.")])
    found = times(scene)
    first, second, third = ([(level.frame, level.opacity) for level in found["line", 0, n].levels] for n in range(3))
    end = 20 + round((3 + 0.8) * 0.5 * 30)
    half = 20 + (end - 20) // 2
    assert first == [(20, 1.0), (half, themes.DIMMED), (end, 1.0)]
    assert second == third == [(20, themes.DIMMED), (half, 1.0)]


def test_bars_grow_one_after_the_other() -> None:
    found = times(Scene(narration="Look here.", blocks=[BLOCKS["bar"]]))
    starts = [found["bar", 0, place].enter_frame for place in range(3)]
    assert starts == sorted(set(starts))
    assert {found["bar", 0, place].enter for place in range(3)} == {"grow-right"}
    assert all(found["value", 0, place].enter_frame > starts[place] for place in range(3))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["One.", "Two words", "Three of them!", "水は遠い"]), min_size=1, max_size=5))
def test_every_part_enters_within_its_scene(items: list[str]) -> None:
    scene = Scene(blocks=[ListBlock(items=items)])
    for moment in times(scene).values():
        assert 0 <= moment.enter_frame < 20 + 15 * len(split_words(spoken_text(scene))) + 40


@pytest.mark.parametrize("name", ["midnight", "forest", "ember", "slate", "paper", "daylight"])
def test_a_background_keeps_the_contrast_that_was_promised(name: str) -> None:
    theme = themes.theme_of(name, None)
    picture = panorama(theme, 320, 180)
    assert picture.shape == (180, 640, 3)
    extreme = picture.reshape(-1, 3).max(axis=0) if theme.dark else picture.reshape(-1, 3).min(axis=0)
    ground = "#" + "".join(f"{int(value):02x}" for value in extreme)
    for text in (theme.text, theme.muted, theme.accent):
        assert themes.contrast(text, ground) >= themes.LEAST_CONTRAST
    assert float(np.abs(np.diff(picture[:, ::7].astype(float), axis=1)).mean()) > 0.3, "something has to move"


def test_a_theme_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ValueError, match=r"contrast of 1\.\d:1"):
        themes.Theme("dim", ("#202020", "#101010"), "#303030", "#ffffff", "#ffffff", "#000000", ("#ffffff",))
    with pytest.raises(InvalidRequest, match=r"#202020 on .*4\.5:1 is needed") as caught:
        themes.theme_of("midnight", Brand(colors=["#202020"]))
    assert caught.value.field == "brand.colors"
    with pytest.raises(InvalidRequest, match="there is no theme 'nope'; installed: daylight, ember"):
        themes.theme_of("nope", None)


def test_a_brand_has_its_colours_and_texts_that_fit_them() -> None:
    light = themes.theme_of("midnight", Brand(colors=["#7a1020", "#fff4e0"]))
    dark = themes.theme_of("paper", Brand(colors=["#ffcc00", "#101820", "#ff0000"]))
    assert (light.accent, light.backgrounds[0], light.dark) == ("#7a1020", "#fff4e0", False)
    assert (dark.accent, dark.backgrounds[0], dark.dark, dark.series[1]) == ("#ffcc00", "#101820", True, "#ff0000")
