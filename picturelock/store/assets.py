"""Uploads: what kind of file it is, found by decoding it, never by its name."""

import asyncio
import os
from pathlib import Path

from picturelock.concurrency import Turns
from picturelock.errors import AssetUnreadable
from picturelock.ffmpeg.foreign import MAX_PIXELS, MAX_STREAMS, require_one_face
from picturelock.ffmpeg.probe import probe
from picturelock.models import Asset
from picturelock.pictures.confined import inspect
from picturelock.store.hashing import sha256_of
from picturelock.store.references import References
from picturelock.store.store import Store

_AUDIO_FORMATS = {"wav", "mp3", "flac", "ogg", "aac", "aiff", "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"}
_MAX_SECONDS = 4 * 3_600
"""The longest clip or sound that is taken."""

_TURNS = Turns(max(2, os.cpu_count() or 1))
_VIDEO_FORMATS = {"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"}


async def ingest(path: Path, store: Store, *, always: bool = False, holder: str | None = None) -> Asset:
    """Identifies an uploaded file, stores it and writes down what it is.

    With `always` it is stored also where it lies already: how long it takes tells nobody that it did. A `holder` needs
    it from before it is stored: nobody's deletion takes it away.

    Raises:
        AssetUnreadable: no picture, film or sound, or a damaged one.
    """
    identified = await identify(path)
    if holder is not None:
        await References(store).add(holder, [await asyncio.to_thread(sha256_of, path)])
    ref = await store.put_file(path, identified.media_type, always=always)
    asset = identified.model_copy(update={"asset_id": f"sha256-{ref.sha256}", "size_bytes": ref.size_bytes})
    await store.put_asset(asset)
    return asset


async def identify(path: Path) -> Asset:
    """What a file is; its id is not known yet. Raises AssetUnreadable."""
    size = path.stat().st_size
    if size == 0:
        raise AssetUnreadable("the file is empty")
    if (picture := await inspect(path)) is not None:
        return Asset(
            asset_id="",
            kind="image",
            media_type=picture.media_type,
            size_bytes=size,
            width=picture.width,
            height=picture.height,
        )
    async with _TURNS.turn():  # each may take a gigabyte
        return await _film_or_sound(path, size)


async def _film_or_sound(path: Path, size: int) -> Asset:
    probed = await probe(path)
    video, audio = probed.first("video"), probed.first("audio")
    if video and (video.width or 0) * (video.height or 0) > MAX_PIXELS:
        raise AssetUnreadable(f"the film's pictures have more than {MAX_PIXELS // 10**6} megapixels", limit=MAX_PIXELS)
    await require_one_face(path)
    if len(probed.streams) > MAX_STREAMS:
        raise AssetUnreadable(f"the file has more than {MAX_STREAMS} tracks", limit=MAX_STREAMS)
    duration = probed.format.duration or 0.0
    if duration > _MAX_SECONDS:
        raise AssetUnreadable(
            f"the file lasts {duration:.0f} s; at most {_MAX_SECONDS} s are taken", limit=_MAX_SECONDS
        )
    name = probed.format.format_name
    if video and video.width and video.height and duration > 0 and name in _VIDEO_FORMATS:
        return Asset(
            asset_id="",
            kind="clip",
            media_type="video/webm" if name.startswith("matroska") else "video/mp4",
            size_bytes=size,
            width=video.width,
            height=video.height,
            duration_seconds=duration,
        )
    if audio and duration > 0 and name in _AUDIO_FORMATS:
        container = {"mov": "mp4", "mat": "webm"}.get(name[:3], name)
        media_type = f"audio/{container}"
        return Asset(asset_id="", kind="audio", media_type=media_type, size_bytes=size, duration_seconds=duration)
    raise AssetUnreadable("the file is no picture, film or sound that is supported")
