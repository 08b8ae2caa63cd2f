"""Writes fragmented MP4: a header for a film, and a fragment for each stretch of it. Nothing is encoded again.

A fragment has the coded pictures and packets of sound of one stretch, byte for byte, with their times in the film
(ISO/IEC 14496-12, section 8.8; RFC 8216, section 3.3).
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from picturelock.preview.mp4 import Sample, Track

_BRANDS: Final = b"iso6" + struct.pack(">I", 1) + b"iso6mp41"
_MATRIX: Final = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_KEY: Final = 0x02000000
_NOT_KEY: Final = 0x01010000
"""Needs other pictures, and is no place to begin."""

_OFFSET_DURATION_SIZE_FLAGS_SHIFT: Final = 0x000F01
_FROM_FRAGMENT: Final = 0x020000


@dataclass(frozen=True, slots=True)
class Piece:
    """What a fragment has of one track. The first sample is decoded at `begins`, in the track's scale."""

    samples: Sequence[Sample]
    data: bytes
    """The samples' bytes, one after the other."""

    begins: int


def header(tracks: Sequence[Track]) -> bytes:
    """The initialization segment of a film with these tracks, numbered from 1."""
    movie = _full(b"mvhd", 0, 0, bytes(8), struct.pack(">IIIH", 1000, 0, 0x10000, 0x100), bytes(10), _MATRIX, bytes(24),
                  struct.pack(">I", len(tracks) + 1))  # fmt: skip
    described = [_track(number, track) for number, track in enumerate(tracks, 1)]
    defaults = [_full(b"trex", 0, 0, struct.pack(">IIIII", number, 1, 0, 0, 0)) for number, _ in enumerate(tracks, 1)]
    return _box(b"ftyp", _BRANDS) + _box(b"moov", movie, *described, _box(b"mvex", *defaults))


def fragment(number: int, pieces: Sequence[Piece]) -> bytes:
    """A media segment, the `number`th; the pieces in the order of the header's tracks."""
    sizes = [len(piece.data) for piece in pieces]
    empty = _index(number, pieces, [0] * len(pieces))
    starts = [len(empty) + 8 + sum(sizes[:index]) for index in range(len(pieces))]
    return _index(number, pieces, starts) + _box(b"mdat", *(piece.data for piece in pieces))


def _index(number: int, pieces: Sequence[Piece], starts: Sequence[int]) -> bytes:
    runs = [_run(track, piece, start) for track, (piece, start) in enumerate(zip(pieces, starts, strict=True), 1)]
    return _box(b"moof", _full(b"mfhd", 0, 0, struct.pack(">I", number)), *runs)


def _run(track: int, piece: Piece, start: int) -> bytes:
    samples = b"".join(
        struct.pack(">IIIi", sample.duration, sample.size, _KEY if sample.key else _NOT_KEY, sample.shown_after)
        for sample in piece.samples
    )
    head = struct.pack(">Ii", len(piece.samples), start)
    return _box(
        b"traf",
        _full(b"tfhd", 0, _FROM_FRAGMENT, struct.pack(">I", track)),
        _full(b"tfdt", 1, 0, struct.pack(">Q", piece.begins)),
        _full(b"trun", 1, _OFFSET_DURATION_SIZE_FLAGS_SHIFT, head, samples),
    )


def _track(number: int, track: Track) -> bytes:
    """A track without samples. Its file's headers are kept but for number and lengths."""
    wide = track.header[0] == 1
    place, length, lengths = (20, 28, 8) if wide else (12, 20, 4)
    head = bytearray(track.header)
    head[place : place + 4] = struct.pack(">I", number)
    head[length : length + lengths] = bytes(lengths)
    media = bytearray(track.media_header)
    length, lengths = (24, 8) if media[0] == 1 else (16, 4)
    media[length : length + lengths] = bytes(lengths)
    own = _full(b"dref", 0, 0, struct.pack(">I", 1), _full(b"url ", 0, 1))
    table = _box(
        b"stbl",
        _box(b"stsd", track.descriptions),
        *(_full(kind, 0, 0, bytes(4)) for kind in (b"stts", b"stsc", b"stco")),
        _full(b"stsz", 0, 0, bytes(8)),
    )
    info = _box(
        b"minf", _box(b"vmhd" if track.kind == "vide" else b"smhd", track.kind_header), _box(b"dinf", own), table
    )
    media_box = _box(b"mdia", _box(b"mdhd", bytes(media)), _box(b"hdlr", track.handler), info)
    edit = _full(b"elst", 0, 0, struct.pack(">IIiI", 1, 0, track.skipped, 0x10000))
    return _box(b"trak", _box(b"tkhd", bytes(head)), _box(b"edts", edit), media_box)


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def _full(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return _box(kind, struct.pack(">I", version << 24 | flags), *parts)
