"""The film strip: what is known of a film, as tiles; and the playlist of its beginning."""

import pytest

from picturelock.jobs.strip import FilmView, film_strip
from picturelock.models import ArtifactRef, AudioPlan, RenderedSegment, Segment, Timeline, TimelineScene
from picturelock.models.strip import FilmBatch, FilmStrip
from picturelock.preview.playlist import playlist

FILE = ArtifactRef(sha256="ab" * 32, size_bytes=9, media_type="image/jpeg")
SEGMENTS = [
    Segment(id="render-000", kind="body", start_frame=0, frames=60, scene_indexes=[0]),
    Segment(id="render-001", kind="transition", start_frame=60, frames=10, scene_indexes=[0, 1]),
    Segment(id="render-002", kind="body", start_frame=70, frames=30, scene_indexes=[1]),
]
PARTS = [
    TimelineScene(index=0, title="Calm", start_frame=0, frames=70, speech_start_frame=5, speech_frames=9),
    TimelineScene(index=1, title=None, start_frame=60, frames=40, speech_start_frame=65, speech_frames=9),
]
TIMELINE = Timeline(
    fps=20, width=64, height=36, total_frames=100, segments=SEGMENTS, scenes=PARTS, cues=[],
    audio=AudioPlan(total_samples=240_000, target_lufs=-16, speech=[]),
)  # fmt: skip
BATCHES = [
    FilmBatch(activity_id="render-000", segment_ids=["render-000"], frames=60),
    FilmBatch(activity_id="render-002", segment_ids=["render-001", "render-002"], frames=40),
]


def rendered(segment_id: str, *, cached: bool = False, thumbnail: ArtifactRef | None = FILE) -> RenderedSegment:
    return RenderedSegment(
        id=segment_id, artifact=FILE, thumbnail=thumbnail, frames=60, packets_sha256="p", extradata_sha256="e",
        first_luma=90, encoder="libx264", seconds=1, worker="w", cached=cached,
    )  # fmt: skip


def strip_of(view: FilmView, **fractions: float) -> FilmStrip:
    return film_strip("job-1", "running", view, {name.replace("_", "-"): share for name, share in fractions.items()})


def tiles(strip: FilmStrip) -> list[tuple[str, float]]:
    return [(segment.state, segment.progress) for segment in strip.segments]


def test_before_the_film_is_composed_there_is_no_strip() -> None:
    assert strip_of(FilmView()) == FilmStrip(job_id="job-1", status="running")


def test_what_no_worker_has_begun_waits() -> None:
    strip = strip_of(FilmView(TIMELINE, {}, BATCHES))
    assert tiles(strip) == [("waiting", 0), ("waiting", 0), ("waiting", 0)]
    assert (strip.fps, strip.total_frames, strip.preview_seconds) == (20, 100, 0)
    shown = [(tile.id, tile.kind, tile.start_frame, tile.frames, tile.title) for tile in strip.segments]
    assert shown == [
        ("render-000", "body", 0, 60, "Calm"),
        ("render-001", "transition", 60, 10, "Calm"),
        ("render-002", "body", 70, 30, ""),
    ]


@pytest.mark.parametrize(
    ("fraction", "expected"),
    [
        (0.0, [("drawing", 0), ("waiting", 0)]),
        (0.1, [("drawing", 40), ("waiting", 0)]),
        (0.25, [("drawing", 100), ("waiting", 0)]),
        (0.5, [("drawing", 100), ("drawing", 33.3)]),
        (1.0, [("drawing", 100), ("drawing", 100)]),
    ],
)
def test_segments_of_a_batch_are_drawn_one_after_the_other(fraction: float, expected: list[tuple[str, float]]) -> None:
    assert tiles(strip_of(FilmView(TIMELINE, {}, BATCHES), render_002=fraction))[1:] == expected


def test_what_was_there_looks_different_from_what_was_made_and_from_what_failed() -> None:
    failed = [BATCHES[0], BATCHES[1].model_copy(update={"failed": True})]
    strip = strip_of(FilmView(TIMELINE, {"render-000": rendered("render-000", cached=True)}, failed))
    assert tiles(strip) == [("found", 100), ("failed", 0), ("failed", 0)]
    made = FilmView(TIMELINE, {"render-000": rendered("render-000")}, BATCHES)
    assert tiles(strip_of(made))[0] == ("made", 100)


def test_a_thumbnail_has_an_address_that_changes_with_it() -> None:
    with_one = strip_of(FilmView(TIMELINE, {"render-000": rendered("render-000")}, BATCHES)).segments
    assert with_one[0].thumbnail == "/api/jobs/job-1/segments/render-000/thumbnail?v=abababababababab"
    assert with_one[1].thumbnail is None
    without = strip_of(FilmView(TIMELINE, {"render-000": rendered("render-000", thumbnail=None)}, BATCHES)).segments
    assert without[0].thumbnail is None


def test_the_beginning_ends_at_the_first_segment_that_is_missing_and_waits_for_the_sound() -> None:
    ready = {name: rendered(name) for name in ("render-000", "render-002")}
    assert [segment.id for segment in FilmView(TIMELINE, ready, BATCHES, FILE).beginning()] == ["render-000"]
    assert strip_of(FilmView(TIMELINE, ready, BATCHES, FILE)).preview_seconds == 3
    assert FilmView(TIMELINE, ready, BATCHES).beginning() == []
    assert FilmView(TIMELINE, {"render-002": rendered("render-002")}, BATCHES, FILE).beginning() == []


def test_with_a_draft_of_the_sound_the_beginning_is_as_long_as_that() -> None:
    ready = {name: rendered(name) for name in ("render-000", "render-001", "render-002")}
    drafted = FilmView(TIMELINE, ready, BATCHES, FILE, sounds_for=3.5)
    assert [segment.id for segment in drafted.beginning()] == ["render-000", "render-001"]
    assert strip_of(drafted).preview_seconds == 3.5
    assert len(FilmView(TIMELINE, ready, BATCHES, FILE).beginning()) == 3


def test_a_playlist_of_a_film_in_the_making_has_no_end() -> None:
    assert playlist(SEGMENTS[:2], 20, "EVENT", "7", longest=60, ended=False).splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-TARGETDURATION:3",
        "#EXT-X-PLAYLIST-TYPE:EVENT",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        "#EXT-X-START:TIME-OFFSET=0,PRECISE=YES",
        '#EXT-X-MAP:URI="preview/init.mp4?v=7"',
        "#EXTINF:3.000000,",
        "preview/render-000.m4s?v=7",
        "#EXTINF:0.500000,",
        "preview/render-001.m4s?v=7",
    ]


def test_a_finished_films_playlist_ends() -> None:
    text = playlist(SEGMENTS, 20, "VOD", "7", longest=61, ended=True)
    assert "#EXT-X-PLAYLIST-TYPE:VOD" in text
    assert "#EXT-X-TARGETDURATION:4" in text
    assert text.endswith("#EXT-X-ENDLIST\n")
    assert text.count("#EXTINF") == 3
