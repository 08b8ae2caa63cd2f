"""Text as libass draws it: measured, escaped, and written as ASS with times in whole frames."""

import math
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from picturelock.errors import GlyphMissing
from picturelock.models import CaptionSpec, Cue, Word
from picturelock.models.request import CaptionStyle
from picturelock.script.words import join_words
from picturelock.text.fonts import EMOJI_FAMILY, FAMILY, Face, advance, clusters, face_of

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
    """Where captions stand and how large they are in a frame of a given size, in pixels."""

    em: float
    bottom: int
    side: int
    """What is free at the left and at the right at least."""

    max_width: float

    @classmethod
    def of(cls, width: int, height: int, style: CaptionStyle = "clean") -> "CaptionLook":
        """Captions scale with the shorter side.

        Upright films are seen on phones: letters of 6 % of the width, above and beside what the platforms lay over
        them (a quarter of the height, an eighth of the width).
        """
        upright = width < height
        em = width * 0.062 if upright else min(width, height) * 0.044
        bottom = math.ceil(height * (0.245 if upright else 0.065))
        side = math.ceil(width * (0.12 if upright else 0.1))
        if style == "pop":
            em, bottom = em * (1.5 if upright else 1.8), round(height * (0.27 if upright else 0.1))
        return cls(em=em, bottom=bottom, side=side, max_width=float(width - 2 * side))


_BOX: Final = "&HFF000000,&H48101014,-1,0,0,0,100,100,0,0,4,0"
"""Border style 4: one box behind the whole caption, padded by the shadow's width."""


def caption_document(cues: list[Cue], captions: CaptionSpec, size: tuple[int, int], fps: int, language: str) -> str:
    """The captions of a segment (cue times relative to its first frame, on frame boundaries).

    What stands over a bright ground gets a box, whatever the style: white letters would be an outline drawing there.
    """
    width, height = size
    look = CaptionLook.of(width, height, captions.style)
    outline = look.em * (0.1 if captions.style == "pop" else 0.06)
    edge = f"&H20101014,&H90000000,-1,0,0,0,100,100,0,0,1,{outline:.1f},{outline * 0.6:.1f}"
    box = f"{_BOX},{look.em * 0.36:.1f}"
    styles = [
        f"Style: {name},{FAMILY},{look.em * LINE_HEIGHT:.1f},&H00FFFFFF,&H00FFFFFF,{drawn},2,"
        f"{look.side // 2},{look.side // 2},{look.bottom},-1"
        for name, drawn in (("Caption", edge), ("Boxed", box))
    ]
    events = []
    for cue in cues:
        name = "Boxed" if captions.style == "boxed" or cue.bright else "Caption"
        for part in _parts(cue, captions.style, look, fps):
            lines = (_drawn(line, part.spoken.get(number), language) for number, line in enumerate(part.lines))
            times = f"{ass_time(part.start, fps)},{ass_time(part.end, fps)}"
            enter = _POP if captions.style == "pop" else ""
            events.append(f"Dialogue: 0,{times},{name},,0,0,0,,{enter}" + "\\N".join(lines))
    return document(width, height, styles, events)


_POP: Final = r"{\fscx84\fscy84\t(0,80,\fscx100\fscy100)}"
_POP_WORDS: Final = 3


def _parts(cue: Cue, style: CaptionStyle, look: CaptionLook, fps: int) -> "list[_Shown]":
    match style:
        case "karaoke":
            return _by_word(cue, fps)
        case "pop":
            return _popping(cue, look, fps)
    return _whole(cue, fps)


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


def _popping(cue: Cue, look: CaptionLook, fps: int) -> list[_Shown]:
    """The cue's words a few at a time, in capitals, each group from its first word on to the next group's."""
    groups: list[list[Word]] = []
    for word in cue.words:
        group = [*groups[-1], word] if groups else [word]
        wide = text_width(join_words(group).upper(), look.em) > look.max_width
        if not groups or len(group) > _POP_WORDS or wide or groups[-1][-1].text[-1] in ".!?…。！？":
            groups.append([word])
        else:
            groups[-1].append(word)
    first, last = round(cue.start_seconds * fps), round(cue.end_seconds * fps)
    starts = [min(max(round(group[0].start_seconds * fps), first), last) for group in groups]
    begins = [first, *list(accumulate(starts, max))[1:], last]
    texts = [join_words(group).upper().rstrip(",;:.") for group in groups]
    shown = zip(texts, begins, begins[1:], strict=False)
    return [_Shown(start, end, [text], {}) for text, start, end in shown if start < end and text]


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
