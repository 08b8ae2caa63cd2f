"""Stage `script`: a brief becomes a script; a script that was brought is validated just the same."""

from temporalio import activity

from activities.contracts import WRITE_SCRIPT, ScriptTask, WrittenScript
from activities.decorators import lively
from activities.heartbeat import Pulse
from picturelock.composition.visuals.source import demands, require, sources
from picturelock.errors import InvalidScript
from picturelock.models import Brief, ExportRequest, Script
from picturelock.script.markdown import plain_text
from picturelock.script.openai import OpenAIWriter
from picturelock.script.writers import BuiltInWriter, Writer
from picturelock.settings import settings
from picturelock.speech.engine import choose, engines
from picturelock.store.store import default_store

JSON = "application/json"


@activity.defn(name=WRITE_SCRIPT)
@lively("script")
async def write_script(task: ScriptTask, pulse: Pulse) -> WrittenScript:
    """Writes or takes over the script and checks that it can be spoken."""
    request = task.request
    if request.script is not None:
        script = request.script
    else:
        pulse.advance(0.1, "Writing the script")
        script = await _writer().write(_brief(request))
    _check(request, script)
    store = default_store()
    stored_request = await store.put_bytes(request.model_dump_json().encode(), JSON)
    stored_script = await store.put_bytes(script.model_dump_json().encode(), JSON)
    return WrittenScript(request=stored_request, script=stored_script, scenes=len(script.scenes))


def _writer() -> Writer:
    return OpenAIWriter.from_settings(settings()) or BuiltInWriter()


def _brief(request: ExportRequest) -> Brief:
    if request.brief is None:
        raise InvalidScript("the request has neither a script nor a brief")
    return request.brief


def _check(request: ExportRequest, script: Script) -> None:
    """Fails now what would fail after minutes: markup without words, voices and pictures that are not to be had."""
    available = engines(settings())
    for path, kind in demands(script, request.pictures):
        require(sources(settings()), kind, path)
    for index, scene in enumerate(script.scenes):
        if not any(sign.isalnum() for sign in plain_text(scene.narration)):
            raise InvalidScript(f"script.scenes[{index}].narration: nothing is left to speak without the markup")
        if scene.narration_asset_id is None:
            choose(available, scene.voice or request.voice, script.language)
