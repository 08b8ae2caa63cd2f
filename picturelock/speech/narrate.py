"""One scene's narration: spoken or recorded, trimmed to the voice, measured, its words timed, stored."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from picturelock.concurrency import KeyedTurns
from picturelock.errors import AssetUnreadable, SpeechFailed
from picturelock.ffmpeg import loudness
from picturelock.ffmpeg.samples import decode_file, faded, resample, to_wav, voiced_span
from picturelock.models import SAMPLE_RATE, ExportRequest, Narration, Scene, Script, Voice, VoiceWish, Word
from picturelock.models.film import Timing, Unaligned
from picturelock.reporting import ReportShare
from picturelock.script.spoken import spoken_text
from picturelock.script.words import split_words
from picturelock.speech import alignment
from picturelock.speech.engine import Samples, SpeechEngine, choose
from picturelock.speech.pauses import with_short_pauses
from picturelock.speech.spoken_forms import spoken_form
from picturelock.speech.timing import TimedToken, match_words, spread
from picturelock.store.hashing import cache_key
from picturelock.store.store import Store

_VERSION: Final = "5"
MAX_RECORDING_SECONDS: Final = 1_800.0
"""A recording is held whole in memory, 192 kB a second."""

_MEASURE_SECONDS: Final = 3.0
_TURNS: Final = KeyedTurns(15.0)
"""Films that are made at once may share scenes: each is spoken once."""


async def narrate_scene(
    request: ExportRequest,
    script: Script,
    index: int,
    engines: Mapping[str, SpeechEngine],
    store: Store,
    report: ReportShare = lambda _: None,
) -> Narration:
    """Makes (or finds) the narration of a request's scene: by the scene's own voice, else the request's.

    Raises like `narrate`.
    """
    scene = script.scenes[index]
    speaker = Speaker(scene.voice or request.voice, script.language, request.pronunciations)
    return await narrate(scene, index, speaker, engines, store, report)


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks: the voice that is wished for, its language, and how words are said."""

    wish: VoiceWish
    language: str
    pronunciations: Mapping[str, str] = field(default_factory=dict)


async def narrate(
    scene: Scene,
    index: int,
    speaker: Speaker,
    engines: Mapping[str, SpeechEngine],
    store: Store,
    report: ReportShare = lambda _: None,
) -> Narration:
    """Makes (or finds) the narration of a scene.

    Raises:
        VoiceUnavailable, SpeechFailed: see `SpeechEngine`.
        AssetMissing, AssetUnreadable: the recording cannot be used.
    """
    text, language = spoken_text(scene), speaker.language
    spoken = spoken_form(text, language, speaker.pronunciations)
    # Where alignment is missing, times are worse: another worker must not find them.
    aligner = ["no alignment"] if alignment.covers(language) and not alignment.available() else []
    if scene.narration_asset_id:
        key = cache_key(_VERSION, "recording", scene.narration_asset_id, text, spoken, language, *aligner)
        engine, voice = None, Voice()
    else:
        engine, voice = choose(engines, speaker.wish, language)
        key = cache_key(
            _VERSION, engine.name, engine.version_of(voice), text, spoken, voice.model_dump_json(), language, *aligner
        )
    async with _TURNS.turn(key):
        known = await store.recall("narration", key, Narration)
        if known is not None and await store.has(known.audio):
            return known.model_copy(update={"scene_index": index, "cached": True})
        store.may_make("narration")
        narration = await _made(scene, index, engine, voice, _Wording(text, spoken, language), store, report)
        await store.remember("narration", key, narration)
        return narration


async def _made(
    scene: Scene,
    index: int,
    engine: SpeechEngine | None,
    voice: Voice,
    wording: "_Wording",
    store: Store,
    report: ReportShare,
) -> Narration:
    if engine is None:
        return await _finished(await _recorded(scene, store), None, wording, index, "recording", store)
    began = time.monotonic()
    speech = await engine.speak(wording.spoken, voice, report)
    resampled = await resample(speech.samples, speech.sample_rate)
    samples, words = await asyncio.to_thread(with_short_pauses, resampled, speech.words or [])
    narration = await _finished(samples, words or None, wording, index, engine.name, store)
    return narration.model_copy(update={"took_seconds": round(time.monotonic() - began, 3)})


