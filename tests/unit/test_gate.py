"""The gate lets a good film pass and no damaged one: real segments, a real join, real damage."""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
import pytest_asyncio

from picturelock.composition.layout import Part, lay_out, segment_spec
from picturelock.errors import OutputInvalid
from picturelock.ffmpeg import runner
from picturelock.ffmpeg.concat import SegmentFile
from picturelock.ffmpeg.probe import probe
from picturelock.finalize.chapters import Chapter, ChaptersAndSubtitles
from picturelock.finalize.gate import Gate
from picturelock.finalize.manifest import Manifest
from picturelock.finalize.mux import mux
from picturelock.finalize.publish import poster_frame
from picturelock.models import ExportRequest, Music, RenderedSegment
from picturelock.models.film import ClipCut
from picturelock.render import i420
from picturelock.render.segment import drawer, render_segment
from picturelock.render.verify import check_segment
from tests.film_maker import FilmMaker, Produced, quiet

REQUEST = ExportRequest.model_validate(
    {
        "script": {
            "title": "Gate",
            "scenes": [{"narration": "The first scene is blue."}, {"narration": "The second one is not."}],
        },
        "video": {"preset": "preview", "width": 320, "height": 180},
    }
)


@dataclass(frozen=True)
class OnTrial:
    """A film, and gates for it and for what it is turned into."""

    studio: FilmMaker
    film: Path
    made: Produced

    def gate(self, film: Path, segments: list[RenderedSegment] | None = None) -> Gate:
        return Gate(film, self.made.plan, segments or self.made.segments)

    async def joined(self, order: list[int], tracks: ChaptersAndSubtitles, film: Path) -> None:
        segments = [self.made.segments[number] for number in order]
        pieces = [SegmentFile(await self.studio.store.local(one.artifact), one.frames) for one in segments]
        sound = await self.studio.store.local(self.made.sound.artifact)
        await mux(pieces, sound, self.made.plan.format, "Gate", "en", tracks, film)


@pytest_asyncio.fixture(scope="module")
async def produced(tmp_path_factory: pytest.TempPathFactory) -> OnTrial:
    studio = FilmMaker(tmp_path_factory.mktemp("gate"))
    made = await studio.produce(REQUEST)
    return OnTrial(studio, made.film, made)


async def failed_checks(gate: Gate) -> set[str]:
    with pytest.raises(OutputInvalid):
        await gate.verify()
    return {check.name for check in gate.checks if not check.passed}


async def test_a_good_film_passes_every_check(produced: OnTrial) -> None:
    gate = produced.gate(produced.film)
    facts = await gate.verify()
    assert facts.frames == produced.made.plan.timeline.total_frames
    assert abs(facts.duration_seconds - produced.made.plan.timeline.duration_seconds) <= 1 / 30
    assert abs(facts.loudness_lufs + 16) <= 0.5
    assert facts.true_peak_dbtp <= -1
    assert len(gate.checks) >= 13
    assert all(check.passed for check in gate.checks)


async def test_chapters_and_a_subtitle_track_change_nothing_else(produced: OnTrial, tmp_path: Path) -> None:
    tracks = ChaptersAndSubtitles(
        [Chapter("One; #1 = 'x' \\", 0, 60), Chapter("月 مرحبا", 60, 120)], "1\n00:00:00,200 --> 00:00:02,000\nHi {x}\n"
    )
    film = tmp_path / "extras.mp4"
    await produced.joined([0, 1, 2], tracks, film)
    gate = produced.gate(film)
    assert (await gate.verify()).frames == produced.made.plan.timeline.total_frames
    assert [one.codec_name for one in (await probe(film)).streams if one.codec_type == "subtitle"] == ["mov_text"]
    listed = tmp_path / "chapters.txt"
    await runner.run(["-v", "error", "-i", str(film), "-f", "ffmetadata", str(listed)], stall_seconds=30)
    told = listed.read_text()
    assert told.count("[CHAPTER]") == 2
    assert "title=月 مرحبا" in told
    assert "title=One\\; \\#1 \\= 'x' \\\\" in told


async def test_a_film_cut_to_seventy_percent_does_not(produced: OnTrial, tmp_path: Path) -> None:
    cut = tmp_path / "cut.mp4"
    data = produced.film.read_bytes()
    cut.write_bytes(data[: int(len(data) * 0.7)])
    assert await failed_checks(produced.gate(cut))


