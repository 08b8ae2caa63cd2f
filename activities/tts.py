"""Stage `tts`: one scene's narration; and beside all exports, the sample of a voice."""

from activities.decorators import stage_activity
from activities.heartbeat import HeartbeatReporter
from picturelock.models import ExportRequest, Script, Voice
from picturelock.providers import Providers
from picturelock.settings import settings
from picturelock.speech.narrate import narrate_scene
from picturelock.speech.sample import speak_sample as speak
from picturelock.store.store import default_store
from picturelock.temporal.contracts import SPEAK_SAMPLE, SPEAK_SCENE, SpeechTask, SpokenSample, SpokenScene


@stage_activity(SPEAK_SCENE)
async def speak_scene(task: SpeechTask, heartbeat: HeartbeatReporter) -> SpokenScene:
    """Speaks one scene, or takes its recording, and stores the narration."""
    store = default_store()
    request = await store.get_model(task.request, ExportRequest)
    script = await store.get_model(task.script, Script)
    message = f"Speaking scene {task.scene_index + 1}"
    heartbeat.advance(0.1, message)
    narration = await narrate_scene(
        request,
        script,
        task.scene_index,
        Providers.from_settings(settings()).voices,
        store,
        lambda share: heartbeat.advance(0.1 + 0.8 * share, message),
    )
    return SpokenScene(
        narration=await store.put_model(narration),
        scene_index=task.scene_index,
        samples=narration.samples,
        cached=narration.cached,
    )


@stage_activity(SPEAK_SAMPLE)
async def speak_sample(task: Voice, heartbeat: HeartbeatReporter) -> SpokenSample:
    """Speaks a voice's sample."""
    heartbeat.advance(0.1, f"Speaking a sample of {task.engine}/{task.voice}")
    narration = await speak(task, Providers.from_settings(settings()).voices, default_store())
    return SpokenSample(audio=narration.audio, cached=narration.cached)
