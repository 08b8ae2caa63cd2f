"""Golden frames: what each look of a film was when its version was given out.

A picture that changes without a new version would be found in caches beside older ones, and one film would show both.
`make goldens` draws them again, refuses when a version has to be raised first, and writes a sheet to look at.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from PIL import Image, ImageDraw

from picturelock.composition.pictures import VERSION as PICTURE_VERSION
from picturelock.models import VideoOptions
from picturelock.presets import resolve
from picturelock.render.encode import VERSION as SEGMENT_VERSION
from picturelock.render.encoders import SOFTWARE, encoding
from tests.films.studio import Body, Picture, Studio

FOLDER: Final = Path(__file__).parent / "golden"
INDEX: Final = FOLDER / "index.json"
VERSIONS: Final = {"picture": PICTURE_VERSION, "segment": SEGMENT_VERSION}
"""The versions that are part of the cache keys of pictures and of segments."""

STEP: Final = 2
SHARE: Final = 0.01
"""Processors round differently: up to two steps of 255 in one pixel of a hundred are the same picture."""


@dataclass(frozen=True)
class Golden:
    """A named frame of a film: as it is drawn, or as it is encoded and shown, with its captions."""

    name: str
    film: Body
    frame: int
    how: Literal["drawn", "shown"] = "drawn"

    async def make(self, studio: Studio) -> Picture:
        """The frame as the code makes it today."""
        picture = studio.drawn if self.how == "drawn" else studio.shown
        return await picture(self.film, self.frame)

    @property
    def path(self) -> Path:
        """Where the frame is kept."""
        return FOLDER / f"{self.name}.png"

    def kept(self) -> Picture | None:
        """The frame as it was, or None."""
        return np.asarray(Image.open(self.path).convert("RGB")) if self.path.exists() else None


def all_goldens(assets: dict[str, str]) -> list[Golden]:
    """Every look that there is, each once."""
    chart, hum = {"kind": "image", "assetId": assets["chart"]}, {"narrationAssetId": assets["low"]}

    def film(*visuals: Body | None, **fields: object) -> Body:
        said = {"narration": "Hum of the sea.", **hum}
        scenes = [said if visual is None else {**said, "visual": visual} for visual in visuals]
        video = {"preset": "preview", "width": 192, "height": 128, "fps": 24, "crf": 12}
        plain = {"captions": {"burnIn": False}, "transition": {"kind": "none"}}
        return {"script": {"title": "Sea", "scenes": scenes}, "video": video, **plain, **fields}

    def worded(language: str, words: str, style: str) -> Body:
        request = film({"kind": "color", "colors": ["#20507a"]}, captions={"style": style})
        request["script"] |= {"language": language, "scenes": [{**request["script"]["scenes"][0], "narration": words}]}
        return request

    def card(language: str, title: str) -> Body:
        request = film(None)
        request["script"] |= {"language": language, "scenes": [{"narration": title, "title": title, **hum}]}
        return request

    def designed(theme: str, **block: object) -> Body:
        request = film(None, theme=theme)
        request["script"]["scenes"] = [{"narration": "Hum.", "title": "Sea", "blocks": [block], **hum}]
        return request

    still = {**chart, "motion": "none"}
    red, tall = ({**still, "assetId": assets[name]} for name in ("red", "tall"))
    mark = {"assetId": assets["mark"], "opacity": 0.8}
    transitions = ("fade", "dissolve", "slide", "wipe")
    motions = ("none", "zoom-in", "zoom-out", "pan-left", "pan-right", "pan-up", "pan-down")
    corners = ("top-left", "top-right", "bottom-left", "bottom-right")
    fits = ("cover", "contain", "stretch")
    arabic, hebrew, japanese, hindi = "مرحبا بالبحر", "שלום לים", "月は遠い", "समुद्र शांत है"
    themes = ("midnight", "forest", "ember", "slate", "paper", "daylight")
    data = {"labels": ["a", "b"], "series": [{"values": [1, 2]}]}
    blocks: list[Body] = [
        {"kind": "quote", "text": "So it is.", "author": "A. Bee"},
        {"kind": "code", "code": "def f(x):\n    return x", "language": "python"},
        {"kind": "table", "header": ["A", "B"], "rows": [["1", "2"], ["3", "4"]]},
        {"kind": "formula", "latex": "E = mc^2"},
        *({"kind": "chart", "chart": chart_kind, **data} for chart_kind in ("column", "bar", "line", "pie")),
    ]
    scripts = (("ar", arabic), ("he", hebrew), ("ja", japanese), ("hi", hindi), ("en", "A calm sea"))
    return [
        *(Golden(f"transition-{one}", film(still, red, transition={"kind": one, "durationSeconds": 0.5}), 58)
          for one in transitions),
        *(Golden(f"motion-{one}", film({**chart, "motion": one}), 14) for one in motions),
        *(Golden(f"fit-{one}", film({**tall, "fit": one}), 0) for one in fits),
        *(Golden(f"clip-{one}", film({"kind": "clip", "assetId": assets["wide"], "fit": one}), 9) for one in fits),
        Golden("clip-moves", film({"kind": "clip", "assetId": assets["wide"], "motion": "pan-left"}), 40),
        Golden("clip-hdr", film({"kind": "clip", "assetId": assets["hdr"]}), 5),
        *(Golden(f"watermark-{one}", film(red, watermark={**mark, "position": one}), 0) for one in corners),
        *(Golden(f"captions-{style}", worded("en", "The sea is calm", style), 20, "shown")
          for style in ("clean", "boxed", "karaoke", "pop")),
        Golden("captions-bright", film({"kind": "color", "colors": ["#f0f0e0"]}, captions={}), 20, "shown"),
        *(Golden(f"captions-{language}", worded(language, words, "clean"), 20, "shown")
          for language, words in scripts[:-1]),
        *(Golden(f"card-{language}", card(language, words), 10) for language, words in scripts),
        *(Golden(f"theme-{theme}", designed(theme, kind="list", items=["Red", "Blue"]), -4) for theme in themes),
        *(Golden(f"scene-{block['kind']}{block.get('chart', '')}", designed("midnight", **block), -4)
          for block in blocks),
        Golden("scene-enters", designed("ember", kind="number", value="40", text="It is 40 now."), 40),
        Golden("card-untitled", film(None, None), 50),
        Golden("gradient", film({"kind": "gradient", "colors": ["#203040", "#c08020"]}), 0),
        Golden("color", film({"kind": "color", "colors": ["#306020"]}), 0),
    ]  # fmt: skip


def same(one: Picture, other: Picture) -> bool:
    """Whether two frames are the same picture; see `STEP` and `SHARE`."""
    if one.shape != other.shape:
        return False
    apart = np.abs(one.astype(np.int16) - other.astype(np.int16))
    return bool(apart.max() <= STEP and (apart > 0).any(axis=2).mean() <= SHARE)


class Refused(Exception):
    """A frame has changed under a version that is given out."""


def changes(new: dict[str, Picture], old: dict[str, Picture], known: object) -> list[str]:
    """The names of the frames that have changed.

    Raises:
        Refused: there are some, and no version is new.
    """
    changed = [name for name, picture in new.items() if name not in old or not same(picture, old[name])]
    older = [name for name in changed if name in old]
    if older and known == VERSIONS:
        raise Refused(f"{', '.join(older)}: raise VERSION in render/encode.py or composition/pictures.py first")
    return changed


def encodings() -> dict[str, object]:
    """What each codec's encoder is asked for: a segment's bytes depend on it as they do on its frames."""
    return {
        name: encoding(resolve(VideoOptions(codec=codec)), name).options for codec, name in sorted(SOFTWARE.items())
    }


def index() -> dict[str, object]:
    """The versions and encoder options that the kept frames belong to."""
    known: dict[str, object] = json.loads(INDEX.read_text()) if INDEX.exists() else {}
    return known


def write_index() -> None:
    """Notes today's versions and encoder options."""
    INDEX.write_text(json.dumps({"versions": VERSIONS, "encoders": encodings()}, indent=2) + "\n")


def sheet(pictures: dict[str, Picture], columns: int = 6) -> Image.Image:
    """All frames with their names, to look at."""
    width, height, line = 192, 128, 14
    rows = -(-len(pictures) // columns)
    page = Image.new("RGB", (columns * (width + 6), rows * (height + line + 6)), "white")
    draw = ImageDraw.Draw(page)
    for number, (name, picture) in enumerate(pictures.items()):
        x, y = number % columns * (width + 6), number // columns * (height + line + 6)
        page.paste(Image.fromarray(picture), (x, y + line))
        draw.text((x + 2, y + 1), name, fill="black")
    return page
