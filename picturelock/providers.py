"""What speaks, writes and finds pictures in this installation, as its settings and its plug-ins have it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from picturelock.composition.visuals.source import VisualSource, demands, require, sources
from picturelock.errors import InvalidScript
from picturelock.models import ExportRequest, Script
from picturelock.models.script import PictureSource
from picturelock.script.spoken import spoken_text
from picturelock.script.writers import Writer, chosen_writer
from picturelock.settings import Settings
from picturelock.speech.engine import SpeechEngine, choose, engines


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

    def check(self, request: ExportRequest, script: Script) -> None:
        """Fails now what would fail after minutes: markup without words, voices and pictures that are not there.

        Raises:
            InvalidScript: a scene has nothing to say.
            VoiceUnavailable, NotOffered: the script asks for what this installation has not.
        """
        for path, kind in demands(script, request.pictures):
            require(self.pictures, kind, path)
        for index, scene in enumerate(script.scenes):
            if not any(character.isalnum() for character in spoken_text(scene)):
                field = f"script.scenes[{index}].narration"
                raise InvalidScript("nothing is left to speak without the markup", field=field)
            if scene.narration_asset_id is None:
                choose(self.voices, scene.voice or request.voice, script.language)
