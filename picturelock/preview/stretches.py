"""Stretches of a film as fragments, from its finished segments and its sound, or from the film itself."""

import asyncio
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Sequence
from functools import partial
from typing import Final

from picturelock.errors import OutputInvalid
from picturelock.models import ArtifactRef, Segment
from picturelock.preview.fragments import Piece, fragment, header
from picturelock.preview.mp4 import Kind, Sample, Track, parse_tracks, read_index
from picturelock.store.store import Store

_KEPT: Final = 64
"""Files whose tables of samples are kept as they were read."""


class Stretches:
    """The fragments of the films of one store. All methods raise StoreUnavailable, ArtifactLost, OutputInvalid."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read: OrderedDict[str, dict[Kind, Track]] = OrderedDict()

    async def header(self, pictures: ArtifactRef, sound: ArtifactRef) -> bytes:
        """What a player needs before any fragment. `pictures` is the film, or any of its segments."""
        return header([await self._track(pictures, "vide"), await self._track(sound, "soun")])

    async def of_segment(
        self, number: int, segment: Segment, fps: int, pictures: ArtifactRef, sound: ArtifactRef, *, last: bool
    ) -> bytes:
        """The fragment of a segment that was rendered on its own."""
        track = await self._track(pictures, "vide")
        begins = segment.start_frame * track.timescale // fps
        return await self._fragment(number, segment, fps, (pictures, track.samples, begins), sound, last=last)

    async def of_film(self, number: int, segment: Segment, fps: int, film: ArtifactRef, *, last: bool) -> bytes:
        """The fragment of the same stretch of the finished film."""
        track = await self._track(film, "vide")
        samples = track.samples[segment.start_frame : segment.start_frame + segment.frames]
        begins = segment.start_frame * track.timescale // fps
        return await self._fragment(number, segment, fps, (film, samples, begins), film, last=last)

    async def _fragment(
        self,
        number: int,
        segment: Segment,
        fps: int,
        pictures: tuple[ArtifactRef, Sequence[Sample], int],
        sound: ArtifactRef,
        *,
        last: bool,
    ) -> bytes:
        track = await self._track(sound, "soun")
        start, end = segment.start_frame, segment.start_frame + segment.frames
        packets = track.samples[_heard(track, start, fps) if start else 0 : None if last else _heard(track, end, fps)]
        ref, samples, begins = pictures
        seen = Piece(samples, await self._bytes(ref, samples), begins)
        heard = Piece(packets, await self._bytes(sound, packets), packets[0].decoded_at if packets else 0)
        return fragment(number, [seen, heard])

    async def _bytes(self, ref: ArtifactRef, samples: Sequence[Sample]) -> bytes:
        if not samples:
            return b""
        start = min(sample.offset for sample in samples)
        end = max(sample.offset + sample.size for sample in samples)
        data = await self._range(ref, start, end)
        return b"".join(data[sample.offset - start : sample.offset - start + sample.size] for sample in samples)

    async def _track(self, ref: ArtifactRef, kind: Kind) -> Track:
        tracks = self._read.get(ref.sha256)
        if tracks is None:
            index = await read_index(partial(self._range, ref), ref.size_bytes)
            tracks = self._read[ref.sha256] = await asyncio.to_thread(parse_tracks, index)
            if len(self._read) > _KEPT:
                self._read.popitem(last=False)
        if kind not in tracks:
            raise OutputInvalid(f"the file has no track of kind {kind!r}")
        return tracks[kind]

    async def _range(self, ref: ArtifactRef, start: int, end: int) -> bytes:
        return b"".join([chunk async for chunk in self._store.stream(ref, start, min(end, ref.size_bytes))])


def _heard(track: Track, frame: int, fps: int) -> int:
    """The first packet of sound that is heard when a frame is seen."""
    moment = frame * track.timescale / fps + track.skipped
    return bisect_left(track.samples, moment, key=lambda sample: sample.decoded_at)
