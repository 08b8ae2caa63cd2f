"""Renders one segment: looked up by the hash of all that determines it, drawn and encoded when it is not there."""

import os
import shutil
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack, asynccontextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import structlog

from picturelock.concurrency import KeyedTurns
from picturelock.errors import (
    AssetUnreadable,
    DiskFull,
    EncoderFailed,
    RenderError,
)
from picturelock.ffmpeg.tools import tool_versions
from picturelock.models import Layer, Motion, RenderedSegment, ScenePicture, SegmentSpec, VideoFormat
from picturelock.render import encode, frames, i420, motion
from picturelock.render.clips import ClipFile, ClipReader
from picturelock.render.encoders import is_hardware
from picturelock.render.frames import Draw, Picture
from picturelock.render.i420 import Bytes2D, views
from picturelock.render.overlays import TimedOverlay, rgba_overlay
from picturelock.render.verify import check_all_pictures, check_segment
from picturelock.render.watermark import WATERMARKS
from picturelock.store.hashing import cache_key
from picturelock.store.scratch import workspace
from picturelock.store.store import Store
from picturelock.text.fonts import font_environment

log = structlog.get_logger()
_BITS_PER_PIXEL: Final = 1.0
"""Room asked for before a segment starts; real segments take a tenth of it."""

THUMBNAIL_SIDE: Final = 160
_TURNS: Final = KeyedTurns(15.0)
"""Films that are made at once may share scenes: each is rendered once."""


def segment_key(spec: SegmentSpec) -> str:
    """The cache key of a segment: its spec, and what draws and encodes it."""
    versions = tool_versions()
    made_by = [
        encode.VERSION,
        *(versions.get(name, "") for name in ("ffmpeg", "opencv-python-headless", "manimgx-fonts")),
    ]
    return cache_key(*made_by, spec.model_dump_json())


async def find_segment(spec: SegmentSpec, store: Store) -> RenderedSegment | None:
    """A segment that was rendered before, under the id it had then; None if there is none."""
    known = await store.recall("segment", segment_key(spec), RenderedSegment)
    return known if known is not None and await store.has(known.artifact) else None


async def render_segment(
    segment_id: str,
    spec: SegmentSpec,
    store: Store,
    scratch: Path,
    stall_seconds: float,
    on_progress: encode.FrameProgress,
    slot: AbstractAsyncContextManager[None] | None = None,
) -> RenderedSegment:
    """Renders (or finds) a segment. `slot` is held while it is encoded, not while files come and go.

    Raises:
        RenderFailed, RenderStalled, DiskFull, OutputInvalid, StoreUnavailable, AssetMissing.
        EncoderFailed: the encoder is hardware, and did not do its work.
    """
    async with _TURNS.turn(segment_key(spec)):
        if known := await find_segment(spec, store):
            return known.model_copy(update={"id": segment_id, "cached": True})
        return await _rendered(segment_id, spec, store, scratch, stall_seconds, on_progress, slot)


async def _rendered(
    segment_id: str,
    spec: SegmentSpec,
    store: Store,
    scratch: Path,
    stall_seconds: float,
    on_progress: encode.FrameProgress,
    slot: AbstractAsyncContextManager[None] | None,
) -> RenderedSegment:
    require_room(scratch, spec.format, spec.frames)
    started = time.monotonic()
    async with AsyncExitStack() as stack:
        hardware = is_hardware(spec.encoder)
        drawn = await stack.enter_async_context(drawer(spec, store, scratch))
        draw, luma, first = _noting(drawn, every_frame=hardware)
        folder = stack.enter_context(workspace(scratch, "segment"))
        output = folder / "segment.mp4"
        try:
            async with slot or nullcontext():
                log.debug("segment is encoded", segment=segment_id, frames=spec.frames)
                run = encode.EncoderRun(font_environment(scratch), stall_seconds, on_progress)
                await encode.encode_segment(draw, spec, output, run)
            packets = await check_segment(output, spec.frames)
            if hardware:
                await check_all_pictures(output, luma)
        except RenderError as error:
            if hardware:
                raise EncoderFailed(f"{spec.encoder}: {error.message}", detail=error.detail) from error
            raise
        artifact = await store.put_file(output, "video/mp4")
        thumbnail = await store.put_bytes(first[0], "image/jpeg")
    rendered = RenderedSegment(
        id=segment_id,
        artifact=artifact,
        thumbnail=thumbnail,
        frames=spec.frames,
        packets_sha256=packets.combined(),
        extradata_sha256=packets.extradata,
        first_luma=luma[0],
        encoder=spec.encoder,
        seconds=round(time.monotonic() - started, 3),
        worker=f"{socket.gethostname()}:{os.getpid()}",
    )
    await store.remember("segment", segment_key(spec), rendered)
    return rendered


