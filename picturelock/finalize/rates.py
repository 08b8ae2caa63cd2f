"""How fast this installation has made films: what an estimate of the next one is based on."""

from collections.abc import Sequence
from typing import Final

from picturelock.models import SAMPLE_RATE, Model, Narration, RenderedSegment, VideoFormat
from picturelock.store.hashing import cache_key
from picturelock.store.store import Store

_KIND: Final = "rates"
_WEIGHT: Final = 0.5
"""Of the newest film, beside all before it."""


class Rates(Model):
    """Seconds of work of one slot. None where nothing of the kind was made yet."""

    frame_seconds: float | None = None
    speech_seconds: float | None = None
    """For a second of speech."""

    bytes_per_frame: float | None = None


async def read_rates(video: VideoFormat, store: Store) -> Rates:
    """The rates of films of a format."""
    return await store.recall(_KIND, _key(video), Rates) or Rates()


async def note_rates(
    video: VideoFormat, segments: Sequence[RenderedSegment], narrations: Sequence[Narration], store: Store
) -> None:
    """Takes note of how long what was made for a film has taken. What was found says nothing of it."""
    drawn = [segment for segment in segments if not segment.cached]
    spoken = [narration for narration in narrations if narration.took_seconds is not None and not narration.cached]
    frames = sum(segment.frames for segment in drawn)
    speech = sum(narration.samples for narration in spoken) / SAMPLE_RATE
    if not frames and not speech:
        return
    old = await read_rates(video, store)
    took = sum(narration.took_seconds or 0.0 for narration in spoken)
    rates = Rates(
        frame_seconds=_mixed(old.frame_seconds, sum(segment.seconds for segment in drawn), frames),
        speech_seconds=_mixed(old.speech_seconds, took, speech),
        bytes_per_frame=_mixed(old.bytes_per_frame, sum(segment.artifact.size_bytes for segment in drawn), frames),
    )
    await store.remember(_KIND, _key(video), rates)


def _mixed(old: float | None, spent: float, amount: float) -> float | None:
    if not amount:
        return old
    new = spent / amount
    return new if old is None else old + _WEIGHT * (new - old)


def _key(video: VideoFormat) -> str:
    return cache_key(f"{video.width}x{video.height}", str(video.fps), video.codec, video.encoder_preset)
