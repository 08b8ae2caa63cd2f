"""Stage `script`: a brief becomes a script; a script that was brought is validated just the same."""

from activities.decorators import stage_activity
from activities.heartbeat import HeartbeatReporter
from picturelock.composition.scenes.designer import check_designs
from picturelock.providers import Providers
from picturelock.script.write import write_script as write
from picturelock.settings import settings
from picturelock.store.store import default_store
from picturelock.temporal.contracts import WRITE_SCRIPT, ScriptTask, WrittenScript


@stage_activity(WRITE_SCRIPT)
async def write_script(task: ScriptTask, heartbeat: HeartbeatReporter) -> WrittenScript:
    """Writes or takes over the script, and stores it with its request."""
    providers = Providers.from_settings(settings())
    script = await write(task.request, providers.writer, heartbeat.advance)
    providers.check(task.request, script)
    store = default_store()
    await check_designs(task.request, script, store, heartbeat.advance)
    return WrittenScript(
        request=await store.put_model(task.request),
        script=await store.put_model(script),
        scenes=len(script.scenes),
    )
