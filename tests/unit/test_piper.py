"""The optional engine Piper: the voice of the extra, voices of a folder, no misreading."""

import json
import shutil
from pathlib import Path

import pytest

from picturelock.errors import SpeechFailed, VoiceUnavailable
from picturelock.models import Scene, Voice, VoiceWish
from picturelock.settings import Settings
from picturelock.speech.engine import engines
from picturelock.speech.narrate import Speaker, narrate
from picturelock.speech.piper import PiperEngine
from picturelock.speech.piper_files import voice_files
from picturelock.store.store import Store

JOE = Voice(engine="piper", voice="en_US-joe-medium")
WISH = VoiceWish(engine="piper", voice="en_US-joe-medium")


@pytest.mark.slow
async def test_the_voice_of_the_extra_speaks_and_its_words_are_found(store: Store) -> None:
    available = engines(Settings())
    scene = Scene(narration="The tide comes in, and the tide goes out again.")
    spoken = await narrate(scene, 0, Speaker(WISH, "en"), available, store)
    assert spoken.timing == "aligned"
    assert [word.text for word in spoken.words] == (scene.narration or "").split()
    assert 2 < spoken.duration_seconds < 6
    quick = await narrate(scene, 0, Speaker(WISH.model_copy(update={"speed": 2.0}), "en"), available, store)
    assert quick.duration_seconds < spoken.duration_seconds * 0.75


def voice_in(folder: Path, name: str, **config: object) -> None:
    """A copy of the extra's voice with another description."""
    source = voice_files(None)["en_US-joe-medium"]
    shutil.copy(source, folder / f"{name}.onnx")
    described = json.loads(source.with_name(f"{source.name}.json").read_text())
    (folder / f"{name}.onnx.json").write_text(json.dumps(described | config))


@pytest.mark.slow
async def test_a_folder_of_voices_is_offered_with_its_languages(tmp_path: Path, store: Store) -> None:
    voice_in(tmp_path, "de_DE-somebody-low", language={"code": "de_DE"}, espeak={"voice": "de"})
    voice_in(tmp_path, "zh_CN-downloads-low", phoneme_type="pinyin")
    (tmp_path / "broken.onnx").touch()
    (tmp_path / "broken.onnx.json").write_text("{")
    (tmp_path / "alone.onnx").touch()
    engine = PiperEngine(tmp_path)
    assert {one.voice: one.languages for one in engine.voices()} == {
        "en_US-joe-medium": ["en"],
        "de_DE-somebody-low": ["de"],
    }
    german = VoiceWish(engine="piper", voice="de_DE-somebody-low")
    spoken = await narrate(Scene(narration="Das Meer."), 0, Speaker(german, "de"), {"piper": engine}, store)
    assert spoken.timing == "proportional"


@pytest.mark.parametrize("text", ["月亮", "Say мир."])
async def test_other_scripts_are_refused_never_misread(text: str) -> None:
    with pytest.raises(VoiceUnavailable, match="piper/en_US-joe-medium speaks 'en'"):
        await PiperEngine(None).speak(text, JOE, lambda _: None)


@pytest.mark.slow
async def test_brackets_are_text_and_no_phonemes() -> None:
    spoken = await PiperEngine(None).speak("[[hello there]]", JOE, lambda _: None)
    assert len(spoken.samples) > spoken.sample_rate / 4


async def test_a_voice_that_cannot_be_loaded_has_a_code(tmp_path: Path) -> None:
    voice_in(tmp_path, "en_US-broken-low")
    (tmp_path / "en_US-broken-low.onnx").write_bytes(b"no model")
    with pytest.raises(SpeechFailed, match="en_US-broken-low"):
        await PiperEngine(tmp_path).speak("Hello.", Voice(engine="piper", voice="en_US-broken-low"), lambda _: None)
