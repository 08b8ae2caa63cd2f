"""What speaks, writes and finds pictures in this installation, as its settings and its plug-ins have it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from picturelock.composition.visuals.source import VisualSource, sources
from picturelock.models.script import PictureSource
from picturelock.script.writers import Writer, chosen_writer
from picturelock.settings import Settings
from picturelock.speech.engine import SpeechEngine, engines


@dataclass(frozen=True, slots=True)
class Providers:
    """The providers that films are made with.

    Example:
        >>> from picturelock.settings import Settings
        >>> "hibari" in Providers.from_settings(Settings()).voices
        True
    """

    voices: Mapping[str, SpeechEngine]
    pictures: Mapping[PictureSource, VisualSource]
    writer: Writer

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """All that is installed and configured. Raises PluginConflict."""
        return cls(engines(settings), sources(settings), chosen_writer(settings))
