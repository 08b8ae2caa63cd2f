"""Title cards: what a scene shows when no picture was given.

Drawn, not a stand-in: two related colours, soft light of large circles, a headline in the bundled typeface, and a
moving background under a still text.
"""

import colorsys
import hashlib
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from picturelock.composition.captions import cut_to_fit
from picturelock.errors import InvalidScript
from picturelock.languages import reads_leftwards
from picturelock.models import Scene, Script
from picturelock.render.i420 import RGB
from picturelock.script.markdown import plain_text
from picturelock.speech.timing import Written, join_words, split_words
from picturelock.text.ass import CaptionLook, TextBlock, line_height, text_width

_HUES: Final = (0.61, 0.52, 0.70, 0.94, 0.07, 0.45, 0.78, 0.57)
"""Hues that white text stands well on, far enough apart that neighbouring scenes differ."""

_HEADLINE_WORDS: Final = 6
_HEADLINE_CHARACTERS: Final = 60
_MOST_LINES: Final = 4
_SMALLEST: Final = 8.0


@dataclass(frozen=True, slots=True)
class PlacedText:
    """A text block of a card with its place (left edge, or right edge, and top of its ink box, pixels) and colour."""

    block: TextBlock
    x: int
    from_right: bool
    y: int
    color: str
    opacity: float


def headline(scene: Scene) -> str:
    """What a card says: the scene's title, or the beginning of what is spoken."""
    if scene.title and (title := plain_text(scene.title)):
        return title
    text = plain_text(scene.narration)
    for characters in (".!?…。", ".!?…。,;:—"):
        cut = next(
            (i for i, character in enumerate(text) if character in characters and not text[i + 1 : i + 2].isalnum()),
            len(text),
        )
        if cut <= _HEADLINE_CHARACTERS:
            return text[:cut].strip() or text[:_HEADLINE_CHARACTERS]
    words = split_words(text)
    return join_words(words[:_HEADLINE_WORDS])[:_HEADLINE_CHARACTERS].rstrip(",;:—") + "…"


def palette(script: Script, scene_index: int) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Two related colours for a scene: the hue of the film's title, then on through the table.

    Of the title alone: another first sentence must not mean other colours, and another rendering, for all scenes.
    """
    seed = hashlib.sha256(script.title.encode()).digest()[0]
    hue = _HUES[(seed + scene_index) % len(_HUES)]
    return _rgb(hue, 0.62, 0.42), _rgb((hue + 0.09) % 1, 0.70, 0.20)


def _rgb(hue: float, saturation: float, value: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def gradient(
    first: tuple[int, int, int],
    second: tuple[int, int, int],
    width: int,
    height: int,
    *,
    seed: int,
    lights: bool,
) -> RGB:
    """A diagonal gradient with soft circles of light, dithered so that no bands show."""
    across = np.linspace(0, 0.45, width, dtype=np.float32)[None, :]
    down = np.linspace(0, 0.55, height, dtype=np.float32)[:, None]
    share = across + down
    rng = np.random.default_rng(seed)
    glow = _lights(rng, width, height) if lights else None
    dither = rng.random((height, width), np.float32) - 0.5
    warm = dither if glow is None else glow + dither
    cool = dither if glow is None else glow * np.float32(1.05) + dither
    channels = [
        cv2.addWeighted(share, there - here, light, 1, here, dtype=cv2.CV_8U)
        for here, there, light in zip(first, second, (warm, warm, cool), strict=True)
    ]
    return np.asarray(cv2.merge(channels), np.uint8)


def _lights(rng: np.random.Generator, width: int, height: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Circles of different sizes, drawn small and blurred."""
    scale = 4
    small = np.zeros((height // scale, width // scale), np.float32)
    for _ in range(7):
        layer = np.zeros_like(small)
        radius = int(rng.uniform(0.06, 0.26) * max(small.shape))
        center = (
            int(rng.uniform(0.35, 1.05) * small.shape[1]),
            int(rng.uniform(-0.05, 1.0) * small.shape[0]),
        )
        cv2.circle(layer, center, radius, float(rng.uniform(6, 15)), -1, cv2.LINE_AA)
        small += cv2.GaussianBlur(layer, (0, 0), float(rng.uniform(1.5, 9.0)) * max(small.shape) / 480)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def layout_text(title: str, kicker: str, language: str, size: tuple[int, int]) -> list[PlacedText]:
    """Places a card's headline, with the film's title small above it, clear of the captions."""
    width, height = size
    margin = round(width * 0.085)
    usable = width - 2 * margin
    high = line_height(title, language)
    em, lines = _fitted(title, min(width, height) * 0.103, usable, height * 0.42 / high)
    block_height = len(lines) * em * high
    captions_top = height - CaptionLook.of(width, height).bottom - 3 * CaptionLook.of(width, height).em
    top = max(height * 0.12, (captions_top - block_height) / 2)
    rightwards = reads_leftwards(language)
    edge = width - margin if rightwards else margin
    block = TextBlock(tuple(lines), em, bold=True, language=language)
    placed = [PlacedText(block, edge, rightwards, round(top), "#FFFFFF", 1.0)]
    if kicker and kicker.strip().casefold() != title.strip().casefold():
        small = em * 0.36
        spacing = small * 0.08
        short = kicker if text_width(kicker, small) + len(kicker) * spacing <= usable else ""
        if short:
            block = TextBlock((short,), small, bold=False, spacing=spacing, language=language)
            placed.append(PlacedText(block, edge, rightwards, round(top - small * 2.1), "#FFFFFF", 0.78))
    return placed


def _fitted(title: str, em: float, usable: float, tallest: float) -> tuple[float, list[str]]:
    """The largest letters at which the title fits in at most four lines; below a size, long words are cut.

    `tallest` is the room in lines times ems.
    """
    words = split_words(title)
    smallest = em * 0.45
    while em > _SMALLEST:
        if em <= smallest:
            words = _cut_words(split_words(title), em, usable)
        lines = wrap(words, em, usable)
        fits = all(text_width(line, em) <= usable for line in lines)
        if fits and len(lines) * em <= tallest and (len(lines) <= _MOST_LINES or em <= smallest):
            return em, lines
        em *= 0.93
    raise InvalidScript(f"the title {title[:40]!r}… does not fit the picture")


def _cut_words(words: list[Written], em: float, usable: float) -> list[Written]:
    result: list[Written] = []
    for word in words:
        pieces = cut_to_fit(word.text, lambda text: text_width(text, em) / usable)
        result += [Written(piece, word.joined if index == 0 else True) for index, piece in enumerate(pieces)]
    return result


def wrap(words: list[Written], em: float, usable: float) -> list[str]:
    """Words broken into lines that fit, the last two made even."""
    lines: list[list[Written]] = [[]]
    for word in words:
        if lines[-1] and text_width(join_words([*lines[-1], word]), em) > usable:
            lines.append([])
        lines[-1].append(word)
    if len(lines) > 1:
        last = lines[-2] + lines[-1]
        options = [(last[:cut], last[cut:]) for cut in range(1, len(last))]
        widths = [max(text_width(join_words(part), em) for part in option) for option in options]
        first, second = options[widths.index(min(widths))]
        lines[-2:] = [first, second]
    return [join_words(line) for line in lines]
