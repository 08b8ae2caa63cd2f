"""An optional engine with more natural voices: Piper, which runs any voice made for it.

It comes with the extra `picturelock[piper]` (Piper is GPL-3.0, so nothing of it is part of the default installation),
which brings one American voice; a folder of voices (`PICTURELOCK_PIPER_VOICES`) adds others, in some forty languages.
Voices that would fetch dictionaries at run time are not offered. https://github.com/OHF-Voice/piper1-gpl
"""

import asyncio
import hashlib
import json
import re
import textwrap
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from picturelock.errors import SpeechFailed
from picturelock.models import Voice
from picturelock.reporting import ReportShare
from picturelock.settings import Settings
from picturelock.speech.catalog import VoiceInfo
from picturelock.speech.engine import Speech
from picturelock.speech.letters import refuse_foreign
from picturelock.speech.piper_files import voice_files, voices_of
from picturelock.store.hashing import sha256_of

_THREAD: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="piper")
_LOADED: Final = 4
_LONGEST: Final = 300
_SENTENCE: Final = re.compile(r"(?<=[.!?…])\s+")


class PiperEngine:
    """Speaks with the voices that are on the disk. Word times of English voices come from forced alignment."""

    name = "piper"

    @classmethod
    def from_settings(cls, settings: Settings, /) -> Self | None:
        """The engine, where the extra is installed."""
        return cls(settings.piper_voices) if find_spec("piper") else None

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def version_of(self, voice: Voice, /) -> str:
        """The package's version, and the voice's own files: another voice may come under an old name."""
        path = voice_files(self._folder).get(voice.voice)
        return f"{version('piper-tts')} {_digest(path, path.stat().st_mtime_ns) if path else ''}"

    def voices(self) -> list[VoiceInfo]:
        """The voice of the extra, and those of the folder."""
        return voices_of(self._folder)

    async def speak(self, text: str, voice: Voice, report: ReportShare) -> Speech:
        """Speaks plain text; see `SpeechEngine`."""
        path = voice_files(self._folder).get(voice.voice)
        if path is None:
            raise SpeechFailed(f"the voice piper/{voice.voice} is not there any more")
        language = next((info.languages[0] for info in self.voices() if info.voice == voice.voice), "en")
        refuse_foreign(text, language, f"piper/{voice.voice}")
        return await asyncio.get_running_loop().run_in_executor(_THREAD, _speak, path, text, voice, report)


@lru_cache(maxsize=64)
def _digest(path: Path, _changed: int) -> str:
    description = path.with_name(f"{path.name}.json").read_bytes()
    return f"{sha256_of(path)} {hashlib.sha256(description).hexdigest()}"


@lru_cache(maxsize=_LOADED)
def _loaded(path: Path, _digest: str) -> Any:  # noqa: ANN401 - optional
    import onnxruntime  # noqa: PLC0415 - optional
    from piper import PiperConfig, PiperVoice  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    config = json.loads(path.with_name(f"{path.name}.json").read_text(encoding="utf-8"))
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return PiperVoice(config=PiperConfig.from_dict(config), session=session)


def _speak(path: Path, text: str, voice: Voice, report: ReportShare) -> Speech:
    from piper import SynthesisConfig  # noqa: PLC0415 - optional

    name = f"piper/{voice.voice}"
    try:
        speaker = _loaded(path, _digest(path, path.stat().st_mtime_ns))
        # Without noise the same text is the same sound, bit for bit.
        settings = SynthesisConfig(
            length_scale=speaker.config.length_scale / voice.speed,
            noise_scale=0.0,
            noise_w_scale=0.0,
            normalize_audio=False,
        )
        parts = _parts(text)
        pieces = []
        for number, part in enumerate(parts):
            report(number / len(parts))
            chunks = speaker.synthesize(part, syn_config=settings)
            pieces += [np.asarray(chunk.audio_float_array, np.float32) for chunk in chunks]
    except Exception as error:  # what onnxruntime raises has no other base in common
        raise SpeechFailed(f"the voice {name} failed", detail=f"{type(error).__name__}: {error}") from error
    samples = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
    if not samples.any():
        raise SpeechFailed(f"the voice {name} made no sound of this text")
    return Speech(samples=samples, sample_rate=int(speaker.config.sample_rate), words=None)


def _parts(text: str) -> list[str]:
    """The text in parts that the model has memory for: it takes a sentence whole, however long it is."""
    plain = text.replace("[[", "[ [")  # Piper takes what stands between double brackets for phonemes
    parts = [""]
    for sentence in _SENTENCE.split(plain):
        for line in textwrap.wrap(sentence, _LONGEST):
            if len(parts[-1]) + len(line) >= _LONGEST:
                parts.append("")
            parts[-1] = f"{parts[-1]} {line}".strip()
    return parts
