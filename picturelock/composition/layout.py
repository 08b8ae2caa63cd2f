"""The timeline in whole frames: how long its parts last, where they overlap, what is rendered on its own.

A part is a scene, or a clip before or after them. Scene i lasts `in + lead + speech + tail + out` frames, where `in`
and `out` are its transitions. Neighbours overlap for one transition, so that the film has sum(parts) -
sum(transitions) frames. Bodies lie between transitions; long ones are cut into pieces at fixed offsets from their own
start. An inserted clip keeps its own length: its transitions overlap it, instead of adding to it.
"""

import math
from bisect import bisect_right
from dataclasses import dataclass
from itertools import islice
from typing import Final

from picturelock.errors import InvalidRequest
from picturelock.models import (
    SAMPLE_RATE,
    Cue,
    RenderPlan,
    Segment,
    SegmentLayer,
    SegmentSpec,
    TimelineScene,
    Word,
)
from picturelock.models.film import TimelinePart
from picturelock.models.request import Watermark
from picturelock.render.encoders import SOFTWARE

PAUSE_SECONDS: Final = 0.7
"""From one scene's last word to the next one's first, where their transition is not longer."""

LEAST_PAUSE_SECONDS: Final = 0.2
"""What of it lies outside of the transition at least."""

CARD_SECONDS: Final = 2.4
"""How long an opening or ending card stands between its transitions."""

OPENING_SECONDS: Final = 0.4
CLOSING_SECONDS: Final = 1.0
"""Before the film's first word, and after its last."""

MIN_BODY_SECONDS: Final = 1.3
PIECE_SECONDS: Final = 3.0
MIN_SEGMENT_FRAMES: Final = 3
_BY_WORD: Final = ("karaoke", "pop")
"""Styles that show when a word is spoken."""


@dataclass(frozen=True, slots=True)
class Pauses:
    """The frames of a scene's body before and after its speech."""

    lead: int
    tail: int

    @classmethod
    def of(cls, overlap: int, fps: int, *, first: bool, last: bool) -> "Pauses":
        """Those of a scene whose transitions last `overlap` frames."""
        rest = max(LEAST_PAUSE_SECONDS, PAUSE_SECONDS - overlap / fps)
        lead = OPENING_SECONDS if first else 0.4 * rest
        tail = CLOSING_SECONDS if last else 0.6 * rest
        return cls(round(lead * fps), round(tail * fps))


