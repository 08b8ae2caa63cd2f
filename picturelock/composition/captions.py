"""Captions: words grouped into cues by grammar, cues broken into lines, and the two files players read.

Limits: two lines, 42 characters a line (16 in CJK), 80 % of the frame's width, a second at least where the scene has
room for it, never two at once.
"""

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Final

from picturelock.composition.function_words import leans_on_the_next
from picturelock.models import Cue, Word
from picturelock.script.words import AnyWord, is_wide, join_words, phrase_ends
from picturelock.text.fonts import clusters

MAX_CHARACTERS: Final = 42
MAX_WIDE_CHARACTERS: Final = 16
MIN_SECONDS: Final = 1.0
MAX_SECONDS: Final = 6.0
_FULL: Final = 1.0 + 1e-9
_SENTENCE_ENDS: Final = (".", "!", "?", "…", "。", "！", "？", "؟", "।")
_CLAUSE_ENDS: Final = (",", ";", ":", "—", "–", "،", "、", "，", "；")
_PARTED: Final = 60
"""What it costs to end a line in a word that belongs to the next, in letters of unevenness."""

_PARTS_BADLY: Final = 12.0
_CLOSERS: Final = "\"'”’)]»」』"

Width = Callable[[str], float]
"""How much of the longest allowed line a text fills (1.0: all of it)."""


class Ruler:
    """Measures runs of words in constant time: how much of a line they fill, by characters and by width.

    Both are sums over words, and the space before each word belongs to it unless it begins the line.
    """

    def __init__(self, words: Sequence[AnyWord], width: Width) -> None:
        space = width(" ")
        self._spaces = [(0.0, 0.0) if word.joined else (1 / MAX_CHARACTERS, space) for word in words]
        self._signs, self._widths = [0.0], [0.0]
        for word, (character, wide) in zip(words, self._spaces, strict=True):
            self._signs.append(self._signs[-1] + character + _share(word.text))
            self._widths.append(self._widths[-1] + wide + width(word.text))
        self._reaches: dict[int, int] = {}
        self._froms: dict[int, int] = {}

    def fits(self, start: int, end: int) -> bool:
        """Whether words[start:end] fit one line."""
        character, wide = self._spaces[start]
        characters = self._signs[end] - self._signs[start] - character
        widths = self._widths[end] - self._widths[start] - wide
        return characters <= _FULL and widths <= _FULL

    def cuts(self, start: int, end: int) -> range:
        """Where words[start:end] may be cut so that each part fits a line."""
        return range(max(start + 1, self._from(end)), min(self._reach(start) + 1, end))

    def fits_two(self, start: int, end: int) -> bool:
        """Whether words[start:end] fit two lines."""
        cut = self._reach(start)
        return cut >= end or self.fits(cut, end)

    def _reach(self, start: int) -> int:
        """Where the longest line ends that begins with a word."""
        if start not in self._reaches:
            cut = start + 1
            while cut < len(self._spaces) and self.fits(start, cut + 1):
                cut += 1
            self._reaches[start] = cut
        return self._reaches[start]

    def _from(self, end: int) -> int:
        """Where the longest line begins that ends before a word."""
        if end not in self._froms:
            cut = end - 1
            while cut > 0 and self.fits(cut - 1, end):
                cut -= 1
            self._froms[end] = cut
        return self._froms[end]


def _share(text: str) -> float:
    wide = sum(1 for character in text if is_wide(character))
    return wide / MAX_WIDE_CHARACTERS + (len(text) - wide) / MAX_CHARACTERS


def group(words: list[Word], end_seconds: float, width: Width, language: str = "") -> list[list[Word]]:
    """Splits a scene's words into cues, each of which fits two lines, at the best places for a reader.

    The cheapest split over all splits: a break costs nothing after a sentence, little after a clause, much inside
    one, and most after a word that belongs to the next; cues that are very short, or run over a sentence's end, cost
    as well.
    """
    count = len(words)
    ruler = Ruler(words, width)
    leaning = _leaning(words, language)
    costs = Costs(words, leaning, end_seconds)
    best: list[tuple[float, int]] = [(0.0, 0)] + [(float("inf"), 0)] * count
    for end in range(1, count + 1):
        for start in range(end - 1, -1, -1):
            # Growing to the left: what does not fit will not fit with one word more, so the inner loop stays short.
            if end - start > 1 and not ruler.fits_two(start, end):
                break
            cost = best[start][0] + costs.of(start, end)
            if not ruler.fits(start, end) and all(leaning[cut - 1] for cut in ruler.cuts(start, end)):
                cost += _PARTS_BADLY
            if cost < best[end][0]:
                best[end] = (cost, start)
    groups: list[list[Word]] = []
    cursor = count
    while cursor:
        start = best[cursor][1]
        groups.append(words[start:cursor])
        cursor = start
    return groups[::-1]


def _leaning(words: Sequence[AnyWord], language: str) -> list[bool]:
    """For each word whether it belongs to the next: by the language's function words, or inside a phrase."""
    ends = phrase_ends(words, language)
    return [not end or leans_on_the_next(word.text, language) for word, end in zip(words, ends, strict=True)]


