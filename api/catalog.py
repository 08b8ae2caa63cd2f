"""What this installation offers, and whether it is well."""

from typing import Final

from fastapi import APIRouter

from picturelock.models import Model
from picturelock.models.request import DEFAULT_THEME
from picturelock.presets import DEFAULT_PRESET, PRESETS, Preset
from picturelock.themes import installed_themes

router = APIRouter()
_READY_SECONDS: Final = 2.0
_NO_JOB: Final = "ready?"


class PresetList(Model):
    """The video presets, and which of them is used when none is named."""

    default: str
    presets: list[Preset]


@router.get("/api/presets", tags=["catalog"])
async def list_presets() -> PresetList:
    """Video presets by slug, with the platforms' limits."""
    return PresetList(default=DEFAULT_PRESET, presets=list(PRESETS.values()))


class ThemeInfo(Model):
    """A theme, and the colours by which somebody may choose it."""

    name: str
    dark: bool
    backgrounds: list[str]
    text: str
    accent: str
    series: list[str]
    face: str


class ThemeList(Model):
    """The themes of this installation, and which of them is used when none is named."""

    default: str
    themes: list[ThemeInfo]


@router.get("/api/themes", tags=["catalog"])
async def list_themes() -> ThemeList:
    """Themes of cards and designed scenes."""
    infos = [
        ThemeInfo(
            name=theme.name,
            dark=theme.dark,
            backgrounds=list(theme.backgrounds),
            text=theme.text,
            accent=theme.accent,
            series=list(theme.series),
            face=theme.heading_face,
        )
        for theme in installed_themes().values()
    ]
    return ThemeList(default=DEFAULT_THEME, themes=infos)
