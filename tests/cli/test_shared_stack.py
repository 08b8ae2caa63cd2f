"""Exports that share a stack: whoever ends first takes it from nobody, the last one ends it."""

import asyncio
import json
import signal
from pathlib import Path

import pytest

from picturelock.ffmpeg.probe import probe
from tests.cli.terminal import Ended, ended, piped, start
from tests.faults.stack import gone, long_script, running

pytestmark = pytest.mark.slow


def script(path: Path, scenes: int) -> Path:
    """A script of its own of so many scenes."""
    made = long_script(scenes)["script"]
    path.write_text(json.dumps({"script": made, "video": {"preset": "preview", "width": 320, "height": 180}}))
    return path


def export(script: Path, data: Path) -> list[str]:
    return ["export", str(script), "--output", str(script.with_suffix(".mp4")), "--data", str(data)]


async def state_of(data: Path) -> dict[str, object]:
    """The running stack's own description."""
    async with asyncio.timeout(50):
        while not (data / "stack.json").exists():
            await asyncio.sleep(0.05)
    described: dict[str, object] = json.loads((data / "stack.json").read_text())
    return described


def pids(state: dict[str, object]) -> list[int]:
    children = state["pids"]
    assert isinstance(children, dict)
    return [int(str(state["supervisor"])), *map(int, children.values())]


async def is_film(said: Ended, path: Path) -> None:
    assert said.code == 0, said.err
    assert (await probe(path)).first("video") is not None


async def test_two_exports_share_a_stack_and_the_last_one_ends_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    short, long = script(tmp_path / "short.json", 1), script(tmp_path / "long.json", 9)
    both = [await start(*export(one, data)) for one in (short, long)]  # at the same moment: one of them starts it
    state = await state_of(data)
    await is_film(await ended(both[0]), short.with_suffix(".mp4"))
    assert both[1].returncode is None, "the long film has to outlast the short one"
    assert all(map(running, pids(state)))
    await is_film(await ended(both[1]), long.with_suffix(".mp4"))
    await gone(pids(state))
    assert not (data / "stack.json").exists()


async def test_an_export_that_is_killed_takes_the_stack_from_nobody(tmp_path: Path) -> None:
    data = tmp_path / "data"
    first, second = script(tmp_path / "first.json", 9), script(tmp_path / "second.json", 4)
    killed = await start(*export(first, data))
    state = await state_of(data)
    lasting = await start(*export(second, data))
    assert lasting.stderr is not None
    while not (await lasting.stderr.readline()).startswith(b"job "):
        pass
    killed.kill()
    await killed.communicate()
    await is_film(await ended(lasting), second.with_suffix(".mp4"))
    await gone(pids(state))


async def test_a_stack_whose_only_export_is_killed_ends_by_itself(tmp_path: Path) -> None:
    data = tmp_path / "data"
    killed = await start(*export(script(tmp_path / "film.json", 9), data))
    state = await state_of(data)
    killed.kill()
    await killed.communicate()
    await gone(pids(state))
    assert not (data / "stack.json").exists()


async def test_ctrl_c_of_the_only_export_ends_the_stack(tmp_path: Path) -> None:
    data = tmp_path / "data"
    exporting = await start(*export(script(tmp_path / "film.json", 9), data))
    assert exporting.stderr is not None
    while not (await exporting.stderr.readline()).startswith(b"job "):
        pass
    state = await state_of(data)
    exporting.send_signal(signal.SIGINT)
    said = await ended(exporting)
    assert (said.code, "Traceback" in said.err) == (130, False)
    await gone(pids(state))
    assert not (tmp_path / "film.mp4").exists()


async def test_a_stack_that_cannot_start_says_why(tmp_path: Path) -> None:
    broken = {"PICTURELOCK_TEMPORAL_CLI": str(tmp_path / "no-temporal")}
    said = await piped(*export(script(tmp_path / "film.json", 1), tmp_path / "data"), environment=broken)
    assert (said.code, said.out) == (2, "")
    assert "no-temporal" in said.err or "temporal was not found" in said.err
    assert "Traceback" not in said.err