def require_room(scratch: Path, video: VideoFormat, count: int) -> None:
    """Raises DiskFull before ffmpeg starts, when the scratch disk has no room for so many frames."""
    scratch.mkdir(parents=True, exist_ok=True)
    needed = int(video.width * video.height * count * _BITS_PER_PIXEL / 8)
    free = shutil.disk_usage(scratch).free
    if free < needed:
        raise DiskFull(f"the scratch disk has {free / 1e6:.0f} MB free; {needed / 1e6:.0f} MB are needed")


def _noting(draw: Draw, *, every_frame: bool) -> tuple[Draw, list[float], list[bytes]]:
    """The same drawer; the mean luma of the first frame, or of each, and a thumbnail of the first, once it is drawn."""
    luma: list[float] = []
    first: list[bytes] = []

    def drawn(number: int, out: Bytes2D) -> None:
        draw(number, out)
        if number == 0 or every_frame:
            luma.append(float(views(out).y.mean()))
        if number == 0:
            first.append(thumbnail_of(out))

    return drawn, luma, first


def thumbnail_of(frame: Bytes2D) -> bytes:
    """A small JPEG of a frame, `THUMBNAIL_SIDE` pixels along its longer side."""
    planes = views(frame)
    scale = THUMBNAIL_SIDE / max(planes.width, planes.height)
    size = max(1, round(planes.width * scale)), max(1, round(planes.height * scale))
    encoded = cv2.imencode(".jpg", i420.to_rgb(frame, *size)[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])[1]
    return bytes(encoded)


@asynccontextmanager
async def drawer(spec: SegmentSpec, store: Store, scratch: Path) -> AsyncIterator[Draw]:
    """What draws the segment's frames; what it keeps open is closed at the end of the block."""
    with ExitStack() as stack:
        pictures: list[Picture] = []
        for layer in spec.layers:
            pictures.append(await _picture(layer.picture, layer.scene_frames, spec.format, store))
            stack.callback(pictures[-1].close)
        mark = await WATERMARKS.load(spec.watermark, spec.format, store, scratch) if spec.watermark else None
        if len(pictures) == 1:
            yield frames.body(pictures[0], spec.layers[0].first_frame, mark)
            return
        leaving, coming = ((picture, layer.first_frame) for picture, layer in zip(pictures, spec.layers, strict=True))
        yield frames.transition(spec.transition, spec.frames, leaving, coming, mark)


async def _picture(picture: ScenePicture, scene_frames: int, video: VideoFormat, store: Store) -> Picture:
    overlays = [await _overlay(layer, video.fps, store) for layer in picture.layers]
    if picture.clip is not None:
        file = await ClipFile.open(await store.local(picture.source))
        size = motion.still_size(video.width, video.height, picture.motion)
        reader = ClipReader(file, picture.clip, video.fps, size, motion.contained_inset(picture.motion))
        moved = partial(_moved, reader, picture.motion)
        return Picture(moved, tuple(overlays), scene_frames, reader.close)
    still = i420.load_frame(await store.local(picture.source))
    return Picture.still(still, picture.motion, tuple(overlays), scene_frames, picture.drift)


async def _overlay(layer: Layer, fps: int, store: Store) -> TimedOverlay:
    bgra = cv2.imdecode(np.frombuffer(await store.read(layer.image), np.uint8), cv2.IMREAD_UNCHANGED)
    if bgra is None or bgra.ndim != 3 or bgra.shape[2] != 4:
        raise AssetUnreadable("a drawn part of a scene is damaged")
    rgba = np.asarray(cv2.cvtColor(bgra, cv2.COLOR_BGRA2RGBA), np.uint8)
    return TimedOverlay(
        rgba_overlay(layer.x, layer.y, rgba),
        fps,
        layer.enter_frame,
        layer.enter,
        layer.enter_frames,
        layer.leave_frame,
        tuple(layer.levels),
    )


def _moved(reader: ClipReader, movement: Motion, frame: int) -> motion.Mover:
    return motion.Mover(views(reader.frame(frame)), movement)
