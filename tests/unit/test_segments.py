"""Where everything lies, to the frame, and what a segment knows of the film."""

from typing import Any

import pytest

from picturelock.composition.layout import Layout, Part, lay_out, overlap_frames, pieces, segment_spec
from picturelock.errors import InvalidRequest
from picturelock.models import (
    ArtifactRef,
    AudioPlan,
    CaptionSpec,
    Cue,
    RenderPlan,
    ScenePicture,
    Segment,
    SegmentLayer,
    SegmentSpec,
    Timeline,
    TimelineScene,
    Watermark,
    Word,
)
from picturelock.models.request import CaptionStyle
from picturelock.presets import PRESETS

FPS = 30
PARTS = [
    Part(kind="intro", frames=60),
    Part(speech_samples=96_000, title="One"),
    Part(speech_samples=24_000),
    Part(kind="outro", frames=45),
]


def scene(index: int, start: int, frames: int, speech: tuple[int, int], **more: Any) -> TimelineScene:
    fields = {"index": index, "start_frame": start, "frames": frames, "title": None, **more}
    return TimelineScene(speech_start_frame=speech[0], speech_frames=speech[1], **fields)


def segment(number: int, kind: Any, start: int, frames: int, *scenes: int) -> Segment:
    return Segment(id=f"render-{number:03d}", kind=kind, start_frame=start, frames=frames, scene_indexes=list(scenes))


def test_a_film_is_laid_out_to_the_frame() -> None:
    assert lay_out(PARTS, FPS, 0.5) == Layout(
        total_frames=45 + 15 + 66 + 15 + 39 + 15 + 30,
        scenes=[
            scene(0, 0, 60, (0, 0), part="intro"),
            scene(1, 45, 96, (62, 60), scene_index=0, title="One"),
            scene(2, 126, 69, (143, 15), scene_index=1),
            scene(3, 180, 45, (195, 0), part="outro"),
        ],
        segments=[
            segment(0, "body", 0, 45, 0),
            segment(1, "transition", 45, 15, 0, 1),
            segment(2, "body", 60, 66, 1),
            segment(3, "transition", 126, 15, 1, 2),
            segment(4, "body", 141, 39, 2),
            segment(5, "transition", 180, 15, 2, 3),
            segment(6, "body", 195, 30, 3),
        ],
    )


def test_hard_cuts_have_no_transitions() -> None:
    layout = lay_out(PARTS[1:3], FPS, 0)
    assert [one.kind for one in layout.segments] == ["body", "body"]
    assert [one.start_frame for one in layout.scenes] == [0, 85]
    assert [one.scene_index for one in layout.scenes] == [0, 1]
    assert [one.speech_start_frame for one in layout.scenes] == [12, 93]
    assert layout.total_frames == 138


@pytest.mark.parametrize(
    ("seconds", "fps", "frames"), [(0, 30, 0), (0.5, 30, 15), (0.1, 24, 3), (0.05, 24, 3), (1, 60, 60)]
)
def test_how_long_two_scenes_overlap(seconds: float, fps: int, frames: int) -> None:
    assert overlap_frames(seconds, fps) == frames


@pytest.mark.parametrize(
    ("frames", "cut"), [(90, [90]), (135, [135]), (136, [90, 46]), (225, [90, 135]), (226, [90, 90, 46]), (1, [1])]
)
def test_bodies_are_cut_at_fixed_places(frames: int, cut: list[int]) -> None:
    assert pieces(frames, 90) == cut


def test_a_clip_that_its_transitions_leave_nothing_of_is_refused() -> None:
    assert lay_out([Part(kind="intro", frames=18), PARTS[1]], FPS, 0.5).segments[0].frames == 3
    with pytest.raises(InvalidRequest) as caught:
        lay_out([Part(kind="intro", frames=17), PARTS[1]], FPS, 0.5)
    assert str(caught.value) == "intro: the clip lasts 0.57 s; its transition needs more than 0.50 s"


def cue(start: int, end: int, *words: tuple[str, int, int]) -> Cue:
    timed = [Word(text=text, start_seconds=at / FPS, end_seconds=until / FPS) for text, at, until in words]
    return Cue(start_seconds=start / FPS, end_seconds=end / FPS, lines=["a line"], words=timed, scene_index=1)


