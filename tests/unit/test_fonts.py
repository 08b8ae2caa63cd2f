"""No sign is ever drawn as something else without a word."""

import os
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from picturelock.errors import GlyphMissing
from picturelock.ffmpeg.tools import ffmpeg_path
from picturelock.text import fonts
from picturelock.text.ass import LINE_HEIGHT, document, escape
from picturelock.text.fonts import FAMILY, face_of, font_environment


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


@pytest.mark.parametrize("letter", ["H", "ا", "क", "ก", "ם", "က"])
async def test_every_script_is_drawn_at_the_size_that_was_asked_for(letter: str, scratch: Path) -> None:
    """libass makes a face smaller the higher its lines are: Arabic would be drawn at less than two thirds."""
    face = face_of(letter, "en")
    extents = face.font.get_glyph_extents(face.font.get_nominal_glyph(ord(letter)))
    mask = drawn_by_libass(letter, 200, scratch)
    height = np.ptp(np.flatnonzero((mask > 100).any(axis=1))) + 1
    wanted = abs(extents.height) / face.font.face.upem * 200 * face.scale
    assert height == pytest.approx(wanted, rel=0.02)


def drawn_by_libass(text: str, em: int, scratch: Path) -> npt.NDArray[np.uint8]:
    """White letters without an edge on black, shape (600, 600)."""
    style = f"Style: T,{FAMILY},{em * LINE_HEIGHT:.1f},&HFFFFFF,&HFFFFFF,0,0,0,0,0,0,100,100,0,0,1,0,0,5,0,0,0,-1"
    script = document(600, 600, [style], [f"Dialogue: 0,0:00:00.00,0:00:09.00,T,,0,0,0,,{escape(text)}"])
    path = scratch / "text.ass"
    path.write_text(script, encoding="utf-8")
    command = [ffmpeg_path(), "-v", "error", "-f", "lavfi", "-i", "color=black:s=600x600:r=1:d=1", "-vf", f"ass={path}"]
    command += ["-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"]
    done = subprocess.run(command, capture_output=True, check=True, env={**os.environ, **font_environment(scratch)})
    return np.frombuffer(done.stdout, np.uint8).reshape(600, 600)


def test_a_space_is_as_wide_as_the_letters_make_it() -> None:
    assert escape("a 😀 b") == r"a {\fnNoto Emoji\fscx92.6\fscy92.6}😀{\fn\fscx\fscy} b"
    assert escape("مد جزر").count(r"\fnNoto Sans Arabic") == 1
