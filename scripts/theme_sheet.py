"""Draws every theme in three shapes and three scripts on one sheet, to look at: docs/images/themes.jpg.

python -m scripts.theme_sheet
"""

from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from picturelock.composition.scenes.backgrounds import panorama
from picturelock.composition.scenes.typesetter import Page, Typesetter
from picturelock.models import VideoOptions
from picturelock.models.blocks import Block, ChartBlock, ListBlock, Series
from picturelock.presets import resolve
from picturelock.text.ass import CaptionLook
from picturelock.themes import Theme, installed_themes

SHEET: Final = Path(__file__).parents[1] / "docs" / "images" / "themes.jpg"
SHAPES: Final = ((640, 360), (360, 640), (480, 480))
CHART: Final = ChartBlock(labels=["A", "B", "C"], series=[Series(values=[2, 5, 3])])
TEXTS: Final[dict[str, tuple[str, str, Block]]] = {
    "en": ("Tides", "Who pulls at the water", ListBlock(items=["The Moon, small but close", "The Sun, huge but far"])),
    "ar": ("المد والجزر", "من يشد الماء", ListBlock(items=["القمر صغير لكنه قريب", "الشمس ضخمة لكنها بعيدة"])),
    "ja": ("潮の満ち引き", "海を引くもの", CHART),
}
ROW: Final = 200


def drawn(theme: Theme, size: tuple[int, int], language: str) -> npt.NDArray[np.uint8]:
    """A card of a theme, RGB."""
    width, height = size
    kicker, title, block = TEXTS[language]
    look = CaptionLook.of(width, height)
    video = resolve(VideoOptions(width=width, height=height))
    picture = panorama(theme, width, height)[:, :width].astype(np.float32)
    page = Page("card", title, kicker, blocks=(block,))
    for part in Typesetter(video, language, theme, look.bottom + round(3.6 * look.em)).draw(page):
        alpha = part.pixels[..., 3:].astype(np.float32) / 255
        region = picture[part.y : part.y + alpha.shape[0], part.x : part.x + alpha.shape[1]]
        region[:] = region * (1 - alpha) + part.pixels[..., :3] * alpha
    return np.asarray(picture, np.uint8)


def main() -> None:
    """Writes the sheet."""
    rows = []
    for theme in installed_themes().values():
        tiles = []
        for size in SHAPES:
            for language in TEXTS:
                picture = drawn(theme, size, language)
                width = round(picture.shape[1] * ROW / picture.shape[0])
                tile = cv2.resize(picture, (width, ROW), interpolation=cv2.INTER_AREA)
                tiles.append(cv2.copyMakeBorder(tile, 4, 4, 4, 4, cv2.BORDER_CONSTANT, value=(255, 255, 255)))
        rows.append(np.hstack(tiles))
    sheet = np.vstack(rows)
    cv2.imwrite(str(SHEET), np.asarray(sheet)[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 82])


if __name__ == "__main__":
    main()
