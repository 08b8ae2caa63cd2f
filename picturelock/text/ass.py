"""Text as libass draws it: measured, escaped, and written as ASS with times in whole frames."""

from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import numpy as np
import numpy.typing as npt

from picturelock.errors import GlyphMissing
from picturelock.models import CaptionSpec, Cue
from picturelock.text.fonts import EMOJI_FAMILY, FAMILY, Face, advance, clusters, face_of

Mask = npt.NDArray[np.uint8]
"""How much of each pixel a text covers, 0 to 255, shape (height, width)."""

LINE_HEIGHT: Final = 1.519
"""Ascent plus descent of Noto Sans in ems. ASS sizes count from line to line, as VSFilter's did."""

BOLD_WIDTH: Final = 1.07
"""How much wider bold Noto Sans runs than regular, at most."""

_STYLE_FORMAT: Final = (
    "Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, "
    "Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, "
    "MarginR, MarginV, Encoding"
)
_SPOKEN: Final = "&H4CC8FF&"
"""Amber: the colour of the word that is being spoken, as ASS writes it (blue, green, red)."""

_FONT_MISSING: Final = "fontselect: failed to find"


def text_width(text: str, em: float, *, bold: bool = True) -> float:
    """Width in pixels of one line at `em` pixels to the em; an upper bound for bold text."""
    return sum(advance(cluster) for cluster in clusters(text)) * em * (BOLD_WIDTH if bold else 1.0)


def escape(text: str, language: str = "en") -> str:
    r"""One line of plain text for an ASS event: braces open no override, `\N` breaks no line, emoji get their font."""
    parts: list[str] = []
    for face, run in _runs(" ".join(text.split()), language):
        # A word joiner keeps the letter after a backslash from becoming a command.
        characters = [
            "\\" + character if character in "{}" else "\\\u2060" if character == "\\" else character
            for character in run
        ]
        drawn = "".join(characters)
        percent = round(100 * face.scale * face.line_height / LINE_HEIGHT, 1)
        scaled = f"{{\\fn{face.family}\\fscx{percent:g}\\fscy{percent:g}}}{drawn}{{\\fn\\fscx\\fscy}}"
        parts.append(drawn if face.family == FAMILY else scaled)
    return "".join(parts)


def _runs(text: str, language: str) -> list[tuple[Face, str]]:
    """The text cut where the face changes; a space belongs to the letters before it.

    libass would find the faces by itself, at sizes that differ by half: each face's own line height is its size.
    """
    runs: list[tuple[Face, str]] = []
    for cluster in clusters(text):
        letters = bool(runs) and runs[-1][0].family != EMOJI_FAMILY
        face = runs[-1][0] if letters and cluster.isspace() else face_of(cluster, language)
        if runs and runs[-1][0] == face:
            runs[-1] = (face, runs[-1][1] + cluster)
        else:
            runs.append((face, cluster))
    return runs


def line_height(text: str, language: str) -> float:
    """How high a line of a text is, in ems: its highest face decides."""
    return max([face.scale * face.line_height for face, _ in _runs(text, language)], default=LINE_HEIGHT)


def ass_time(frame: int, fps: int) -> str:
    """The start of a frame as ASS time: half a frame early, so that 10 ms units cannot miss it."""
    hundredths = max(0, round((frame - 0.5) / fps * 100))
    seconds, cents = divmod(hundredths, 100)
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{cents:02d}"


def document(width: int, height: int, styles: list[str], events: list[str]) -> str:
    """An ASS file in the frame's own pixels."""
    return "\n".join(
        [
            "[Script Info]",
            "ScriptType: v4.00+",
            f"PlayResX: {width}",
            f"PlayResY: {height}",
            "WrapStyle: 2",
            "ScaledBorderAndShadow: yes",
            "YCbCr Matrix: TV.709",
            "",
            "[V4+ Styles]",
            _STYLE_FORMAT,
            *styles,
            "",
            "[Events]",
            "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text",
            *events,
            "",
        ]
    )


@dataclass(frozen=True, slots=True)
class CaptionLook:
    """Where captions stand and how large they are in a frame of a given size."""

    em: float
    bottom: int
    max_width: float

    @classmethod
    def of(cls, width: int, height: int) -> "CaptionLook":
        """Captions scale with the shorter side; upright films keep clear of the platforms' buttons."""
        em = min(width, height) * (0.0395 if width >= height else 0.045)
        return cls(em=em, bottom=round(height * (0.065 if width >= height else 0.16)), max_width=width * 0.8)


