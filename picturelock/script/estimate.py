"""About how long a film will be, before anything is spoken: good enough to be fair by."""

from typing import Final

from picturelock.models import ExportRequest, Scene

_CHARACTERS_PER_SECOND: Final = 14.0
_SCENE_SECONDS: Final = 1.0
_RECORDING_SECONDS: Final = 60.0
_INSERT_SECONDS: Final = 10.0


def film_seconds(request: ExportRequest) -> float:
    """The seconds of a film, by the characters of its narrations.

    >>> from picturelock.models import Script
    >>> film_seconds(ExportRequest(script=Script(scenes=[Scene(narration="x" * 126)])))
    10.0
    """
    inserts = sum(_INSERT_SECONDS for insert in (request.intro, request.outro) if insert)
    if request.script is None:
        return inserts + (request.brief.target_duration_seconds if request.brief else 0.0)
    return inserts + sum(scene_seconds(scene, request.voice.speed) for scene in request.script.scenes)


def scene_seconds(scene: Scene, speed: float) -> float:
    """The seconds of a scene, by the characters of its narration."""
    spoken = sum(len(part.text) for part in scene.parts()) / _CHARACTERS_PER_SECOND / speed
    return _RECORDING_SECONDS if scene.narration_asset_id else _SCENE_SECONDS + spoken
