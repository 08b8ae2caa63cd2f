"""A short sample of a voice, in the language it speaks."""

from collections.abc import Mapping
from typing import Final

from picturelock.models import Narration, Scene, Voice, VoiceWish
from picturelock.speech.engine import SpeechEngine
from picturelock.speech.narrate import Speaker, narrate
from picturelock.speech.spoken_samples import remember_sample
from picturelock.store.store import Store

_COUNTING: Final = "1, 2, 3, 4, 5."
"""What every voice can read in its own language."""

_SENTENCES: Final = {
    "af": "Dit is hoe ek klink.",
    "ca": "Així és com sona la meva veu.",
    "cs": "Takhle zní můj hlas.",
    "da": "Sådan lyder min stemme.",
    "de": "So klingt meine Stimme.",
    "en": "This is what I sound like when I tell your story.",
    "eo": "Tiel sonas mia voĉo.",
    "es": "Así suena mi voz.",
    "fi": "Tältä ääneni kuulostaa.",
    "fr": "Voici le son de ma voix.",
    "hr": "Ovako zvuči moj glas.",
    "hu": "Így szól a hangom.",
    "id": "Beginilah suara saya.",
    "it": "Questo è il suono della mia voce.",
    "nb": "Slik høres stemmen min ut.",
    "nl": "Zo klinkt mijn stem.",
    "pl": "Tak brzmi mój głos.",
    "pt": "É assim que soa a minha voz.",
    "ro": "Așa sună vocea mea.",
    "ru": "Так звучит мой голос.",
    "sk": "Takto znie môj hlas.",
    "sv": "Så här låter min röst.",
    "tr": "Sesim böyle duyuluyor.",
    "uk": "Так звучить мій голос.",
}


async def speak_sample(voice: Voice, engines: Mapping[str, SpeechEngine], store: Store) -> Narration:
    """Speaks (or finds) a voice's sample.

    Raises:
        VoiceUnavailable: there is no such voice.
        SpeechFailed: see `SpeechEngine`.
    """
    engine = engines.get(voice.engine)
    offered = engine.voices() if engine else []
    info = next((info for info in offered if info.voice == voice.voice), None)
    language = next((language for language in info.languages if language != "*"), "en") if info else "en"
    scene = Scene(narration=_SENTENCES.get(language, _COUNTING))
    narration = await narrate(
        scene, 0, Speaker(VoiceWish(**voice.model_dump(by_alias=False)), language), engines, store
    )
    await remember_sample(voice, narration.audio, store)
    return narration