class Costs:
    """What it costs a reader that some words are a cue: where it ends, what it runs over, how long it lasts."""

    def __init__(self, words: Sequence[Word], leaning: Sequence[bool], end_seconds: float) -> None:
        self._breaks = [_break_cost(word.text, leans) for word, leans in zip(words, leaning, strict=True)]
        self._sentences = [0, *accumulate(_ends(word.text, _SENTENCE_ENDS) for word in words)]
        self._starts = [*(word.start_seconds for word in words), end_seconds]

    def of(self, start: int, end: int) -> float:
        """Of words[start:end]."""
        cost = self._breaks[end - 1] + 6.0 * (self._sentences[end - 1] - self._sentences[start]) + 1.0
        seconds = self._starts[end] - self._starts[start]
        if seconds < MIN_SECONDS:
            cost += 20.0 * (MIN_SECONDS - seconds)
        if seconds > MAX_SECONDS:
            cost += 8.0 * (seconds - MAX_SECONDS)
        return cost + 4.0 if end - start == 1 else cost


def _break_cost(last: str, leans: bool) -> float:
    if _ends(last, _SENTENCE_ENDS):
        return 0.0
    if _ends(last, _CLAUSE_ENDS):
        return 3.0
    return 16.0 if leans else 10.0


def _ends(word: str, characters: tuple[str, ...]) -> bool:
    return word.rstrip(_CLOSERS).endswith(characters)


def break_lines(words: Sequence[AnyWord], width: Width, language: str = "") -> list[str]:
    """One line, or the two most even ones, broken after punctuation where that is close to even.

    A line that ends in a word which belongs to the next is taken where there is no other.
    """
    ruler = Ruler(words, width)
    if len(words) == 1 or ruler.fits(0, len(words)):
        return [join_words(words)]
    lengths = [len(word.text) + (not word.joined) for word in words]
    leaning = _leaning(words, language)
    total = sum(lengths)
    best: tuple[float, int] = (float("inf"), 1)
    for cut in range(1, len(words)):
        if ruler.fits(0, cut) and ruler.fits(cut, len(words)):
            uneven = abs(2 * sum(lengths[:cut]) - total)
            last = words[cut - 1].text
            cost = uneven - (6 if _ends(last, _CLAUSE_ENDS + _SENTENCE_ENDS) else 0)
            cost += _PARTED if leaning[cut - 1] else 0
            best = min(best, (cost, cut))
    return [join_words(words[: best[1]]), join_words(words[best[1] :])]


def split_overlong(words: Sequence[Word], width: Width) -> list[Word]:
    """Words that fill more than a line by themselves (addresses, mostly) are cut into pieces that fit."""
    result: list[Word] = []
    for word in words:
        pieces = cut_to_fit(word.text, lambda text: max(_share(text), width(text)))
        step = (word.end_seconds - word.start_seconds) / len(pieces)
        for index, piece in enumerate(pieces):
            start = word.start_seconds + index * step
            joined = word.joined if index == 0 else True
            result.append(Word(text=piece, start_seconds=start, end_seconds=start + step, joined=joined))
    return result


def cut_to_fit(text: str, load: Width) -> list[str]:
    """A text cut between characters (grapheme clusters) into pieces that fill at most a line each."""
    if load(text) <= _FULL:
        return [text]
    pieces = [""]
    filled = 0.0
    for character in clusters(text):
        needed = load(character)
        if pieces[-1] and filled + needed > _FULL:
            pieces.append("")
            filled = 0.0
        pieces[-1] += character
        filled += needed
    return pieces


def cues_of_scene(
    words: list[Word],
    scene_index: int,
    speech_start_frame: int,
    limit_frame: int,
    fps: int,
    width: Width,
    *,
    language: str = "",
) -> list[Cue]:
    """A scene's cues on frame boundaries, in film time. They end before `limit_frame` (exclusive)."""
    words = split_overlong(words, width)
    offset = speech_start_frame / fps
    limit = limit_frame / fps - offset
    groups = group(words, limit, width, language)
    cues: list[Cue] = []
    for index, words_of_cue in enumerate(groups):
        next_start = groups[index + 1][0].start_seconds if index + 1 < len(groups) else limit
        wanted = max(words_of_cue[-1].end_seconds + 0.2, words_of_cue[0].start_seconds + MIN_SECONDS)
        start = round((offset + words_of_cue[0].start_seconds) * fps)
        end = min(round((offset + min(wanted, next_start)) * fps), limit_frame)
        if cues:
            start = max(start, round(cues[-1].end_seconds * fps))
        cues.append(
            Cue(
                start_seconds=start / fps,
                end_seconds=max(end, start + 1) / fps,
                lines=break_lines(words_of_cue, width, language),
                words=[_moved(word, offset) for word in words_of_cue],
                scene_index=scene_index,
            )
        )
    return cues


def _moved(word: Word, seconds: float) -> Word:
    start, end = word.start_seconds + seconds, word.end_seconds + seconds
    return word.model_copy(update={"start_seconds": round(start, 3), "end_seconds": round(end, 3)})


def to_srt(cues: list[Cue]) -> str:
    """The cues as SubRip."""
    blocks = [
        f"{number}\n{_clock(cue.start_seconds, ',')} --> {_clock(cue.end_seconds, ',')}\n" + "\n".join(cue.lines)
        for number, cue in enumerate(cues, start=1)
    ]
    return "\n\n".join(blocks) + ("\n" if blocks else "")


def to_vtt(cues: list[Cue]) -> str:
    """The cues as WebVTT. `&`, `<` and `>` are escaped, so that `-->` cannot stand in a cue."""
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
