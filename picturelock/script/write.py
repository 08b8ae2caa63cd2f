"""The script of a request: written from its brief, or brought; and the certainty that it can become a film."""

from collections.abc import Callable

from picturelock.composition.visuals.source import demands, require
from picturelock.errors import InvalidScript
from picturelock.models import ExportRequest, Script
from picturelock.providers import Providers
from picturelock.script.markdown import plain_text
from picturelock.speech.engine import choose

Report = Callable[[float, str], None]


async def write_script(request: ExportRequest, providers: Providers, report: Report) -> Script:
    """The script of a request.

    Raises:
        InvalidScript: there is neither a script nor a brief, or a scene has nothing to say.
        WriterUnavailable, WriterFailed: see `Writer`.
        VoiceUnavailable, NotOffered: it asks for what this installation has not.
    """
    if request.script is not None:
        script = request.script
    elif request.brief is not None:
        report(0.1, "Writing the script")
        script = await providers.writer.write(request.brief)
    else:
        raise InvalidScript("the request has neither a script nor a brief")
    _check(request, script, providers)
    return script


def _check(request: ExportRequest, script: Script, providers: Providers) -> None:
    """Fails now what would fail after minutes: markup without words, voices and pictures that are not there."""
    for path, kind in demands(script, request.pictures):
        require(providers.pictures, kind, path)
    for index, scene in enumerate(script.scenes):
        if not any(character.isalnum() for character in plain_text(scene.narration)):
            field = f"script.scenes[{index}].narration"
            raise InvalidScript("nothing is left to speak without the markup", field=field)
        if scene.narration_asset_id is None:
            choose(providers.voices, scene.voice or request.voice, script.language)
