"""Reads the tracks of an MP4 file of our own: where each sample lies, and when it is shown (ISO/IEC 14496-12).

    index = await read_index(read, size)
    pictures = parse_tracks(index)["vide"].samples

What strangers send is never read here; files that do not have the shape that our FFmpeg writes raise `OutputInvalid`.
"""

import struct
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Final, Literal

from picturelock.errors import OutputInvalid

Read = Callable[[int, int], Awaitable[bytes]]
"""The file's bytes from a place up to another one."""

Kind = Literal["vide", "soun"]
_HEADER: Final = 16


@dataclass(frozen=True, slots=True)
class Sample:
    """A coded picture, or a packet of sound. Times in the track's own scale."""

    offset: int
    size: int
    decoded_at: int
    duration: int
    shown_after: int
    """From its decoding to its showing."""

    key: bool


@dataclass(frozen=True, slots=True)
class Track:
    """One track: what a decoder needs to know of it, as the file has it, and its samples in their order."""

    kind: Kind
    timescale: int
    header: bytes
    media_header: bytes
    handler: bytes
    kind_header: bytes
    descriptions: bytes
    samples: tuple[Sample, ...]
    skipped: int
    """The media time that is shown at 0: what lies before it prepares the decoder."""


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The boxes that lie one after the other in `data`: type and body.

    >>> [kind for kind, _ in boxes(bytes([0, 0, 0, 8]) + b"free")]
    [b'free']
    """
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1:
            (size,), head = struct.unpack_from(">Q", data, at + 8), 16
        if size < head or at + size > len(data):
            raise OutputInvalid(f"a box {kind!r} of the MP4 file does not end within it")
        yield kind, data[at + head : at + size]
        at += size


def parse_tracks(index: bytes) -> dict[Kind, Track]:
    """The first track of each kind, from the body of the box `moov`."""
    tracks: dict[Kind, Track] = {}
    for kind, body in boxes(index):
        track = _track(body) if kind == b"trak" else None
        if track is not None:
            tracks.setdefault(track.kind, track)
    return tracks


async def read_index(read: Read, size: int) -> bytes:
    """The body of the box `moov` of a file of so many bytes.

    Raises:
        OutputInvalid: there is none.
    """
    at = 0
    while at + _HEADER <= size:
        head = await read(at, at + _HEADER)
        length, kind = struct.unpack_from(">I4s", head)
        before = 8
        if length == 1:
            (length,), before = struct.unpack_from(">Q", head, 8), 16
        if length < before or at + length > size:
            break
        if kind == b"moov":
            return await read(at + before, at + length)
        at += length
    raise OutputInvalid("the MP4 file has no index")


def _find(data: bytes, *path: bytes) -> bytes:
    for name in path:
        data = next((body for kind, body in boxes(data) if kind == name), b"")
    return data


def _track(trak: bytes) -> Track | None:
    media = _find(trak, b"mdia")
    handler, info = _find(media, b"hdlr"), _find(media, b"minf")
    kind: Kind | None = "vide" if handler[8:12] == b"vide" else "soun" if handler[8:12] == b"soun" else None
    if kind is None:
        return None
    media_header, table = _find(media, b"mdhd"), _find(info, b"stbl")
    return Track(
        kind,
        struct.unpack_from(">I", media_header, 20 if media_header[0] else 12)[0],
        _find(trak, b"tkhd"),
        media_header,
        handler,
        _find(info, b"vmhd" if kind == "vide" else b"smhd"),
        _find(table, b"stsd"),
        tuple(_samples(table)),
        _skipped(_find(trak, b"edts", b"elst")),
    )


def _skipped(edits: bytes) -> int:
    """The media time of the first edit that is not empty."""
    if not edits:
        return 0
    long, count = edits[0], struct.unpack_from(">I", edits, 4)[0]
    entry, size = (">Qq", 20) if long else (">Ii", 12)
    starts = [struct.unpack_from(entry, edits, 8 + index * size)[1] for index in range(count)]
    return next((start for start in starts if start >= 0), 0)


def _samples(table: bytes) -> Iterator[Sample]:
    sizes = _sizes(_find(table, b"stsz"))
    durations = chain.from_iterable(repeat(length, count) for count, length in _pairs(_find(table, b"stts"), ">II"))
    shifts = chain.from_iterable(repeat(shift, count) for count, shift in _pairs(_find(table, b"ctts"), ">Ii"))
    sync = _find(table, b"stss")
    keys = set(_numbers(sync[4:], ">I")) if sync else None
    decoded_at = 0
    places = zip(sizes, _offsets(table, sizes), durations, strict=False)
    for number, (size, offset, duration) in enumerate(places, 1):
        yield Sample(offset, size, decoded_at, duration, next(shifts, 0), keys is None or number in keys)
        decoded_at += duration


def _sizes(box: bytes) -> list[int]:
    same, count = struct.unpack_from(">II", box, 4)
    return [same] * count if same else [size for (size,) in struct.iter_unpack(">I", box[12 : 12 + 4 * count])]


def _pairs(box: bytes, shape: str) -> Iterator[tuple[int, int]]:
    """The table of a full box that counts its entries; without one, nothing."""
    return struct.iter_unpack(shape, box[8:]) if box else iter(())


def _numbers(table: bytes, shape: str) -> list[int]:
    return [number for (number,) in struct.iter_unpack(shape, table[4:])]


def _offsets(table: bytes, sizes: list[int]) -> Iterator[int]:
    """Where each sample begins: chunks lie anywhere, the samples of a chunk after one another."""
    near, far = _find(table, b"stco"), _find(table, b"co64")
    chunks = _numbers(far[4:], ">Q") if far else _numbers(near[4:], ">I")
    runs = list(struct.iter_unpack(">III", _find(table, b"stsc")[8:]))
    ends = [*(first for first, _, _ in runs[1:]), len(chunks) + 1]
    counts = chain.from_iterable(repeat(count, end - first) for (first, count, _), end in zip(runs, ends, strict=True))
    number = 0
    for at, count in zip(chunks, counts, strict=False):
        place = at
        for size in sizes[number : number + count]:
            yield place
            place += size
        number += count