def caption_document(cues: list[Cue], captions: CaptionSpec, size: tuple[int, int], fps: int, language: str) -> str:
    """The captions of a segment (cue times relative to its first frame, on frame boundaries)."""
    width, height = size
    look = CaptionLook.of(width, height)
    outline = look.em * 0.06
    if captions.style == "boxed":  # border style 4: one box behind the whole caption, padded by the shadow's width
        edge = f"&HFF000000,&H48101014,-1,0,0,0,100,100,0,0,4,0,{look.em * 0.36:.1f}"
    else:
        edge = f"&H20101014,&H90000000,-1,0,0,0,100,100,0,0,1,{outline:.1f},{outline * 0.6:.1f}"
    line = (
        f"Style: Caption,{FAMILY},{look.em * LINE_HEIGHT:.1f},&H00FFFFFF,&H00FFFFFF,{edge},2,"
        f"{round(width * 0.05)},{round(width * 0.05)},{look.bottom},-1"
    )
    events_of = _by_word if captions.style == "karaoke" else _whole
    shown = [event for cue in cues for event in events_of(cue, fps)]
    events = []
    for part in shown:
        text = "\\N".join(_drawn(line, part.spoken.get(number), language) for number, line in enumerate(part.lines))
        events.append(f"Dialogue: 0,{ass_time(part.start, fps)},{ass_time(part.end, fps)},Caption,,0,0,0,,{text}")
    return document(width, height, [line], events)


@dataclass(frozen=True, slots=True)
class _Shown:
    """A caption for a run of frames, and what of it is being spoken: line number -> where in the line."""

    start: int
    end: int
    lines: list[str]
    spoken: dict[int, tuple[int, int]]


def _whole(cue: Cue, fps: int) -> list[_Shown]:
    return [_Shown(round(cue.start_seconds * fps), round(cue.end_seconds * fps), cue.lines, {})]


def _by_word(cue: Cue, fps: int) -> list[_Shown]:
    """The cue once for each of its words, which stands out from its first sound to the next word's."""
    first, last = round(cue.start_seconds * fps), round(cue.end_seconds * fps)
    starts = [min(max(round(word.start_seconds * fps), first), last) for word in cue.words]
    begins = list(accumulate(starts, max))
    runs: list[_Shown] = [_Shown(first, begins[0] if begins else last, cue.lines, {})]
    for number, place in enumerate(_places(cue)):
        until = begins[number + 1] if number + 1 < len(begins) else last
        runs.append(_Shown(begins[number], until, cue.lines, {place[0]: place[1:]}))
    return [run for run in runs if run.start < run.end]


def _places(cue: Cue) -> list[tuple[int, int, int]]:
    """Where each word of a cue stands: line, first character, end."""
    places: list[tuple[int, int, int]] = []
    line = end = 0
    for word in cue.words:
        start = cue.lines[line].find(word.text, end)
        if start < 0 and line + 1 < len(cue.lines):
            line, start = line + 1, cue.lines[line + 1].find(word.text)
        if start < 0:
            raise ValueError(f"the word {word.text!r} is not in its caption")
        end = start + len(word.text)
        places.append((line, start, end))
    return places


def _drawn(line: str, spoken: tuple[int, int] | None, language: str) -> str:
    if spoken is None:
        return escape(line, language)
    start, end = spoken
    before, word, after = (
        _spaced(line[:start], language),
        escape(line[start:end], language),
        _spaced(line[end:], language),
    )
    return f"{before}{{\\1c{_SPOKEN}}}{word}{{\\1c}}{after}"


def _spaced(text: str, language: str) -> str:
    """Escaped, with the spaces at its ends that `escape` would fold away."""
    lead, trail = " " * text.startswith(" "), " " * (text.endswith(" ") and text.strip() != "")
    return f"{lead}{escape(text, language)}{trail}"


def check_fonts(stderr: str) -> None:
    """Raises GlyphMissing when libass said that it had no font for something."""
    for line in stderr.splitlines():
        if _FONT_MISSING in line:
            raise GlyphMissing("no bundled font can draw a character of the captions", detail=line.strip())