async def test_a_single_flipped_bit_does_not(produced: OnTrial, tmp_path: Path) -> None:
    data = bytearray(produced.film.read_bytes())
    middle = data.index(b"mdat") + (len(data) - data.index(b"mdat")) // 2
    data[middle] ^= 0x10
    flipped = tmp_path / "flipped.mp4"
    flipped.write_bytes(data)
    assert await failed_checks(produced.gate(flipped))


async def test_swapped_segments_do_not(produced: OnTrial, tmp_path: Path) -> None:
    swapped = tmp_path / "swapped.mp4"
    await produced.joined([2, 1, 0], ChaptersAndSubtitles([]), swapped)
    assert "packets are the segments'" in await failed_checks(produced.gate(swapped))


async def test_another_colour_tag_does_not(produced: OnTrial, tmp_path: Path) -> None:
    other = tmp_path / "other.mp4"
    await runner.run(
        ["-v", "error", "-i", str(produced.film), "-c", "copy", "-movflags", "+faststart",
         "-bsf:v", "h264_metadata=colour_primaries=6:matrix_coefficients=6", str(other)], stall_seconds=60,
    )  # fmt: skip
    assert "one set of headers" in await failed_checks(produced.gate(other))


async def test_a_film_without_its_speech_does_not(produced: OnTrial, tmp_path: Path) -> None:
    silent = tmp_path / "silent.mp4"
    await runner.run(
        ["-v", "error", "-i", str(produced.film), "-c:v", "copy", "-af", "volume=0", "-c:a", "aac", str(silent)],
        stall_seconds=60,
    )
    assert {"loudness", "speech in every scene"} <= await failed_checks(produced.gate(silent))


async def test_a_black_frame_where_none_was_drawn_does_not(produced: OnTrial) -> None:
    brighter = [one.model_copy(update={"first_luma": one.first_luma + 60}) for one in produced.made.segments]
    assert await failed_checks(produced.gate(produced.film, brighter)) == {"brightness as drawn"}


@pytest.mark.parametrize("content", [b"", b"I am a text, not a film.\n"])
async def test_what_is_no_film_is_an_output_that_is_made_again(
    produced: OnTrial, tmp_path: Path, content: bytes
) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(content)
    with pytest.raises(OutputInvalid) as caught:
        await produced.gate(film).verify()
    assert caught.value.describe("finalize").retryable
    assert "upload" not in caught.value.remediation


async def test_a_segment_with_fewer_frames_than_were_drawn_is_refused(produced: OnTrial) -> None:
    segment = produced.made.segments[0]
    path = await produced.studio.store.local(segment.artifact)
    assert len((await check_segment(path, segment.frames)).digests) == segment.frames
    for frames in (segment.frames - 1, segment.frames + 1):
        with pytest.raises(OutputInvalid, match=f"{frames} were drawn"):
            await check_segment(path, frames)


async def test_a_segment_that_is_tagged_differently_does_not_join_unnoticed(produced: OnTrial, tmp_path: Path) -> None:
    odd = produced.made.segments[1]
    tagged = tmp_path / "tagged.mp4"
    await runner.run(
        ["-v", "error", "-i", str(await produced.studio.store.local(odd.artifact)), "-c", "copy",
         "-bsf:v", "h264_metadata=matrix_coefficients=6", str(tagged)], stall_seconds=60,
    )  # fmt: skip
    packets = await check_segment(tagged, odd.frames)
    artifact = await produced.studio.store.put_file(tagged, "video/mp4")
    update = {"artifact": artifact, "packets_sha256": packets.combined(), "extradata_sha256": packets.extradata}
    segments = [produced.made.segments[0], odd.model_copy(update=update), produced.made.segments[2]]
    film = tmp_path / "film.mp4"
    pieces = [SegmentFile(await produced.studio.store.local(one.artifact), one.frames) for one in segments]
    sound = await produced.studio.store.local(produced.made.sound.artifact)
    await mux(pieces, sound, produced.made.plan.format, "Gate", "en", ChaptersAndSubtitles([]), film)
    assert "one set of headers" in await failed_checks(produced.gate(film, segments))


async def test_music_that_cannot_be_heard_does_not(produced: OnTrial) -> None:
    plan = produced.made.plan
    audio = plan.timeline.audio.model_copy(update={"music": Music(asset_id="sha256-" + "0" * 64)})
    planned = plan.model_copy(update={"timeline": plan.timeline.model_copy(update={"audio": audio})})
    assert await failed_checks(Gate(produced.film, planned, produced.made.segments)) == {"music between the speech"}


