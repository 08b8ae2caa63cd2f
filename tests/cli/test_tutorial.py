"""The tutorial's commands, as they stand there, in a folder of their own."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from picturelock.ffmpeg.probe import probe
from tests.cli.terminal import ROOT

pytestmark = [pytest.mark.slow]
_INSTALLING = {"make install", "source .venv/bin/activate"}


async def test_the_tutorials_commands_make_its_film_and_the_changed_one(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "tutorial.md").read_text()
    blocks = re.findall(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line not in _INSTALLING]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PICTURELOCK_")}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = await asyncio.create_subprocess_exec(
        "bash", "-euc", "\n".join(lines), cwd=tmp_path, env=environment, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    assert "1 found" in said.decode()  # the plan of the changed film
    film = (await probe(tmp_path / "tides.mp4")).first("video")
    assert film is not None
    assert (film.width, film.height) == (1280, 720)


def test_every_page_of_the_site_is_there_and_every_document_is_a_page() -> None:
    named = set(re.findall(r": (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE))
    there = {path.name for path in (ROOT / "docs").glob("*.md")} | {"adr/README.md"}
    assert named == there


def test_links_between_documents_lead_somewhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)\s#]+)", page.read_text()):
            if "/" in target or target.endswith(".md"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"
