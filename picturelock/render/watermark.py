"""The watermark of a film: decoded once a process, however many segments carry it."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from picturelock.models import VideoFormat, Watermark
from picturelock.render import i420, stills
from picturelock.render.overlays import Overlay, picture_overlay
from picturelock.store.scratch import workspace
from picturelock.store.store import Store

_SHARE: Final = 0.12
"""Of the frame's longer side, at the most."""

_KEPT: Final = 8
_LARGE: Final = 4 * 8_000_000
"""Samples of a picture that is brought down in two steps: as floats it would take a gigabyte."""

_BAND_ROWS: Final = 512
Floats = npt.NDArray[np.float32]


@dataclass(slots=True)
class WatermarkLoader:
    """Watermarks as they are drawn; the latest few are kept."""

    _sized: OrderedDict[tuple[str, int, int], i420.RGB]

    async def load(self, mark: Watermark, video: VideoFormat, store: Store, scratch: Path) -> Overlay:
        """The watermark in its corner, its own transparency kept.

        Raises:
            AssetMissing, AssetUnreadable.
        """
        margin = round(min(video.width, video.height) * 0.035) // 2 * 2
        key = (mark.asset_id, video.width, video.height)
        if key not in self._sized:
            self._sized[key] = await _sized(mark.asset_id, video, margin, store, scratch)
            while len(self._sized) > _KEPT:
                self._sized.popitem(last=False)
        small = self._sized[key]
        height, width = small.shape[:2]
        x = margin if mark.position.endswith("left") else video.width - width - margin
        y = margin if mark.position.startswith("top") else video.height - height - margin
        picture = i420.from_rgb(np.ascontiguousarray(small[:, :, :3]))
        cover = np.ascontiguousarray(small[:, :, 3])
        return picture_overlay(x // 2 * 2, y // 2 * 2, picture, cover, mark.opacity)


WATERMARKS: Final = WatermarkLoader(OrderedDict())


async def _sized(asset_id: str, video: VideoFormat, margin: int, store: Store, scratch: Path) -> i420.RGB:
    _, ref = await store.asset(asset_id)
    with workspace(scratch, "watermark") as folder:
        rgba = await stills.load_rgba(await store.local(ref, folder), folder)
        room = min(video.width - 2 * margin, max(video.width, video.height) * _SHARE)
        scale = min(1.0, room / rgba.shape[1], (video.height - 2 * margin) / 2 / rgba.shape[0])
        width, height = (max(2, round(side * scale) // 2 * 2) for side in (rgba.shape[1], rgba.shape[0]))
        return _shrunk(rgba, width, height)


def _shrunk(rgba: i420.RGB, width: int, height: int) -> i420.RGB:
    """Resized with its colours weighted by their coverage: what is transparent lends no colour to the edges."""
    blocks = max(1, min(rgba.shape[1] // width, rgba.shape[0] // height) // 2) if rgba.size > _LARGE else 1
    weighted = np.concatenate(list(_weighted(rgba, blocks)))
    small = np.asarray(cv2.resize(weighted, (width, height), interpolation=cv2.INTER_AREA), np.float32)
    small[:, :, :3] /= np.maximum(small[:, :, 3:] / 255, 1e-3)
    return np.asarray(np.clip(np.rint(small), 0, 255), np.uint8)


def _weighted(rgba: i420.RGB, blocks: int) -> Iterator[Floats]:
    """Bands of the picture as floats, colours weighted by coverage, squares of pixels brought down to their mean."""
    step = max(blocks, _BAND_ROWS // blocks * blocks)
    columns = rgba.shape[1] // blocks
    for top in range(0, rgba.shape[0] // blocks * blocks, step):
        band = rgba[top : top + step, : columns * blocks]
        band = band[: band.shape[0] // blocks * blocks]
        cover = band[:, :, 3:].astype(np.float32) / 255
        weighted = np.concatenate([band[:, :, :3] * cover, cover * 255], axis=2).astype(np.float32)
        if blocks == 1:
            yield weighted
        else:
            size = (columns, band.shape[0] // blocks)
            yield np.asarray(cv2.resize(weighted, size, interpolation=cv2.INTER_AREA), np.float32)
