"""Intro and outro: their sound stays beside their picture, and neither silence nor opposite phases deceive anybody."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from picturelock.errors import AssetUnreadable, InvalidRequest
from picturelock.ffmpeg import runner
from picturelock.ffmpeg.samples import decode_file
from picturelock.ffmpeg.tools import ffmpeg_path
from picturelock.models import ExportRequest
from tests.film_maker import FilmMaker, Produced

pytestmark = pytest.mark.slow

PICTURE = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=3"]
Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def encode(*sound: str, name: str = "clip.mp4") -> Path:
        path = tmp_path / name
        command = [ffmpeg_path(), "-v", "error", "-y", *PICTURE, *sound, "-pix_fmt", "yuv420p", str(path)]
        subprocess.run(command, check=True)
        return path

    return encode


@pytest_asyncio.fixture
async def studio(tmp_path: Path) -> FilmMaker:
    return FilmMaker(tmp_path / "studio")


async def film(studio: FilmMaker, clip: Path, **cut: object) -> Produced:
    request = {
        "script": {"scenes": [{"narration": "Hello."}]},
        "video": {"preset": "preview", "width": 320, "height": 180},
        "intro": {"assetId": await studio.upload(clip), **cut},
    }
    return await studio.produce(ExportRequest.model_validate(request))


async def loud(made: Produced) -> list[float]:
    """Where in the intro something is heard, in tenths of a second."""
    samples = await decode_file(made.film, 60)
    tenths = samples[: 3 * 48_000].reshape(-1, 4_800)
    return [number / 10 for number, part in enumerate(tenths) if np.sqrt(np.mean(part**2)) > 0.01]


async def test_sound_that_begins_late_begins_late_in_the_film(make: Make, studio: FilmMaker) -> None:
    clip = make("-itsoffset", "1.5", "-f", "lavfi", "-i", "sine=440:d=1.4")
    heard = await loud(await film(studio, clip))
    assert heard[0] == pytest.approx(1.5, abs=0.1)
    assert heard[-1] == pytest.approx(2.8, abs=0.11)


async def test_a_gap_in_the_sound_stays_where_it_is(make: Make, studio: FilmMaker) -> None:
    gap = "sine=440:d=3,aselect='lt(t,1)+gt(t,2)'"
    heard = await loud(await film(studio, make("-f", "lavfi", "-i", gap, name="gap.mkv")))
    assert 0.5 in heard
    assert 1.5 not in heard
    assert 2.5 in heard


async def test_opposite_phases_are_heard(make: Make, studio: FilmMaker) -> None:
    made = await film(studio, make("-f", "lavfi", "-i", "aevalsrc='0.3*sin(2800*t)|-0.3*sin(2800*t)':d=3"))
    assert "sound of intro and outro" in {one.name for one in made.manifest.checks}


@pytest.mark.parametrize(("level", "cues", "word"), [(0.001, 0, "left out"), (0.006, 1, "by 24 dB only"), (0.2, 1, "")])
async def test_noise_is_not_made_the_loudest_part(
    make: Make, studio: FilmMaker, level: float, cues: int, word: str
) -> None:
    noise = make("-f", "lavfi", "-i", f"anoisesrc=d=3:a={level}:r=48000")
    made = await film(studio, noise)
    assert len(made.plan.timeline.audio.inserts) == cues
    assert [word in one for one in made.plan.warnings] == ([True] if word else [])
    assert all(cue.gain_db <= 24 for cue in made.plan.timeline.audio.inserts)


async def test_only_what_is_shown_counts_for_the_limit(make: Make, studio: FilmMaker) -> None:
    long_sound = make("-f", "lavfi", "-i", "sine=440:d=130")
    made = await film(studio, long_sound, endSeconds=86_400)
    assert made.plan.timeline.scenes[0].frames == 90
    assert [scene.scene_index for scene in made.plan.timeline.scenes] == [None, 0]
    assert {cue.scene_index for cue in made.plan.timeline.cues} == {0}


async def test_a_clip_that_is_too_long_is_refused(studio: FilmMaker, tmp_path: Path) -> None:
    path = tmp_path / "long.mp4"
    source = ["-f", "lavfi", "-i", "color=red:s=64x36:r=10:d=121", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
    await runner.run(["-v", "error", *source, str(path)], stall_seconds=30)
    with pytest.raises(InvalidRequest, match="longer than 120 s"):
        await film(studio, path)


async def test_an_entry_beyond_the_end_is_refused(make: Make, studio: FilmMaker) -> None:
    with pytest.raises(AssetUnreadable, match=r"intro: the clip ends before 7\.0 s"):
        await film(studio, make(), startSeconds=7)
