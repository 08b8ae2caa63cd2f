"""Draws the golden frames again and writes them with a sheet to look at.

    python -m scripts.goldens [--sheet FILE]

Refuses when a frame has changed although its version has not: caches hold frames of that version.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from pathlib import Path

from PIL import Image

_FOLDER = tempfile.TemporaryDirectory(prefix="picturelock-goldens-")
os.environ["PICTURELOCK_DATA_DIR"] = _FOLDER.name  # settings are read once a process

from tests.films.conftest import make_assets  # noqa: E402
from tests.films.goldens import FOLDER, Refused, all_goldens, changes, index, sheet, write_index  # noqa: E402
from tests.films.studio import Picture, Studio  # noqa: E402


async def _draw() -> tuple[dict[str, Picture], dict[str, Picture]]:
    """Today's frames, and those that are kept."""
    studio = Studio()
    goldens = all_goldens(await make_assets(studio, Path(_FOLDER.name)))
    old = {one.name: kept for one in goldens if (kept := one.kept()) is not None}
    return {one.name: await one.make(studio) for one in goldens}, old


def main() -> int:
    """Reads the command line and runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sheet", type=Path, default=Path("goldens.png"))
    where = parser.parse_args().sheet
    FOLDER.mkdir(exist_ok=True)
    new, old = asyncio.run(_draw())
    sheet(new).save(where)
    try:
        changed = changes(new, old, index().get("versions"))
    except Refused as refused:
        print(f"{refused} (all frames of today: {where})", file=sys.stderr)
        return 1
    for path in FOLDER.glob("*.png"):
        if path.stem not in new:
            path.unlink()
    for name in changed:
        Image.fromarray(new[name]).save(FOLDER / f"{name}.png", optimize=True)
    write_index()
    print(f"{len(changed)} of {len(new)} frames changed; look at {where}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
