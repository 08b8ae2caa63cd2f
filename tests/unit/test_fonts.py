"""No sign is ever drawn as something else without a word."""

from pathlib import Path

import numpy as np
import pytest

from picturelock.errors import GlyphMissing
from picturelock.text import fonts
from picturelock.text.ass import TextBlock, draw_mask, escape
from picturelock.text.fonts import face_of


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


@pytest.mark.parametrize("letter", ["H", "ا", "क", "ก", "ם", "က", "⭐"])
async def test_every_script_is_drawn_at_the_size_that_was_asked_for(letter: str, tmp_path: Path) -> None:
    """libass makes a face smaller the higher its lines are: Arabic would be drawn at less than two thirds."""
    face = face_of(letter, "en")
    extents = face.font.get_glyph_extents(face.font.get_nominal_glyph(ord(letter)))
    mask = await draw_mask(TextBlock((letter,), 200.0, bold=False), tmp_path)
    drawn = np.ptp(np.flatnonzero((mask > 100).any(axis=1))) + 1
    wanted = abs(extents.height) / face.font.face.upem * 200 * face.scale
    assert drawn == pytest.approx(wanted, rel=0.02)


def test_a_space_is_as_wide_as_the_letters_make_it() -> None:
    assert escape("a 😀 b") == r"a {\fnNoto Emoji\fscx92.6\fscy92.6}😀{\fn\fscx\fscy} b"
    assert escape("مد جزر").count(r"\fnNoto Sans Arabic") == 1
