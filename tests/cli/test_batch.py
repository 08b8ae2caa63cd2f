"""`picturelock batch`: films by rows, what they share made once."""

import json
from pathlib import Path

import httpx
import pytest

from tests.cli.terminal import piped
from tests.faults.stack import start_up, stop

pytestmark = [pytest.mark.slow]
SCRIPT = (
    "---\nvideo:\n  preset: preview\n  width: 256\n  height: 144\n---\n# For {{name}}\n\n## Hello {{name}}\n\n"
    "Hello {{name}}.\n\n## Same\n\nThis is the same for everybody.\n\n## Again\n\nAnd so is this, for all.\n"
)


async def test_a_film_for_each_row_and_what_they_share_once(tmp_path: Path) -> None:
    script, rows, out = tmp_path / "hello.md", tmp_path / "people.csv", tmp_path / "films"
    script.write_text(SCRIPT)
    rows.write_text('name\nAda\n"Grace, the second"\nKatherine\nMary\n')
    up = await start_up(tmp_path / "data")
    try:
        said = await piped("batch", str(script), str(rows), "-o", str(out), "--json", "--api", up.api)
        assert said.code == 0, said.err
        batch = json.loads(said.out.splitlines()[0])
        assert batch["counts"] == {"completed": 4}
        films = json.loads((out / "manifest.json").read_text())
        assert [film["file"] for film in films] == ["001.mp4", "002.mp4", "003.mp4", "004.mp4"]
        assert [film["values"]["name"] for film in films] == ["Ada", "Grace, the second", "Katherine", "Mary"]
        assert len({film["sha256"] for film in films}) == 4
        assert all((out / film["file"]).stat().st_size > 1_000 for film in films)
        made: list[tuple[str, float]] = []
        async with httpx.AsyncClient(base_url=up.api, timeout=30) as http:
            for film in films:
                manifest = (await http.get(f"/api/jobs/{film['jobId']}/artifacts/manifest.json")).json()
                made += [
                    (one["artifact"]["sha256"], one["frames"]) for one in manifest["segments"] if not one["cached"]
                ]
                spoken = [one for one in manifest["narrations"] if not one["cached"]]
                assert len(spoken) >= 1
        assert len(made) == len(set(made))  # nothing was rendered twice
    finally:
        await stop(up)


async def test_rows_that_cannot_be_read_are_refused_before_anything_starts(tmp_path: Path) -> None:
    script, rows = tmp_path / "hello.md", tmp_path / "people.csv"
    script.write_text(SCRIPT)
    for content in ("", "name\n", "name,more\nAda\n"):
        rows.write_text(content)
        said = await piped("batch", str(script), str(rows), "--data", str(tmp_path / "data"))
        assert said.code == 2
        assert "people.csv" in said.err
    assert not (tmp_path / "data").exists()
    broken = tmp_path / "rows.json"
    broken.write_text("{")
    assert (await piped("batch", str(script), str(broken), "--data", str(tmp_path / "data"))).code == 2
