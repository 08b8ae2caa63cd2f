"""When each part of a scene appears: with the words that speak of it, in frames from the scene's beginning."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from picturelock.composition.scenes.typesetter import Role
from picturelock.models import Level, Scene, Word
from picturelock.models.blocks import CodeBlock
from picturelock.models.film import Enter
from picturelock.script.spoken import PartSpan, part_spans
from picturelock.themes import DIMMED

EARLY_SECONDS: Final = 0.1
"""So much before its word a part begins to enter: it is half there when the word is heard."""

_ENTER_SECONDS: Final[dict[Enter, float]] = {
    "none": 0.0, "fade": 0.3, "rise": 0.35, "wipe": 0.9, "grow-up": 0.6, "grow-right": 0.6,
}  # fmt: skip
_ENTERS: Final[dict[Role, Enter]] = {
    "item": "rise", "quote": "rise", "number": "rise", "code": "fade", "panel": "fade", "line": "fade", "row": "rise",
    "axis": "fade", "legend": "fade", "column": "grow-up", "deficit": "fade", "bar": "grow-right", "value": "fade",
    "plot": "wipe", "pie": "fade", "formula": "fade",
}  # fmt: skip
_STAGGER_SECONDS: Final = 0.12
_VALUE_SECONDS: Final = 0.35
_TITLE_SECONDS: Final = 4.0
"""How long a title stands over a photograph."""


class Part(Protocol):
    """What a part is: its role, its block in the scene (None: a title), which of the block's parts of that role."""

    @property
    def role(self) -> Role:
        """What it is."""

    @property
    def block(self) -> int | None:
        """The place of its block."""

    @property
    def index(self) -> int:
        """Its place among the block's parts of its role."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When a part enters, how, when it leaves (None: with the scene), and how bright it is from when on."""

    enter_frame: int
    enter: Enter
    enter_frames: int
    leave_frame: int | None = None
    levels: tuple[Level, ...] = ()


@dataclass(frozen=True, slots=True)
class Clock:
    """A scene's times: its words (seconds of its speech), where speech starts in it, and its length (frames)."""

    words: Sequence[Word]
    speech_start: int
    frames: int
    fps: int

    def frame_of_word(self, number: int) -> int:
        """The frame at which a word begins."""
        if not self.words:
            return self.speech_start
        seconds = self.words[number].start_seconds if number < len(self.words) else self.words[-1].end_seconds
        return self.frame_of(seconds)

    def frame_of_end(self, number: int) -> int:
        """The frame at which the word before `number` ends."""
        return self.frame_of(self.words[min(number, len(self.words)) - 1].end_seconds) if self.words else self.frames

    def frame_of(self, seconds: float) -> int:
        """The frame of a time in the speech."""
        return min(self.frames - 1, max(0, self.speech_start + round(seconds * self.fps)))

    def seconds(self, seconds: float) -> int:
        """A length of time in frames."""
        return round(seconds * self.fps)


def moments(scene: Scene, parts: Sequence[Part], clock: Clock, *, opening: bool, brief: bool) -> list[Moment]:
    """A moment for each part.

    Args:
        scene: what is said.
        parts: what is shown.
        clock: the scene's times.
        opening: whether nothing comes before the scene that could bring its title along.
        brief: whether the title leaves again.
    """
    spans = part_spans(scene)
    return [_moment(part, scene, spans, clock, opening=opening, brief=brief) for part in parts]


_CARD: Final[dict[Role, tuple[float, Enter]]] = {
    "title": (0.15, "rise"), "rule": (0.5, "wipe"), "subtitle": (0.8, "fade"),
}  # fmt: skip


def card_moment(part: Part, clock: Clock) -> Moment:
    """When a part of an opening or ending card enters."""
    seconds, enter = _CARD.get(part.role, (0.0, "fade"))
    return Moment(clock.seconds(seconds), enter, clock.seconds(_ENTER_SECONDS[enter]))


def _moment(part: Part, scene: Scene, spans: list[PartSpan], clock: Clock, *, opening: bool, brief: bool) -> Moment:
    if part.block is None:
        leave = clock.seconds(_TITLE_SECONDS) if brief else None
        leave = leave if leave is not None and leave < clock.frames else None
        enter: Enter = "fade" if opening or brief else "none"
        return Moment(0, enter, clock.seconds(_ENTER_SECONDS[enter]), leave)
    enter = _ENTERS[part.role]
    own = [span for span in spans if span.part.block == part.block]
    if own:
        return _spoken(part, own, enter, clock)
    span = _span_beside(part.block, spans)
    start = clock.frame_of_word(span.first_word) - clock.seconds(EARLY_SECONDS)
    delay = part.index * _STAGGER_SECONDS if part.role in {"column", "deficit", "bar", "value", "row"} else 0.0
    delay += _VALUE_SECONDS if part.role == "value" else 0.0
    block = scene.blocks[part.block]
    levels = _highlights(part, block, span, clock) if part.role == "line" and isinstance(block, CodeBlock) else ()
    return Moment(max(0, start + clock.seconds(delay)), enter, clock.seconds(_ENTER_SECONDS[enter]), None, levels)


def _spoken(part: Part, own: list[PartSpan], enter: Enter, clock: Clock) -> Moment:
    """What is spoken itself enters with its first word; an item is dimmed when the next one comes."""
    number = min(part.index, len(own) - 1)
    start = clock.frame_of_word(own[number].first_word) - clock.seconds(EARLY_SECONDS)
    levels: tuple[Level, ...] = ()
    if part.role == "item" and number + 1 < len(own):
        levels = (Level(frame=clock.frame_of_word(own[number + 1].first_word), opacity=DIMMED),)
    return Moment(max(0, start), enter, clock.seconds(_ENTER_SECONDS[enter]), None, levels)


def _span_beside(block: int, spans: list[PartSpan]) -> PartSpan:
    """What is spoken while a silent block is looked at: what comes next, else what came before."""
    after = [span for span in spans if span.part.block is not None and span.part.block > block]
    return after[0] if after else spans[-1]


def _highlights(part: Part, block: CodeBlock, span: PartSpan, clock: Clock) -> tuple[Level, ...]:
    """The lines stand out one step after the other, for as long as the paragraph lasts."""
    first = clock.frame_of_word(span.first_word)
    last = clock.frame_of_end(span.first_word + span.words)
    ranges = block.ranges()
    levels: list[Level] = []
    for step, (begin, end) in enumerate(ranges):
        frame = first + (last - first) * step // len(ranges)
        levels.append(Level(frame=frame, opacity=1.0 if begin <= part.index + 1 <= end else DIMMED))
    levels.append(Level(frame=last, opacity=1.0))
    return tuple(
        level for place, level in enumerate(levels) if place == 0 or level.opacity != levels[place - 1].opacity
    )
