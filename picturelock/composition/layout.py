"""The timeline in whole frames: how long scenes last, where they overlap, what is rendered on its own.

Scene i lasts `in + lead + speech + tail + out` frames, where `in` and `out` are its transitions. Neighbours overlap
for one transition, so that the film has sum(scenes) - sum(transitions) frames. Bodies lie between transitions; long
ones are cut into pieces at fixed offsets from their own start.
"""

import math
from dataclasses import dataclass
from typing import Final

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

LEAD_SECONDS: Final = 0.25
TAIL_SECONDS: Final = 0.45
MIN_BODY_SECONDS: Final = 1.3
PIECE_SECONDS: Final = 4.0
MIN_SEGMENT_FRAMES: Final = 3


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything lies, in frames."""

    total_frames: int
    scenes: list[TimelineScene]
    segments: list[Segment]


def lay_out(speech_samples: list[int], titles: list[str | None], fps: int, transition_seconds: float) -> Layout:
    """Lays out scenes of the given speech lengths (samples at 48 kHz). `transition_seconds` 0 means hard cuts."""
    overlap = max(MIN_SEGMENT_FRAMES, round(transition_seconds * fps)) if transition_seconds > 0 else 0
    count = len(speech_samples)
    scenes: list[TimelineScene] = []
    segments: list[Segment] = []
    at = 0
    for index, samples in enumerate(speech_samples):
        coming = overlap if index > 0 else 0
        leaving = overlap if index < count - 1 else 0
        speech = math.ceil(samples * fps / SAMPLE_RATE)
        body = max(round(LEAD_SECONDS * fps) + speech + round(TAIL_SECONDS * fps), math.ceil(MIN_BODY_SECONDS * fps))
        if coming:
            segments.append(_segment(segments, "transition", at, coming, [index - 1, index]))
        scenes.append(
            TimelineScene(
                index=index,
                title=titles[index],
                start_frame=at,
                frames=coming + body + leaving,
                speech_start_frame=at + coming + round(LEAD_SECONDS * fps),
                speech_frames=speech,
            )
        )
        at += coming
        for piece in pieces(body, round(PIECE_SECONDS * fps)):
            segments.append(_segment(segments, "body", at, piece, [index]))
            at += piece
    return Layout(total_frames=at, scenes=scenes, segments=segments)


def _segment(before: list[Segment], kind: str, start: int, frames: int, scenes: list[int]) -> Segment:
    number = f"render-{len(before):03d}"
    return Segment.model_validate(
        {"id": number, "kind": kind, "start_frame": start, "frames": frames, "scene_indexes": scenes}
    )


def pieces(frames: int, length: int) -> list[int]:
    """A body cut at fixed offsets from its start; the last piece has between half and one and a half lengths."""
    found: list[int] = []
    left = frames
    while left > length * 3 // 2:
        found.append(length)
        left -= length
    return [*found, left]


def segment_spec(plan: RenderPlan, segment: Segment) -> SegmentSpec:
    """All that determines a segment's bytes, relative to the segment: the same scene elsewhere has the same spec."""
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
        format=plan.format,
        frames=segment.frames,
        layers=layers,
        transition=plan.transition if segment.kind == "transition" else "none",
        captions=plan.captions,
        cues=_relative_cues(plan, segment) if plan.captions else [],
        language=plan.language,
        watermark=plan.watermark,
    )


def _relative_cues(plan: RenderPlan, segment: Segment) -> list[Cue]:
    fps = plan.format.fps
    cues: list[Cue] = []
    for cue in plan.timeline.cues:
        start = max(round(cue.start_seconds * fps) - segment.start_frame, 0)
        end = min(round(cue.end_seconds * fps) - segment.start_frame, segment.frames)
        if start < end:
            words = _relative_words(cue, segment, fps) if plan.captions == "karaoke" else []
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
