"""`picturelock doctor` finds what has been put wrong, and says what to do."""

import json
import os
import resource
import stat
import sys
from asyncio.subprocess import PIPE, create_subprocess_exec
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from picturelock.cli.ports import any_free
from tests.cli.terminal import COMMAND, ROOT
from tests.servers import FakeServer, Reply

pytestmark = [pytest.mark.slow]


@dataclass(frozen=True)
class Told:
    """What the doctor said, by what it is about."""

    code: int
    lines: dict[str, dict[str, Any]]

    def advice(self, what: str) -> str:
        assert not self.lines[what]["well"]
        return str(self.lines[what]["advice"])


async def doctor(folder: Path, before: Callable[[], None] | None = None, **environment: str) -> Told:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PICTURELOCK_", "TEMPORAL_"))}
    process = await create_subprocess_exec(
        *COMMAND, "doctor", "--json", cwd=ROOT, stdout=PIPE, stderr=PIPE, preexec_fn=before,
        env={**clean, "PICTURELOCK_DATA_DIR": str(folder / "data"), **environment},
    )  # fmt: skip
    out, err = await process.communicate()
    assert not err, err.decode()
    return Told(process.returncode or 0, {line["what"]: line for line in map(json.loads, out.decode().splitlines())})


def program(path: Path, text: str) -> str:
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(path.stat().st_mode | stat.S_IEXEC)
    return str(path)


async def test_a_healthy_machine_is_well(tmp_path: Path) -> None:
    told = await doctor(tmp_path)
    assert told.code == 0
    assert [what for what, line in told.lines.items() if not line["well"] and line["serious"]] == []
    assert {"ffmpeg", "ffprobe", "fonts", "voices", "Temporal", "store", "scratch", "open files"} <= told.lines.keys()


async def test_a_program_that_is_missing_is_named(tmp_path: Path) -> None:
    gone = str(tmp_path / "gone")
    told = await doctor(tmp_path, PICTURELOCK_FFMPEG=gone, PICTURELOCK_FFPROBE=gone, PICTURELOCK_TEMPORAL_CLI=gone)
    assert told.code == 1
    assert "PICTURELOCK_FFMPEG" in told.advice("ffmpeg")
    assert "PICTURELOCK_FFPROBE" in told.advice("ffprobe")
    assert "TEMPORAL_ADDRESS" in told.advice("Temporal")


async def test_an_ffmpeg_that_cannot_run_or_lacks_something_is_seen(tmp_path: Path) -> None:
    told = await doctor(tmp_path, PICTURELOCK_FFMPEG=program(tmp_path / "broken", "raise SystemExit(3)"))
    assert told.code == 1
    assert "PICTURELOCK_FFMPEG" in told.advice("ffmpeg")
    lacking = program(
        tmp_path / "lacking",
        "import sys\n"
        "names = 'libx264 libx265 libvpx-vp9 ebur128 scale'\n"
        "print('ffmpeg version 9.0 of somebody' if '-version' in sys.argv else names)",
    )  # fmt: skip
    told = await doctor(tmp_path, PICTURELOCK_FFMPEG=lacking)
    assert told.code == 1
    assert "libass" in told.advice("ffmpeg filters")
    assert "av1" in told.advice("encoder libsvtav1")
    assert told.lines["encoder libsvtav1"]["serious"] is False


async def test_a_server_that_does_not_answer_is_seen(tmp_path: Path) -> None:
    told = await doctor(tmp_path, TEMPORAL_ADDRESS=f"127.0.0.1:{any_free()}")
    assert told.code == 1
    assert "TEMPORAL_ADDRESS" in told.advice("Temporal")


async def test_a_store_and_a_scratch_folder_that_cannot_be_written_are_seen(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("no folder")
    told = await doctor(tmp_path, PICTURELOCK_STORE_URL=f"file://{file}/store", PICTURELOCK_SCRATCH_DIR=f"{file}/x")
    assert told.code == 1
    assert "PICTURELOCK_STORE_URL" in told.advice("store")
    assert "PICTURELOCK_SCRATCH_DIR" in told.advice("scratch")


async def test_few_open_files_and_many_slots_are_seen(tmp_path: Path) -> None:
    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))

    told = await doctor(tmp_path, few, PICTURELOCK_RENDER_SLOTS="200")
    assert told.code == 1
    assert "ulimit" in told.advice("open files")
    assert "RENDER_SLOTS" in told.advice("cores")


async def test_a_misspelt_setting_and_a_wrong_one_are_named(tmp_path: Path) -> None:
    told = await doctor(tmp_path, PICTURELOCK_RENDR_SLOTS="3")
    assert told.code == 0
    assert "PICTURELOCK_RENDER_SLOTS" in told.advice("PICTURELOCK_RENDR_SLOTS")
    told = await doctor(tmp_path, PICTURELOCK_RENDER_SLOTS="three")
    assert told.code == 1
    assert "integer" in told.lines["PICTURELOCK_RENDER_SLOTS"]["said"]


async def test_an_api_that_is_away_refuses_the_key_or_has_another_time_is_seen(tmp_path: Path) -> None:
    told = await doctor(tmp_path, PICTURELOCK_API_URL=f"http://127.0.0.1:{any_free()}")
    assert told.code == 1
    assert "PICTURELOCK_API_URL" in told.advice("API")
    refusing = {"/api/jobs": Reply(401, {})}
    server = FakeServer([Reply(200, {})], routes=refusing, date="Mon, 01 Jan 2024 10:00:00 GMT")
    told = await doctor(tmp_path, PICTURELOCK_API_URL=server.url)
    server.stop()
    assert told.code == 1
    assert "keys create" in told.advice("API key")
    assert "NTP" in told.advice("clock")


async def test_a_wrong_setting_is_named_by_every_command(tmp_path: Path) -> None:
    from tests.cli.terminal import piped

    said = await piped("jobs", environment={"PICTURELOCK_RENDER_SLOTS": "three"})
    assert said.code == 2
    assert said.err.startswith("PICTURELOCK_RENDER_SLOTS: ")
