"""One studio for all films of a run, and the material they are made of."""

from pathlib import Path

import pytest
import pytest_asyncio

from tests.films import material
from tests.films.studio import Studio


@pytest.fixture(scope="session")
def studio() -> Studio:
    """The real activities; films are kept for the whole run."""
    return Studio()


async def make_assets(studio: Studio, folder: Path) -> dict[str, str]:
    """Makes and uploads the material; asset ids by name."""
    chart = material.save_chart(folder / "chart.png")
    files = {
        "chart": chart,
        "tall": material.save_chart(folder / "tall.png", 120, 200),
        "wide-chart": material.save_chart(folder / "wide-chart.png", 400, 100),
        "red": material.plain(folder / "red.png", (200, 30, 30)),
        "mark": material.save_mark(folder / "mark.png"),
        "green-mark": material.plain(folder / "green.png", (30, 200, 30), (60, 40)),
        "low": material.save_tone(folder / "low.wav", 220),
        "high": material.save_tone(folder / "high.wav", 1_760),
        "quiet": material.save_tone(folder / "quiet.wav", 220, level=1_500),
        "colors": material.save_seconds(folder / "colors.mp4", ["red", "lime", "blue"], sound="440"),
        "white": material.save_seconds(folder / "white.mp4", ["white", "white"]),
        "wide": material.save_clip_of(folder / "wide.mp4", material.save_chart(folder / "wide.png", 320, 100)),
        "hdr": material.save_hdr(folder / "hdr.mp4"),
    }
    return {name: await studio.upload(path) for name, path in files.items()}


@pytest_asyncio.fixture(scope="session")
async def assets(studio: Studio, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Asset ids by name."""
    return await make_assets(studio, tmp_path_factory.mktemp("material"))
