"""No sign is ever drawn as something else without a word."""

import pytest

from picturelock.errors import GlyphMissing
from picturelock.media import fonts


@pytest.mark.parametrize(
    "text", ["Hello wörld", "水はどこ", "مرحبا", "नमस्ते", "😀 ❤️ 👍🏽", "1️⃣", "👨‍👩‍👧", "© 2024 ™ → ✓", "ạ́", "שלום"]
)
def test_bundled_fonts_draw_the_worlds_scripts(text: str) -> None:
    assert fonts.drawable_text(text) == (text, [])


def test_what_no_font_has_is_named() -> None:
    with pytest.raises(GlyphMissing, match=r"U\+13000"):
        fonts.drawable_text("a 𓀀 b")


def test_an_emoji_that_cannot_be_formed_becomes_its_first_part_with_a_word() -> None:
    text, warnings = fonts.drawable_text("😀‍🦷")
    assert text == "😀"
    assert len(warnings) == 1