async def test_a_segment_is_found_again_instead_of_made_again(produced: OnTrial) -> None:
    spec = segment_spec(produced.made.plan, produced.made.plan.timeline.segments[0])
    again = await render_segment("render-900", spec, produced.studio.store, produced.studio.scratch, 60, quiet)
    assert again.cached
    assert again.artifact == produced.made.segments[0].artifact


async def test_a_scene_that_only_moves_in_time_is_found_again(produced: OnTrial) -> None:
    """Another first sentence: the second scene begins elsewhere in the film and is the same bytes."""
    script = REQUEST.script
    assert script is not None
    longer = script.scenes[0].model_copy(update={"narration": "The first scene is blue, and it takes its time."})
    changed = script.model_copy(update={"scenes": [longer, script.scenes[1]]})
    made = await produced.studio.produce(REQUEST.model_copy(update={"script": changed}))
    assert [one.cached for one in made.segments] == [False, False, True]
    assert made.segments[-1].artifact == produced.made.segments[-1].artifact
    moved = made.plan.timeline.scenes[1].start_frame - produced.made.plan.timeline.scenes[1].start_frame
    assert moved > 0


async def test_two_renders_of_one_segment_are_the_same_bytes(produced: OnTrial, tmp_path: Path) -> None:
    fresh = FilmMaker(tmp_path)
    shutil.copytree(
        Path(produced.studio.store.location.removeprefix("file://")) / "blobs", tmp_path / "store" / "blobs"
    )
    spec = segment_spec(produced.made.plan, produced.made.plan.timeline.segments[1])
    pair = await asyncio.gather(
        *(render_segment("render-001", spec, fresh.store, fresh.scratch, 60, quiet) for _ in range(2))
    )
    assert pair[0].artifact == pair[1].artifact == produced.made.segments[1].artifact


async def test_the_poster_is_the_first_frame_of_the_first_scene(produced: OnTrial) -> None:
    poster = next(one for one in produced.made.result.artifacts if one.name == "poster.jpg")
    data = np.frombuffer(await produced.studio.store.read(poster), np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (180, 320, 3)
    spec = segment_spec(produced.made.plan, produced.made.plan.timeline.segments[0])
    drawn = i420.new_frame(320, 180)
    async with drawer(spec, produced.studio.store, produced.studio.scratch) as draw:
        draw(0, drawn)
    shown = i420.views(i420.from_rgb(np.ascontiguousarray(picture[:, :, ::-1])))
    assert np.abs(shown.y.astype(int) - i420.views(drawn).y).mean() < 3


def test_the_poster_of_a_film_with_an_intro_is_of_its_first_scene(produced: OnTrial) -> None:
    layout = lay_out([Part(kind="intro", frames=90), Part(speech_samples=96_000)], 30, 0.5)
    plan = produced.made.plan
    timeline = plan.timeline.model_copy(update={"scenes": layout.scenes, "segments": layout.segments})
    still = plan.pictures[0]
    clip = still.model_copy(update={"clip": ClipCut(first=0, frames=90, when_short="freeze", fit="cover")})
    with_still = plan.model_copy(update={"timeline": timeline, "pictures": [clip, still]})
    with_clip = plan.model_copy(update={"timeline": timeline, "pictures": [clip, clip]})
    scene = layout.scenes[1]
    assert poster_frame(with_still) == scene.start_frame + 15
    assert poster_frame(with_still) in {segment.start_frame for segment in layout.segments}
    assert poster_frame(with_clip) == scene.start_frame + scene.frames // 3


async def test_publishing_is_atomic_and_complete(produced: OnTrial) -> None:
    result = produced.made.result
    names = [one.name for one in result.artifacts]
    assert names == [
        "captions.srt",
        "captions.vtt",
        "poster.jpg",
        "transcript.txt",
        "transcript.html",
        "script.json",
        "timeline.json",
        "manifest.json",
    ]
    assert all([await produced.studio.store.has(one) for one in [result.film, *result.artifacts]])
    assert await produced.studio.store.job_record("film", "manifest.json", Manifest) is not None
    assert result.film.name == "Gate.mp4"
    again = await produced.studio.produce(REQUEST)
    assert again.result.film == result.film
    assert all(one.cached for one in again.segments)
