"""Films in a folder: planned without a service, made when they have changed, found on another machine."""

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
import yaml
from PIL import Image

from picturelock.cli.lock_file import NAME
from picturelock.store.hashing import sha256_of
from tests.cli.terminal import ROOT, piped

pytestmark = [pytest.mark.slow]
HEAD = "---\nvideo:\n  preset: preview\n  width: 256\n  height: 144\n---\n"


def scripts(folder: Path) -> Path:
    """Two scripts, one of them with a picture beside it, and a page about them."""
    (folder / "more").mkdir(parents=True)
    Image.new("RGB", (320, 180), (90, 30, 200)).save(folder / "more" / "blue.png")
    (folder / "sea.md").write_text(f"{HEAD}# Sea\n\n## Calm\n\nThe sea is calm.\n\n## Rough\n\nThen it is rough.\n")
    (folder / "more" / "sky.md").write_text(f"{HEAD}# Sky\n\n## Blue\n\n![The sky](blue.png)\n\nThe sky is blue.\n")
    (folder / "README.md").write_text("Our films.\n")
    return folder


async def planned(*arguments: str) -> dict[str, dict[str, Any]]:
    said = await piped("plan", *arguments, "--json")
    assert said.code == 0, said.err
    rows = [json.loads(line) for line in said.out.splitlines()]
    return {row["script"]: row for row in rows}


def missing(row: dict[str, Any]) -> int:
    return sum(row[name]["missing"] for name in ("narrations", "pictures", "segments", "sound", "film"))