CUES = [cue(0, 30), cue(40, 100, ("early", 35, 50), ("late", 70, 130)), cue(100, 140), cue(160, 170)]
PICTURES = [
    ScenePicture(source=ArtifactRef(sha256=f"{n:064x}", size_bytes=n, media_type="x"), motion="none", description="p")
    for n in range(4)
]
MARK = Watermark(asset_id=f"sha256-{7:064x}")


def plan(style: CaptionStyle | None, **change: Any) -> RenderPlan:
    captions = CaptionSpec(style=style) if style else None
    layout = lay_out(PARTS, FPS, 0.5)
    timeline = Timeline(
        fps=FPS, width=1280, height=720, total_frames=layout.total_frames, segments=layout.segments,
        scenes=layout.scenes, cues=CUES, audio=AudioPlan(total_samples=1, target_lufs=-16, speech=[]),
    )  # fmt: skip
    video = PRESETS["preview"].format.model_copy(update={"encoder": "hardware"})
    fields: dict[str, Any] = {
        "format": video, "timeline": timeline, "pictures": PICTURES, "transition": "wipe", "captions": captions,
        "watermark": MARK, "title": "T", "language": "sv", **change,
    }  # fmt: skip
    return RenderPlan(**fields)


def test_a_body_knows_its_scene_and_its_cues_from_its_own_beginning() -> None:
    film = plan("clean")
    spec = segment_spec(film, film.timeline.segments[2])  # frames 60 to 126 of the film
    assert spec == SegmentSpec(
        format=PRESETS["preview"].format,
        frames=66,
        layers=[SegmentLayer(picture=PICTURES[1], scene_frames=96, first_frame=15)],
        transition="none",
        captions=CaptionSpec(),
        cues=[
            Cue(start_seconds=0, end_seconds=40 / FPS, lines=["a line"], words=[], scene_index=0),
            Cue(start_seconds=40 / FPS, end_seconds=66 / FPS, lines=["a line"], words=[], scene_index=0),
        ],
        language="sv",
        watermark=MARK,
        encoder="libx264",
    )


def test_a_transition_knows_both_its_scenes() -> None:
    film = plan(None)
    spec = segment_spec(film, film.timeline.segments[3], "h264_nvenc")
    assert spec.layers == [
        SegmentLayer(picture=PICTURES[1], scene_frames=96, first_frame=81),
        SegmentLayer(picture=PICTURES[2], scene_frames=69, first_frame=0),
    ]
    assert (spec.transition, spec.captions, spec.cues, spec.encoder) == ("wipe", None, [], "h264_nvenc")


def test_karaoke_words_stand_on_the_segments_own_frames() -> None:
    film = plan("karaoke")
    first, second = segment_spec(film, film.timeline.segments[2]).cues
    assert [(one.text, round(one.start_seconds * FPS), round(one.end_seconds * FPS)) for one in first.words] == [
        ("early", -25, -10), ("late", 10, 70),
    ]  # fmt: skip
    assert second.words == []


def test_a_segment_shows_the_cues_of_its_own_frames_and_no_others() -> None:
    film = plan("clean")
    frames = [
        [(round(one.start_seconds * FPS), round(one.end_seconds * FPS)) for one in segment_spec(film, part).cues]
        for part in film.timeline.segments
    ]
    assert frames == [[(0, 30), (40, 45)], [(0, 15)], [(0, 40), (40, 66)], [(0, 14)], [(19, 29)], [], []]


def test_a_watermark_is_not_over_what_has_a_logo_of_its_own() -> None:
    def marked(mark: Watermark) -> list[bool]:
        film = plan(None, watermark=mark)
        return [segment_spec(film, part).watermark is not None for part in film.timeline.segments]

    assert marked(MARK) == [False, False, True, True, True, False, False]
    assert all(marked(MARK.model_copy(update={"over_inserts": True})))


def test_cards_before_and_after_the_scenes_have_their_own_time() -> None:
    layout = lay_out([Part(kind="opening"), PARTS[1], Part(kind="ending")], FPS, 0.5)
    assert [(one.part, one.scene_index, one.frames) for one in layout.scenes] == [
        ("opening", None, 72 + 15), ("scene", 0, 15 + 66 + 15), ("ending", None, 15 + 72),
    ]  # fmt: skip
