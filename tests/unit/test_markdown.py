"""Markdown is read, never spoken."""

import pytest

from picturelock.errors import InvalidScript
from picturelock.models.blocks import CodeBlock, ListBlock
from picturelock.script import markdown, plain
from picturelock.script.markdown import parse_script
from picturelock.script.plain import plain_text
from picturelock.script.spoken import spoken_text


@pytest.fixture(autouse=True)
def fresh_parsers() -> None:
    """Each test makes its parsers anew: what a parser was made of is under test, too."""
    plain.inline_parser.cache_clear()
    plain._text_parser.cache_clear()
    markdown._block_parser.cache_clear()


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Some **bold** and _soft_ words", "Some bold and soft words"),
        ("`code` and ~~gone~~ text", "code and gone text"),
        ("A [link](https://example.org) here", "A link here"),
        ("## A heading\n- an item\n> a quote", "A heading an item a quote"),
        ("---\nAfter the rule", "After the rule"),
        ("snake_case_stays 2 * 3 * 4", "snake_case_stays 2 * 3 * 4"),
        ("2*3*4 is __init__ and *this* is soft", "2*3*4 is __init__ and this is soft"),
        ("- 5 degrees outside", "- 5 degrees outside"),
        ("1986. That was the year.", "1986. That was the year."),
        (r"C:\new \N {x} 100% R&amp;D <b>", r"C:\new \N {x} 100% R&amp;D <b>"),
        ("“quotes”: 'single', \"double\"", "“quotes”: 'single', \"double\""),
        ("emoji 👨‍👩‍👧 1️⃣ 水 مرحبا", "emoji 👨‍👩‍👧 1️⃣ 水 مرحبا"),
    ],
)
def test_only_certain_markup_is_removed(written: str, spoken: str) -> None:
    assert plain_text(written) == spoken


def test_headings_rules_and_paragraphs_make_scenes() -> None:
    script = parse_script("# Film\n\nOpening words.\n\n## One\nFirst *line*.\nSecond line.\n\n---\n\nNo title here.")
    assert script.title == "Film"
    assert [(scene.title, scene.narration) for scene in script.scenes] == [
        (None, "Opening words."),
        ("One", "First line. Second line."),
        (None, "No title here."),
    ]


def test_a_rule_under_a_paragraph_makes_no_heading_of_it() -> None:
    script = parse_script("Intro text here.\n---\nMore text.")
    assert [scene.narration for scene in script.scenes] == ["Intro text here.", "More text."]


def test_items_of_a_list_are_sentences_and_their_numbers_are_shown() -> None:
    (scene,) = parse_script("## Steps\n1. Take a cup\n2. Fill it.").scenes
    assert scene.blocks == [ListBlock(line=2, items=["Take a cup", "Fill it."], ordered=True)]
    assert spoken_text(scene) == "Take a cup. Fill it."


def test_a_sentence_that_begins_with_a_year_is_no_list() -> None:
    assert parse_script("1986. That was the year.").scenes[0].narration == "1986. That was the year."


def test_a_picture_belongs_to_its_scene() -> None:
    asset = "sha256-" + "b" * 64
    script = parse_script(f"## One\n![sea]({asset})\n\nThe sea.")
    visual = script.scenes[0].visual
    assert visual is not None
    assert (visual.kind, visual.asset_id) == ("image", asset)


@pytest.mark.parametrize("source", ["[" * 100_000, "[a](" * 90_000, "![" * 5_000, "a" * 500_000, "*a _b " * 20_000])
def test_what_no_parser_should_chew_on_is_refused(source: str) -> None:
    """Inline markup takes time that grows with the square of a paragraph."""
    with pytest.raises(InvalidScript, match="more than"):
        parse_script(source)


def test_every_kind_of_block_is_read_as_what_it_is() -> None:
    text = """# A film

Opening  words
on two lines\\
and three.

## A list

3. third
4. fourth

- dash

## Code

What it does.

```python
fenced   code
```

---

![](sha256-{asset})

After a *break*, with <b>tags</b>, R&amp;D, C:\\new and ~~struck~~ words.
"""
    asset = "0" * 64
    script = parse_script(text.replace("{asset}", asset))
    assert script.title == "A film"
    assert [(scene.title, spoken_text(scene)) for scene in script.scenes] == [
        (None, "Opening words on two lines\\ and three."),
        ("A list", "third. fourth. dash."),
        ("Code", "What it does."),
        (None, "After a break, with <b>tags</b>, R&amp;D, C:\\new and struck words."),
    ]
    assert CodeBlock(line=18, code="fenced   code", language="python") in script.scenes[2].blocks
    assert [scene.visual.asset_id if scene.visual else None for scene in script.scenes][-1] == f"sha256-{asset}"