@dataclass(frozen=True, slots=True)
class Part:
    """What a stretch of the film has to hold: speech (samples at 48 kHz), a card, or a clip of its own length."""

    speech_samples: int = 0
    title: str | None = None
    kind: TimelinePart = "scene"
    frames: int = 0

    def body(self, fps: int, overlaps: int, pauses: "Pauses") -> int:
        """The frames between the transitions. Raises InvalidRequest when they leave nothing of a clip."""
        if self.kind == "scene":
            wanted = pauses.lead + self.speech_frames(fps) + pauses.tail
            return max(wanted, math.ceil(MIN_BODY_SECONDS * fps))
        if self.kind in {"opening", "ending"}:
            return round(CARD_SECONDS * fps)
        if self.frames - overlaps < MIN_SEGMENT_FRAMES:
            text = f"the clip lasts {self.frames / fps:.2f} s; its transition needs more than {overlaps / fps:.2f} s"
            raise InvalidRequest(text, field=self.kind)
        return self.frames - overlaps

    def speech_frames(self, fps: int) -> int:
        """How long somebody speaks."""
        return math.ceil(self.speech_samples * fps / SAMPLE_RATE)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything lies, in frames."""

    total_frames: int
    scenes: list[TimelineScene]
    segments: list[Segment]


def overlap_frames(transition_seconds: float, fps: int) -> int:
    """How long two parts overlap; 0 for hard cuts."""
    return max(MIN_SEGMENT_FRAMES, round(transition_seconds * fps)) if transition_seconds > 0 else 0


def lay_out(parts: list[Part], fps: int, transition_seconds: float) -> Layout:
    """Lays out the parts of a film one after another. `transition_seconds` 0 means hard cuts.

    Raises:
        InvalidRequest: a clip is shorter than its transitions.
    """
    overlap = overlap_frames(transition_seconds, fps)
    count = len(parts)
    scenes: list[TimelineScene] = []
    segments: list[Segment] = []
    before = sum(part.kind in {"intro", "opening"} for part in parts)
    position = 0
    for index, part in enumerate(parts):
        coming = overlap if index > 0 else 0
        leaving = overlap if index < count - 1 else 0
        pauses = Pauses.of(overlap, fps, first=index == 0, last=index == count - 1)
        body = part.body(fps, coming + leaving, pauses)
        if coming:
            segments.append(_segment(segments, "transition", position, coming, [index - 1, index]))
        scenes.append(
            TimelineScene(
                index=index,
                part=part.kind,
                scene_index=index - before if part.kind == "scene" else None,
                title=part.title,
                start_frame=position,
                frames=coming + body + leaving,
                speech_start_frame=position + coming + (pauses.lead if part.kind == "scene" else 0),
                speech_frames=part.speech_frames(fps),
            )
        )
        position += coming
        for frames in pieces(body, round(PIECE_SECONDS * fps)):
            segments.append(_segment(segments, "body", position, frames, [index]))
            position += frames
    return Layout(total_frames=position, scenes=scenes, segments=segments)


def _segment(before: list[Segment], kind: str, start: int, frames: int, scenes: list[int]) -> Segment:
    number = f"render-{len(before):03d}"
    return Segment.model_validate(
        {"id": number, "kind": kind, "start_frame": start, "frames": frames, "scene_indexes": scenes}
    )


def pieces(frames: int, length: int) -> list[int]:
    """A body cut at fixed offsets from its start; the last piece has between half and one and a half lengths."""
    lengths: list[int] = []
    left = frames
    while left > length * 3 // 2:
        lengths.append(length)
        left -= length
    return [*lengths, left]


def segment_spec(plan: RenderPlan, segment: Segment, encoder: str | None = None) -> SegmentSpec:
    """All that determines a segment's bytes, relative to the segment: the same scene elsewhere has the same spec.

    `encoder` None is the codec's software encoder, whatever the film had wished for.
    """
    layers = []
    for index in segment.scene_indexes:
        scene = plan.timeline.scenes[index]
        layers.append(
            SegmentLayer(
                picture=plan.pictures[index],
                scene_frames=scene.frames,
                first_frame=segment.start_frame - scene.start_frame,
            )
        )
    return SegmentSpec(
        format=plan.format.model_copy(update={"encoder": "software"}),
        frames=segment.frames,
        layers=layers,
        transition=plan.transition if segment.kind == "transition" else "none",
        captions=plan.captions,
        cues=_relative_cues(plan, segment) if plan.captions else [],
        language=plan.language,
        watermark=_watermark(plan, segment),
        encoder=encoder or SOFTWARE[plan.format.codec],
    )


def _watermark(plan: RenderPlan, segment: Segment) -> Watermark | None:
    """The watermark, where the segment shows nothing of an insert, or the watermark is wished for there."""
    inserted = any(plan.timeline.scenes[index].part in {"intro", "outro"} for index in segment.scene_indexes)
    return None if plan.watermark and inserted and not plan.watermark.over_inserts else plan.watermark


def _relative_cues(plan: RenderPlan, segment: Segment) -> list[Cue]:
    fps = plan.format.fps
    cues: list[Cue] = []
    # One ends before the next begins, so both orders are the list's.
    first = bisect_right(plan.timeline.cues, segment.start_frame, key=lambda cue: round(cue.end_seconds * fps))
    for cue in islice(plan.timeline.cues, first, None):
        if round(cue.start_seconds * fps) >= segment.start_frame + segment.frames:
            break
        start = max(round(cue.start_seconds * fps) - segment.start_frame, 0)
        end = min(round(cue.end_seconds * fps) - segment.start_frame, segment.frames)
        if start < end:
            words = _relative_words(cue, segment, fps) if plan.captions and plan.captions.style in _BY_WORD else []
            relative = {"start_seconds": start / fps, "end_seconds": end / fps, "words": words, "scene_index": 0}
            cues.append(cue.model_copy(update=relative))
    return cues


def _relative_words(cue: Cue, segment: Segment, fps: int) -> list[Word]:
    """The words on frame boundaries of the segment; some may lie before its beginning or after its end."""
    return [
        word.model_copy(
            update={
                "start_seconds": (round(word.start_seconds * fps) - segment.start_frame) / fps,
                "end_seconds": (round(word.end_seconds * fps) - segment.start_frame) / fps,
            }
        )
        for word in cue.words
    ]
