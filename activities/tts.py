"""Stage `tts`: one scene's narration; and beside all exports, the sample of a voice."""

from temporalio import activity

from activities.contracts import SPEAK_SAMPLE, SPEAK_SCENE, SpeechTask, SpokenSample, SpokenScene
from activities.decorators import lively
from activities.heartbeat import Pulse
from picturelock.models import ExportRequest, Script, Voice
from picturelock.settings import settings
from picturelock.speech.engine import engines
from picturelock.speech.narrate import narrate
from picturelock.speech.sample import speak_sample as speak
from picturelock.store.store import default_store


@activity.defn(name=SPEAK_SCENE)
@lively("tts")
async def speak_scene(task: SpeechTask, pulse: Pulse) -> SpokenScene:
    """Speaks one scene, or takes its recording, and stores the narration."""
    store = default_store()
    request = ExportRequest.model_validate_json(await store.read(task.request))
    script = Script.model_validate_json(await store.read(task.script))
    scene = script.scenes[task.scene_index]
    message = f"Speaking scene {task.scene_index + 1}"
    pulse.advance(0.1, message)
    voice = scene.voice or request.voice
    narration = await narrate(
        scene,
        task.scene_index,
        voice,
        script.language,
        engines(settings()),
        store,
        lambda share: pulse.advance(0.1 + 0.8 * share, message),
    )
    ref = await store.put_bytes(narration.model_dump_json().encode(), "application/json")
    return SpokenScene(narration=ref, scene_index=task.scene_index, samples=narration.samples, cached=narration.cached)


@activity.defn(name=SPEAK_SAMPLE)
@lively("tts")
async def speak_sample(task: Voice, pulse: Pulse) -> SpokenSample:
    """Speaks a voice's sample."""
    pulse.advance(0.1, f"Speaking a sample of {task.engine}/{task.voice}")
    narration = await speak(task, engines(settings()), default_store())
    return SpokenSample(audio=narration.audio, cached=narration.cached)