async def _recorded(scene: Scene, store: Store) -> Samples:
    asset, ref = await store.asset(scene.narration_asset_id or "")
    if asset.kind != "audio":
        raise AssetUnreadable(f"the asset is of kind {asset.kind!r}; 'audio' is needed", field="narrationAssetId")
    if (asset.duration_seconds or 0.0) > MAX_RECORDING_SECONDS:
        text = f"the recording lasts {asset.duration_seconds:.0f} s; a scene's may last {MAX_RECORDING_SECONDS:.0f} s"
        raise AssetUnreadable(text, field="narrationAssetId", limit=MAX_RECORDING_SECONDS)
    return await decode_file(await store.local(ref), MAX_RECORDING_SECONDS)


async def _finished(
    samples: Samples, words: list[Word] | None, wording: "_Wording", index: int, engine: str, store: Store
) -> Narration:
    start, end = voiced_span(samples)
    if end <= start:
        silent = AssetUnreadable("the recording is silent") if engine == "recording" else None
        raise silent or SpeechFailed(f"the voice engine {engine} delivered silence")
    trimmed = faded(samples[start:end])
    level, (timed, timing, unaligned) = await asyncio.gather(
        _loudness(trimmed), _timed(trimmed, words, start / SAMPLE_RATE, wording)
    )
    audio = await store.put_bytes(to_wav(trimmed), "audio/wav")
    return Narration(
        scene_index=index,
        audio=audio,
        samples=len(trimmed),
        loudness_lufs=level,
        words=timed,
        timing=timing,
        unaligned=unaligned,
        engine=engine,
    )


@dataclass(frozen=True, slots=True)
class _Wording:
    """A narration as it is written and as it is spoken."""

    text: str
    spoken: str
    language: str

    def written(self, words: list[Word]) -> list[Word]:
        """The written words with the times of the spoken ones."""
        if self.text == self.spoken:
            return words
        tokens = [TimedToken(word.text, word.start_seconds, word.end_seconds) for word in words]
        return match_words(self.text, tokens)


async def _timed(
    trimmed: Samples, words: list[Word] | None, cut_seconds: float, wording: _Wording
) -> tuple[list[Word], Timing, Unaligned | None]:
    """The words with the best times there are: the engine's own, those of alignment, or each one's share of letters."""
    seconds = len(trimmed) / SAMPLE_RATE
    if words:
        return [_shifted(word, cut_seconds, seconds) for word in wording.written(words)], "engine", None
    if aligned := await alignment.align(wording.spoken, trimmed, wording.language):
        return [_shifted(word, 0.0, seconds) for word in wording.written(aligned)], "aligned", None
    spread_evenly = spread(split_words(wording.text), 0.0, seconds)
    if not alignment.covers(wording.language):
        return spread_evenly, "proportional", None
    return spread_evenly, "proportional", "not-found" if alignment.available() else "not-installed"


def _shifted(word: Word, seconds: float, length: float) -> Word:
    start = min(max(0.0, word.start_seconds - seconds), length)
    end = min(max(start, word.end_seconds - seconds), length)
    return word.model_copy(update={"start_seconds": round(start, 3), "end_seconds": round(end, 3)})


async def _loudness(samples: Samples) -> float:
    """Loudness as it will be heard: the same in both ears. Very short speech is repeated to fill the meter's window."""
    repeats = max(1, int(np.ceil(_MEASURE_SECONDS * SAMPLE_RATE / len(samples))))
    repeated = np.tile(samples, repeats) if repeats > 1 else samples
    return round(await loudness.integrated_of_mono(repeated), 2)
