"""What this installation offers, and whether it is well."""

from typing import Final

from fastapi import APIRouter
from pydantic import Field

from picturelock.models import Model
from picturelock.models.request import DEFAULT_THEME
from picturelock.presets import DEFAULT_PRESET, PRESETS, Preset
from picturelock.themes import installed_themes

router = APIRouter()
_READY_SECONDS: Final = 2.0
_NO_JOB: Final = "ready?"


class PresetList(Model):
    """The video presets, and which of them is used when none is named."""

    default: str = Field(description="The slug of the one that is used when none is named.")
    presets: list[Preset] = Field(description="All of them.")


@router.get("/api/presets", tags=["catalog"])
async def list_presets() -> PresetList:
    """Video presets by slug, with the platforms' limits."""
    return PresetList(default=DEFAULT_PRESET, presets=list(PRESETS.values()))


class ThemeInfo(Model):
    """A theme, and the colours by which somebody may choose it."""

    name: str = Field(description="How a request names it.")
    dark: bool = Field(description="Whether its text is light.")
    backgrounds: list[str] = Field(description="Colours behind the scenes.")
    text: str = Field(description="The text's colour.")
    accent: str = Field(description="Of numbers, marks and bars.")
    series: list[str] = Field(description="Of a chart's series.")
    face: str = Field(description="The typeface of titles.")


class ThemeList(Model):
    """The themes of this installation, and which of them is used when none is named."""

    default: str = Field(description="The name of the one that is used when none is named.")
    themes: list[ThemeInfo] = Field(description="All of them.")


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
