"""Captions: words grouped into cues by grammar, cues broken into lines, and the two files players read.

Limits: two lines, 42 characters a line (16 in CJK), 80 % of the frame's width, a second at least where the scene has
room for it, never two at once.
"""

from collections.abc import Callable
from typing import Final

from picturelock.models import Cue, Word
from picturelock.speech.timing import is_wide

MAX_CHARACTERS: Final = 42
MAX_WIDE_CHARACTERS: Final = 16
MIN_SECONDS: Final = 1.0
MAX_SECONDS: Final = 6.0
_SENTENCE_ENDS: Final = (".", "!", "?", "…", "。", "！", "？", "؟", "।")
_CLAUSE_ENDS: Final = (",", ";", ":", "—", "–", "،", "、", "，", "；")
_CLOSERS: Final = "\"'”’)]»」』"

Fits = Callable[[str], bool]
"""Whether a line is narrow enough for the frame."""


def join_words(words: list[str]) -> str:
    """Words as a line: spaces between them, except between signs of full width."""
    line = ""
    for word in words:
        line += word if not line or (is_wide(word) and is_wide(line[-1])) else f" {word}"
    return line


def group(words: list[Word], end_seconds: float, fits: Fits) -> list[list[Word]]:
    """Splits a scene's words into cues, each of which fits two lines, at the best places for a reader.

    The cheapest split over all splits: a break costs nothing after a sentence, little after a clause, much inside
    one; cues that are very short, or run over a sentence's end, cost as well.
    """
    count = len(words)
    best: list[tuple[float, int]] = [(0.0, 0)] + [(float("inf"), 0)] * count
    for end in range(1, count + 1):
        for start in range(end - 1, -1, -1):
            if end - start > 1 and break_lines([word.text for word in words[start:end]], fits) is None:
                break
            until = words[end].start_seconds if end < count else end_seconds
            cost = best[start][0] + _cost(words[start:end], until)
            if cost < best[end][0]:
                best[end] = (cost, start)
    groups: list[list[Word]] = []
    at = count
    while at:
        start = best[at][1]
        groups.append(words[start:at])
        at = start
    return groups[::-1]


def _cost(words: list[Word], until: float) -> float:
    last = words[-1].text
    cost = 10.0
    if _ends(last, _SENTENCE_ENDS):
        cost = 0.0
    elif _ends(last, _CLAUSE_ENDS):
        cost = 3.0
    cost += 6.0 * sum(1 for word in words[:-1] if _ends(word.text, _SENTENCE_ENDS))
    seconds = until - words[0].start_seconds
    if seconds < MIN_SECONDS:
        cost += 20.0 * (MIN_SECONDS - seconds)
    if seconds > MAX_SECONDS:
        cost += 8.0 * (seconds - MAX_SECONDS)
    if len(words) == 1:
        cost += 4.0
    return cost + 1.0


def _ends(word: str, signs: tuple[str, ...]) -> bool:
    return word.rstrip(_CLOSERS).endswith(signs)


def break_lines(words: list[str], fits: Fits) -> list[str] | None:
    """One line, or the two most even ones; None when they do not fit. Prefers a break after punctuation."""
    whole = join_words(words)
    if _allowed(whole, fits):
        return [whole]
    best: tuple[float, list[str]] | None = None
    for cut in range(1, len(words)):
        lines = [join_words(words[:cut]), join_words(words[cut:])]
        if all(_allowed(line, fits) for line in lines):
            uneven = abs(len(lines[0]) - len(lines[1]))
            cost = uneven - (6 if _ends(words[cut - 1], _CLAUSE_ENDS + _SENTENCE_ENDS) else 0)
            if best is None or cost < best[0]:
                best = (cost, lines)
    return best[1] if best else None


def _allowed(line: str, fits: Fits) -> bool:
    wide = sum(1 for sign in line if is_wide(sign))
    share = wide / MAX_WIDE_CHARACTERS + (len(line) - wide) / MAX_CHARACTERS
    return share <= 1.0 and fits(line)


def split_overlong(words: list[Word], fits: Fits) -> list[Word]:
    """Words that fill more than a line by themselves (addresses, mostly) are cut into pieces that fit."""
    result: list[Word] = []
    for word in words:
        if _allowed(word.text, fits):
            result.append(word)
            continue
        pieces = _pieces(word.text, fits)
        step = (word.end_seconds - word.start_seconds) / len(pieces)
        for index, piece in enumerate(pieces):
            start = word.start_seconds + index * step
            result.append(Word(text=piece, start_seconds=start, end_seconds=start + step))
    return result


def _pieces(text: str, fits: Fits) -> list[str]:
    pieces = [""]
    for sign in text:
        if pieces[-1] and not _allowed(pieces[-1] + sign, fits):
            pieces.append("")
        pieces[-1] += sign
    return pieces


def cues_of_scene(
    words: list[Word], scene_index: int, speech_start_frame: int, limit_frame: int, fps: int, fits: Fits
) -> list[Cue]:
    """A scene's cues on frame boundaries, in film time. They end before `limit_frame` (exclusive)."""
    words = split_overlong(words, fits)
    offset = speech_start_frame / fps
    limit = limit_frame / fps - offset
    groups = group(words, limit, fits)
    cues: list[Cue] = []
    for index, words_of_cue in enumerate(groups):
        next_start = groups[index + 1][0].start_seconds if index + 1 < len(groups) else limit
        wanted = max(words_of_cue[-1].end_seconds + 0.2, words_of_cue[0].start_seconds + MIN_SECONDS)
        start = round((offset + words_of_cue[0].start_seconds) * fps)
        end = min(round((offset + min(wanted, next_start)) * fps), limit_frame)
        if cues:
            start = max(start, round(cues[-1].end_seconds * fps))
        texts = [word.text for word in words_of_cue]
        lines = break_lines(texts, fits) or [join_words(texts)]
        cues.append(
            Cue(
                start_seconds=start / fps,
                end_seconds=max(end, start + 1) / fps,
                lines=lines,
                words=[_moved(word, offset) for word in words_of_cue],
                scene_index=scene_index,
            )
        )
    return cues


def _moved(word: Word, seconds: float) -> Word:
    return Word(
        text=word.text,
        start_seconds=round(word.start_seconds + seconds, 3),
        end_seconds=round(word.end_seconds + seconds, 3),
    )


def to_srt(cues: list[Cue]) -> str:
    """The cues as SubRip."""
    blocks = [
        f"{number}\n{_clock(cue.start_seconds, ',')} --> {_clock(cue.end_seconds, ',')}\n" + "\n".join(cue.lines)
        for number, cue in enumerate(cues, start=1)
    ]
    return "\n\n".join(blocks) + ("\n" if blocks else "")


def to_vtt(cues: list[Cue]) -> str:
    """The cues as WebVTT. `&` and `<` are escaped, as its grammar asks; `-->` cannot stand in a cue."""
    blocks = ["WEBVTT"]
    for number, cue in enumerate(cues, start=1):
        text = "\n".join(line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for line in cue.lines)
        blocks.append(f"{number}\n{_clock(cue.start_seconds, '.')} --> {_clock(cue.end_seconds, '.')}\n{text}")
    return "\n\n".join(blocks) + "\n"


def _clock(seconds: float, point: str) -> str:
    milliseconds = round(seconds * 1000)
    return (
        f"{milliseconds // 3_600_000:02d}:{milliseconds // 60_000 % 60:02d}:"
        f"{milliseconds // 1000 % 60:02d}{point}{milliseconds % 1000:03d}"
    )
