"""The gate lets a good film pass and no damaged one: real segments, a real join, real damage."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from picturelock.composition.compose import Composer
from picturelock.composition.layout import segment_spec
from picturelock.errors import OutputInvalid
from picturelock.finishing import Finisher, master_sound
from picturelock.media import ffmpeg, join
from picturelock.media.extras import Chapter, Extras
from picturelock.media.probe import probe
from picturelock.media.verify import Gate
from picturelock.models import ExportRequest, Narration, RenderedSegment, RenderPlan, Sound
from picturelock.rendering import render_segment
from picturelock.speech.hibari import HibariEngine
from picturelock.speech.narrate import narrate
from picturelock.storage import Store

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
class Produced:
    """Everything a film is made of, and the film."""

    folder: Path
    store: Store
    plan: RenderPlan
    narrations: list[Narration]
    segments: list[RenderedSegment]
    sound: Sound
    film: Path

    def gate(self, film: Path, segments: list[RenderedSegment] | None = None) -> Gate:
        return Gate(film, self.plan, segments or self.segments)


@pytest_asyncio.fixture(scope="module")
async def produced(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Produced]:
    folder = tmp_path_factory.mktemp("gate")
    scratch = folder / "scratch"
    store = Store((folder / "store").as_uri(), scratch)
    script = REQUEST.script
    assert script is not None
    engine = HibariEngine()
    narrations = [
        await narrate(scene, i, REQUEST.voice, "en", {"hibari": engine}, store) for i, scene in enumerate(script.scenes)
    ]
    plan = await Composer(REQUEST, script, narrations, store, scratch).compose(lambda *_: None)
    segments = [
        await render_segment(one.id, segment_spec(plan, one), store, scratch, 60, lambda *_: None)
        for one in plan.timeline.segments
    ]
    sound = await master_sound(plan, store, scratch, 60, lambda *_: None)
    film = folder / "film.mp4"
    pieces = [join.Piece(await store.local(one.artifact), one.frames) for one in segments]
    await join.join(pieces, await store.local(sound.artifact), plan.format, "Gate", "en", Extras([]), film)
    yield Produced(folder, store, plan, narrations, segments, sound, film)


async def failed_checks(gate: Gate) -> set[str]:
    with pytest.raises(OutputInvalid):
        await gate.verify()
    return {check.name for check in gate.checks if not check.passed}


async def test_a_good_film_passes_every_check(produced: Produced) -> None:
    gate = produced.gate(produced.film)
    facts = await gate.verify()
    assert facts.frames == produced.plan.timeline.total_frames
    assert abs(facts.duration_seconds - produced.plan.timeline.duration_seconds) <= 1 / 30
    assert abs(facts.loudness_lufs + 16) <= 0.5
    assert facts.true_peak_dbtp <= -1
    assert len(gate.checks) >= 13
    assert all(check.passed for check in gate.checks)


async def test_chapters_and_a_subtitle_track_change_nothing_else(produced: Produced, tmp_path: Path) -> None:
    extras = Extras(
        [Chapter("One; #1 = 'x' \\", 0, 60), Chapter("月 مرحبا", 60, 120)], "1\n00:00:00,200 --> 00:00:02,000\nHi {x}\n"
    )
    film = tmp_path / "extras.mp4"
    pieces = [join.Piece(await produced.store.local(one.artifact), one.frames) for one in produced.segments]
    sound = await produced.store.local(produced.sound.artifact)
    await join.join(pieces, sound, produced.plan.format, "Gate", "en", extras, film)
    gate = produced.gate(film)
    assert (await gate.verify()).frames == produced.plan.timeline.total_frames
    assert [one.codec_name for one in (await probe(film)).streams if one.codec_type == "subtitle"] == ["mov_text"]
    listed = tmp_path / "chapters.txt"
    await ffmpeg.run(["-v", "error", "-i", str(film), "-f", "ffmetadata", str(listed)], stall_seconds=30)
    told = listed.read_text()
    assert told.count("[CHAPTER]") == 2
    assert "title=月 مرحبا" in told
    assert "title=One\\; \\#1 \\= 'x' \\\\" in told


async def test_a_film_cut_to_seventy_percent_does_not(produced: Produced, tmp_path: Path) -> None:
    cut = tmp_path / "cut.mp4"
    data = produced.film.read_bytes()
    cut.write_bytes(data[: int(len(data) * 0.7)])
    assert await failed_checks(produced.gate(cut))


async def test_a_single_flipped_bit_does_not(produced: Produced, tmp_path: Path) -> None:
    data = bytearray(produced.film.read_bytes())
    middle = data.index(b"mdat") + (len(data) - data.index(b"mdat")) // 2
    data[middle] ^= 0x10
    flipped = tmp_path / "flipped.mp4"
    flipped.write_bytes(data)
    assert await failed_checks(produced.gate(flipped))


async def test_swapped_segments_do_not(produced: Produced, tmp_path: Path) -> None:
    order = [2, 1, 0]
    pieces = [
        join.Piece(await produced.store.local(produced.segments[i].artifact), produced.segments[i].frames)
        for i in order
    ]
    swapped = tmp_path / "swapped.mp4"
    await join.join(
        pieces, await produced.store.local(produced.sound.artifact), produced.plan.format, "", "en", Extras([]), swapped
    )
    assert "packets are the segments'" in await failed_checks(produced.gate(swapped))


async def test_another_colour_tag_does_not(produced: Produced, tmp_path: Path) -> None:
    other = tmp_path / "other.mp4"
    await ffmpeg.run(
        ["-v", "error", "-i", str(produced.film), "-c", "copy", "-movflags", "+faststart",
         "-bsf:v", "h264_metadata=colour_primaries=6:matrix_coefficients=6", str(other)], stall_seconds=60,
    )  # fmt: skip
    assert "one set of headers" in await failed_checks(produced.gate(other))


async def test_a_film_without_its_speech_does_not(produced: Produced, tmp_path: Path) -> None:
    silent = tmp_path / "silent.mp4"
    await ffmpeg.run(
        ["-v", "error", "-i", str(produced.film), "-c:v", "copy", "-af", "volume=0", "-c:a", "aac", str(silent)],
        stall_seconds=60,
    )
    assert {"loudness", "speech in every scene"} <= await failed_checks(produced.gate(silent))


async def test_a_black_frame_where_none_was_drawn_does_not(produced: Produced) -> None:
    brighter = [one.model_copy(update={"first_luma": one.first_luma + 60}) for one in produced.segments]
    assert await failed_checks(produced.gate(produced.film, brighter)) == {"brightness as drawn"}


async def test_no_file_at_all_does_not(produced: Produced, tmp_path: Path) -> None:
    empty = tmp_path / "empty.mp4"
    empty.touch()
    with pytest.raises(Exception, match=r"probe|no picture|gate"):
        await produced.gate(empty).verify()


async def test_a_segment_is_found_again_instead_of_made_again(produced: Produced) -> None:
    spec = segment_spec(produced.plan, produced.plan.timeline.segments[0])
    again = await render_segment("render-900", spec, produced.store, produced.folder / "scratch", 60, lambda *_: None)
    assert again.cached
    assert again.artifact == produced.segments[0].artifact


async def test_two_renders_of_one_segment_are_the_same_bytes(produced: Produced, tmp_path: Path) -> None:
    fresh = Store((tmp_path / "store").as_uri(), tmp_path / "scratch")
    shutil.copytree(produced.folder / "store" / "blobs", tmp_path / "store" / "blobs")
    spec = segment_spec(produced.plan, produced.plan.timeline.segments[1])
    pair = await asyncio.gather(
        *(render_segment("render-001", spec, fresh, tmp_path / "scratch", 60, lambda *_: None) for _ in range(2))
    )
    assert pair[0].artifact == pair[1].artifact == produced.segments[1].artifact


async def test_publishing_is_atomic_and_complete(produced: Produced) -> None:
    script = REQUEST.script
    assert script is not None
    finisher = Finisher(
        job_id="job-of-gate", attempt=1, correlation_id="c", created_at=datetime.now(UTC),
        request=REQUEST, script=script, plan=produced.plan, narrations=produced.narrations, segments=produced.segments,
        sound=produced.sound, store=produced.store, scratch=produced.folder / "scratch",
    )  # fmt: skip
    result = await finisher.finish()
    names = [one.name for one in result.artifacts]
    assert names == ["captions.srt", "captions.vtt", "poster.jpg", "script.json", "timeline.json", "manifest.json"]
    assert all([await produced.store.has(one) for one in [result.film, *result.artifacts]])
    assert await produced.store.job_file("job-of-gate", "manifest.json") is not None
    assert result.film.name == "Gate.mp4"
    again = await finisher.finish()
    assert again.film == result.film
