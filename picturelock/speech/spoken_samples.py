"""The samples of voices that this version has spoken: found without a worker, and without any library of speech."""

from typing import Final

from picturelock import __version__
from picturelock.models import ArtifactRef, Voice
from picturelock.store.hashing import cache_key
from picturelock.store.store import Store

_KIND: Final = "sample"


async def remember_sample(voice: Voice, audio: ArtifactRef, store: Store) -> None:
    """Writes down how a voice sounds."""
    await store.remember(_KIND, _key(voice), audio)


async def find_sample(voice: Voice, store: Store) -> ArtifactRef | None:
    """The sample of a voice, or None."""
    audio = await store.recall(_KIND, _key(voice), ArtifactRef)
    return audio if audio is not None and await store.has(audio) else None


def _key(voice: Voice) -> str:
    return cache_key(__version__, voice.engine, voice.voice)
