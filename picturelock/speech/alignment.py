"""Forced alignment of English speech: the phones of the written words are looked for in the sound (pocketsphinx).

Pronunciations come from hibari's grapheme-to-phoneme conversion, so that no word is unknown: numbers, abbreviations and
names are looked for as they are read. Only what is certain enough is believed: the search must reach the last word, and
the phones must fit the sound. https://github.com/cmusphinx/pocketsphinx
"""

import asyncio
import math
import re
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import Any, Final

import numpy as np

from picturelock.ffmpeg.samples import Mono, decimated
from picturelock.languages import primary
from picturelock.models import SAMPLE_RATE, Word
from picturelock.speech.hibari import pronounced
from picturelock.speech.timing import TimedToken, match_words

_RATE: Final = 16_000
_FRAME_SECONDS: Final = 0.01
_FRAME_OFFSET: Final = 0.0078
"""The features of a frame are those of 25.6 ms from its start on: the border of two frames lies here."""

_BEAM: Final = 1e-120
_LEAST_FIT: Final = -4.0
"""Mean log likelihood of the phones: what belongs together measures -1.0 to -2.6, other texts -4.5 and less."""

_PIECE_BYTES: Final = 3_200
"""A call keeps the interpreter for itself; 0.1 s of sound take a few milliseconds."""

_LEAST_SECONDS: Final = 0.05
_FILLERS: Final = frozenset({"<s>", "</s>", "<sil>", "[NOISE]", "[SPEECH]"})
_R_VOWEL: Final = re.compile(r"[əᵊɜ]ː?ɹ")
_STRESS: Final = "ˈˌ"
_ALIGNER: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="alignment")

_PHONES: Final = {
    # vowels; A I O W Y Q are one-letter diphthongs, ᵊ and ᵻ reduced vowels
    "A": "EY", "I": "AY", "O": "OW", "Q": "OW", "W": "AW", "Y": "OY", "i": "IY", "ɪ": "IH", "ᵻ": "IH", "ɨ": "IH",
    "e": "EH", "ɛ": "EH", "æ": "AE", "a": "AE", "ɐ": "AH", "ə": "AH", "ᵊ": "AH", "ʌ": "AH", "ɑ": "AA", "ɒ": "AA",
    "ɔ": "AO", "o": "OW", "ʊ": "UH", "u": "UW", "ɜ": "ER", "ɚ": "ER",
    # consonants; T is the flap of "butter"
    "b": "B", "d": "D", "f": "F", "g": "G", "ɡ": "G", "h": "HH", "j": "Y", "k": "K", "l": "L", "m": "M", "n": "N",
    "ŋ": "NG", "p": "P", "r": "R", "ɹ": "R", "s": "S", "t": "T", "T": "T", "ɾ": "T", "ʔ": "T", "v": "V", "w": "W",
    "x": "K", "z": "Z", "ð": "DH", "θ": "TH", "ʃ": "SH", "ʒ": "ZH", "ʤ": "JH", "ʧ": "CH",
}  # fmt: skip
"""Hibari's phonemes as the ARPAbet of the acoustic model."""


async def align(text: str, samples: Mono, language: str) -> list[Word] | None:
    """The written words with their times in 48 kHz mono speech, or None where they cannot be told with certainty."""
    if not covers(language) or not available():
        return None
    try:
        tokens = await asyncio.get_running_loop().run_in_executor(_ALIGNER, _aligned, text, samples)
    except (LookupError, ValueError, RuntimeError):  # what the dictionary or the search cannot take is not found
        return None
    return match_words(text, tokens) if tokens else None


def covers(language: str) -> bool:
    """Whether words of a language can be aligned at all: the acoustic model is an English one."""
    return primary(language) == "en"


def available() -> bool:
    """Whether this installation can align: pocketsphinx has no wheel for some Pythons and platforms."""
    return find_spec("pocketsphinx") is not None and find_spec("hibari") is not None


def phones(phonemes: str) -> str:
    """The ARPAbet phones of one spoken word, such as "HH AH L OW"; stress and punctuation fall away."""
    plain = "".join(character for character in unicodedata.normalize("NFD", phonemes) if character not in _STRESS)
    return " ".join(_PHONES[character] for character in _R_VOWEL.sub("ɚ", plain) if character in _PHONES)


def _spoken(text: str) -> list[tuple[str, list[str]]]:
    """The text's tokens, each with the phones of the words it is said in ("$9.99" in six)."""
    found: list[tuple[str, list[str]]] = []
    for token, phonemes in pronounced(text):
        words = [word for word in map(phones, phonemes.split()) if word]
        if words:
            found.append((token, words))
    return found


def _aligned(text: str, samples: Mono) -> list[TimedToken] | None:
    tokens = _spoken(text)
    if not tokens or len(samples) < _LEAST_SECONDS * SAMPLE_RATE:
        return None
    names = [word.replace(" ", "_") for _, words in tokens for word in words]
    narrow = decimated(samples, SAMPLE_RATE // _RATE)
    segments = _search(names, (np.clip(narrow, -1, 1) * 32767).astype("<i2").tobytes())
    if [segment.word for segment in segments] != names:
        return None
    fits = [1000 * math.log(segment.ascore) / (segment.end_frame - segment.start_frame + 1) for segment in segments]
    if sum(fits) / len(fits) < _LEAST_FIT:
        return None
    result: list[TimedToken] = []
    position = 0
    for token, words in tokens:
        first, last = segments[position], segments[position + len(words) - 1]
        position += len(words)
        result.append(TimedToken(token, _seconds(first.start_frame), _seconds(last.end_frame + 1)))
    return result


def _seconds(frame: int) -> float:
    return frame * _FRAME_SECONDS + _FRAME_OFFSET


def _search(names: list[str], pcm: bytes) -> list[Any]:
    """The segments of the words in the sound; none where the search did not reach the last word."""
    first = _decoder(names)
    first.start_utt()  # the channel's mean has to be known before the search begins
    first.process_raw(pcm, no_search=True, full_utt=True)
    decoder = _decoder(names)
    decoder.set_cmn(first.get_cmn())
    decoder.start_utt()
    for position in range(0, len(pcm), _PIECE_BYTES):
        decoder.process_raw(pcm[position : position + _PIECE_BYTES])
    decoder.end_utt()
    return [phone for phone in decoder.seg() or [] if phone.word not in _FILLERS]


def _decoder(names: list[str]) -> Any:  # noqa: ANN401 - pocketsphinx has no types
    """A decoder that knows these words, each named by its phones, in this order."""
    from pocketsphinx import Decoder, get_model_path  # noqa: PLC0415

    decoder = Decoder(
        hmm=get_model_path("en-us/en-us"), lm=None, dict=None, bestpath=False, loglevel="FATAL",
        beam=_BEAM, pbeam=_BEAM, wbeam=_BEAM,
    )  # fmt: skip
    for name in dict.fromkeys(names):
        decoder.add_word(name, name.replace("_", " "), update=False)
    decoder.set_align_text(" ".join(names))
    return decoder
