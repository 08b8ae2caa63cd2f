"""The fragments of a film in the making: the film's own packets, at the film's own times."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from picturelock.errors import OutputInvalid
from picturelock.ffmpeg.tools import ffprobe_path
from picturelock.models import ExportRequest
from picturelock.preview.mp4 import boxes, parse_tracks, read_index
from picturelock.preview.stretches import Stretches
from tests.film_maker import FilmMaker, Produced

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]
SCENES = ["The sea rises, and then it falls again.", "Twice a day, every day."]


@dataclass(frozen=True)
class Cut:
    """A film, and its fragments: those of the segments, and those of the film itself."""

    made: Produced
    header: bytes
    of_segments: list[bytes]
    of_film: list[bytes]


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=["h264", "h265", "av1"])
async def cut(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Cut:
    maker = FilmMaker(tmp_path_factory.mktemp("preview"))
    video = {"width": 320, "height": 180, "fps": 24, "codec": request.param}
    script = {"title": "Tides", "scenes": [{"narration": text} for text in SCENES]}
    wish = {"script": script, "video": video, "transition": {"kind": "fade"}}
    made = await maker.produce(ExportRequest.model_validate(wish))
    segments, stretches, film = made.plan.timeline.segments, Stretches(maker.store), made.result.film
    sound, files = made.sound.artifact, {segment.id: segment.artifact for segment in made.segments}
    last = segments[-1].id
    return Cut(
        made,
        await stretches.header(files[segments[0].id], sound),
        [
            await stretches.of_segment(number, segment, 24, files[segment.id], sound, last=segment.id == last)
            for number, segment in enumerate(segments, 1)
        ],
        [
            await stretches.of_film(number, segment, 24, film, last=segment.id == last)
            for number, segment in enumerate(segments, 1)
        ],
    )  # fmt: skip


def probed(path: Path, kind: str, *wishes: str) -> dict[str, Any]:
    command = [ffprobe_path(), "-v", "error", "-select_streams", kind, "-show_entries", *wishes, "-of", "json"]
    read: dict[str, Any] = json.loads(subprocess.run([*command, str(path)], capture_output=True, check=True).stdout)
    return read


def packets(path: Path, kind: str) -> list[tuple[float, float, str]]:
    """When each packet is shown and for how long, and the digest of its bytes."""
    read = probed(path, kind, "packet=pts_time,duration_time,data_hash", "-show_data_hash", "sha256")["packets"]
    return [(round(float(p["pts_time"]), 3), round(float(p["duration_time"]), 3), p["data_hash"]) for p in read]


async def test_fragments_have_the_films_packets_at_the_films_times(cut: Cut, tmp_path: Path) -> None:
    path = tmp_path / "fragments.mp4"
    path.write_bytes(cut.header + b"".join(cut.of_segments))
    assert packets(path, "v") == packets(cut.made.film, "v")
    assert packets(path, "a") == packets(cut.made.film, "a")


async def test_a_stretch_of_the_finished_film_is_the_fragment_it_was_before(cut: Cut) -> None:
    assert cut.of_film == cut.of_segments


async def test_every_fragment_begins_with_a_picture_that_needs_no_other(cut: Cut, tmp_path: Path) -> None:
    for number, data in enumerate(cut.of_segments):
        path = tmp_path / f"{number}.mp4"
        path.write_bytes(cut.header + data)
        assert "K" in probed(path, "v", "packet=flags")["packets"][0]["flags"]


async def test_what_is_no_mp4_is_refused() -> None:
    async def read(start: int, end: int) -> bytes:
        return data[start:end]

    for data in (b"", b"RIFF" + bytes(40), bytes(16), b"\0\0\0\x10ftypiso6\0\0\0\1", b"\0\0\1\0moov" + bytes(20)):
        with pytest.raises(OutputInvalid, match="no index"):
            await read_index(read, len(data))
    with pytest.raises(OutputInvalid, match="does not end"):
        list(boxes(b"\0\0\0\x20trak" + bytes(4)))
    assert parse_tracks(b"") == {}