@pytest_asyncio.fixture(scope="module")
async def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scripts and their films, made in the one cold build that several tests go on from."""
    place = tmp_path_factory.mktemp("once")
    folder = scripts(place / "scripts")
    built = await piped("build", str(folder), "--data", str(place / "data"), "-o", str(place / "out"), "--quiet")
    assert built.code == 0, built.err
    return place


@pytest.fixture
def place(once: Path, tmp_path: Path) -> Path:
    """A copy of them, for one test."""
    return Path(shutil.copytree(once, tmp_path / "place"))


async def test_a_plan_starts_nothing(tmp_path: Path) -> None:
    folder, data = scripts(tmp_path / "scripts"), tmp_path / "data"
    cold = await planned(str(folder), "--data", str(data))
    assert set(cold) == {"sea", "more/sky"}
    assert all(row["film"] == {"found": 0, "missing": 1} for row in cold.values())
    assert not (data / "stack.json").exists()


async def test_a_folder_becomes_films_once_and_again_elsewhere(place: Path) -> None:
    folder, data, out = place / "scripts", place / "data", place / "out"
    films = [out / "sea.mp4", out / "more" / "sky.mp4"]
    assert all(film.stat().st_size > 1_000 for film in films)
    lock = json.loads((out / NAME).read_text())
    files = {name: film["file"] for name, film in lock["films"].items()}
    assert files == {"sea": "sea.mp4", "more/sky": "more/sky.mp4"}
    assert lock["films"]["sea"]["sha256"] == sha256_of(films[0])
    assert {"ffmpeg", "typst", "segments", "pictures", "layouts"} <= lock["tools"].keys()

    again = await piped("build", str(folder), "--data", str(data), "--output", str(out))
    assert (again.code, again.out.count("up to date")) == (0, 2)
    assert "starting" not in again.err

    films[0].unlink()
    copied = await piped("build", str(folder), "--data", str(data), "--output", str(out))
    assert "sea.mp4  was there already" in copied.out
    assert sha256_of(films[0]) == lock["films"]["sea"]["sha256"]
    assert films[0].stat().st_mode == films[1].stat().st_mode  # copied or downloaded, the same people may watch it
    assert not list(out.glob(".*.part"))

    there = place / "another machine"
    shutil.copytree(folder, there / "scripts")
    shutil.copytree(data / "store", there / "data" / "store")
    elsewhere = await planned(str(there / "scripts"), "--data", str(there / "data"))
    assert [missing(row) for row in elsewhere.values()] == [0, 0]
    restored = await piped("build", str(there / "scripts"), "--data", str(there / "data"), "-o", str(there / "out"))
    assert (restored.code, restored.out.count("was there already")) == (0, 2)


async def test_what_has_changed_is_made_and_shown_before_and_after(place: Path) -> None:
    folder, data, out = place / "scripts", str(place / "data"), place / "out"
    sheet = place / "sheet.png"
    common = ["--data", data, "--output", str(out), "--quiet"]
    before = sha256_of(out / "sea.mp4")
    script = folder / "sea.md"
    script.write_text(script.read_text().replace("Then it is rough", "Then it is wild"))
    row = (await planned(str(script), "--data", data))["sea"]
    assert (row["narrations"], row["sound"]["missing"]) == ({"found": 1, "missing": 1}, 1)
    assert row["segments"]["found"] >= 1
    assert (await piped("plan", str(folder), "--data", data, "--exit-code")).code == 3
    built = await piped("build", str(folder), *common, "--sheet", str(sheet))
    assert built.code == 0, built.err
    assert "sky.mp4  is up to date" in built.out
    assert sha256_of(out / "sea.mp4") != before
    assert (await piped("plan", str(folder), "--data", data, "--exit-code")).code == 0
    picture = np.asarray(Image.open(sheet))
    rows = 2  # of one film, before and after
    assert picture.shape[0] == 8 + rows * (26 + 136 + 8)
    assert picture[40:160].std() > 5
    assert picture[210:330].std() > 5


async def test_other_tools_than_those_of_the_lock_are_told_and_refused_when_asked(tmp_path: Path) -> None:
    folder, out = scripts(tmp_path / "scripts"), tmp_path / "out"
    out.mkdir()
    (out / NAME).write_text('{"tools": {"ffmpeg": "1.0"}, "films": {}}')
    said = await piped("build", str(folder), "--data", str(tmp_path / "data"), "-o", str(out), "--locked")
    assert said.code == 2
    assert "ffmpeg is" in said.err
    assert "was 1.0" in said.err
    assert not (out / "sea.mp4").exists()
    (out / NAME).write_text("{")
    broken = await piped("build", str(folder), "--data", str(tmp_path / "data"), "-o", str(out))
    assert broken.code == 2
    assert NAME in broken.err


async def test_every_script_that_is_wrong_is_named(tmp_path: Path) -> None:
    folder = scripts(tmp_path / "scripts")
    (folder / "sea.md").write_text("---\nnonsense: 1\n---\nThe sea.\n")
    (folder / "more" / "sky.md").write_text("![The sky](gone.png)\n")
    said = await piped("plan", str(folder), "--data", str(tmp_path / "data"))
    assert said.code == 2
    assert "gone.png" in said.err
    (folder / "more" / "sky.md").write_text("# Sky\n\n```chart\nno numbers\n```\n")
    said = await piped("plan", str(folder), "--data", str(tmp_path / "data"))
    assert said.code == 2
    assert "sea.md" in said.err
    assert "sky.md" in said.err
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "no script" in (await piped("plan", str(empty))).err
    twice = await piped("plan", str(folder / "sea.md"), str(folder / "sea.md"))
    assert "the same film" in twice.err


async def test_a_service_that_is_named_is_asked(tmp_path: Path) -> None:
    from tests.faults.stack import start_up, stop

    folder = scripts(tmp_path / "scripts")
    up = await start_up(tmp_path / "data")
    try:
        rows = await planned(str(folder), "--api", up.api)
        assert all(row["film"]["missing"] == 1 for row in rows.values())
        built = await piped("build", str(folder), "--api", up.api, "-o", str(tmp_path / "out"), "-q")
        assert built.code == 0, built.err
        rows = await planned(str(folder), "--api", up.api)
        assert [missing(row) for row in rows.values()] == [0, 0]
        again = await piped("build", str(folder), "--api", up.api, "-o", str(tmp_path / "out"))
        assert again.out.count("up to date") == 2
    finally:
        await stop(up)


async def test_the_workflow_for_ci_does_what_it_says(tmp_path: Path) -> None:
    workflow = yaml.safe_load((ROOT / "examples" / "ci" / "films.yml").read_text())
    steps = [step["run"] for step in workflow["jobs"]["films"]["steps"] if "run" in step]
    assert steps[0] == 'pip install "picturelock[local]"'
    shutil.rmtree(scripts(tmp_path / "films") / "more")  # one film shows it
    kept = next(step["with"]["path"] for step in workflow["jobs"]["films"]["steps"] if "cache" in step.get("uses", ""))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PICTURELOCK_")}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for _ in range(2):
        for step in steps[1:]:
            process = await asyncio.create_subprocess_shell(step, cwd=tmp_path, env=environment)
            assert await process.wait() == 0, step
        assert (tmp_path / "out" / "sea.mp4").exists()
        assert (tmp_path / kept).is_dir()
        shutil.move(tmp_path / kept, tmp_path / "kept")  # another machine has the cache alone
        shutil.rmtree(tmp_path / ".picturelock")
        shutil.rmtree(tmp_path / "out")
        (tmp_path / ".picturelock").mkdir()
        shutil.move(tmp_path / "kept", tmp_path / kept)
