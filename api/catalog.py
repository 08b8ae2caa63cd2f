"""What this installation offers, and whether it is well."""

from typing import Final

from fastapi import APIRouter

from picturelock.models import Model
from picturelock.presets import DEFAULT_PRESET, PRESETS, Preset

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
