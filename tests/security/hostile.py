"""Files that lie: bombs, lists of other files, two faces. Each maker gives bytes; none needs more than a moment."""

import io
import struct
import subprocess
import wave
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from picturelock.ffmpeg.tools import ffmpeg_path

Maker = Callable[[Path], bytes]


def made(folder: Path, name: str, *arguments: str) -> bytes:
    """What ffmpeg writes."""
    path = folder / name
    subprocess.run([ffmpeg_path(), "-v", "error", "-y", *arguments, str(path)], check=True, timeout=60)
    return path.read_bytes()


def tone(folder: Path, name: str, *more: str, seconds: float = 1) -> bytes:
    return made(folder, name, "-f", "lavfi", "-i", f"sine=1000:d={seconds}", *more)


def film(folder: Path, name: str = "film.mp4", *more: str, size: str = "64x48", seconds: float = 1) -> bytes:
    source = f"testsrc2=s={size}:r=10:d={seconds}"
    return made(folder, name, "-f", "lavfi", "-i", source, "-pix_fmt", "yuv420p", *more)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def painted(folder: Path, side: int) -> bytes:
    """A clip of a few large pictures, which are small when packed."""
    source = f"color=s={side}x{side}:r=1:d=2"
    return made(folder, "painted.mov", "-f", "lavfi", "-i", source, "-c:v", "png", "-pix_fmt", "rgb24")


# --- pictures


def png(width: int, height: int, *, channels: int = 4, rows: int | None = None) -> bytes:
    """A picture of one colour, whatever its size; with `rows`, it ends before its time."""
    packer = zlib.compressobj(9)
    row = b"\0" * (1 + width * channels)
    packed = b"".join(packer.compress(row) for _ in range(height if rows is None else rows)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, {4: 6, 3: 2, 1: 0}[channels], 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with_text(size: int) -> bytes:
    """A small picture with much packed text."""
    packed = zlib.compress(b"A" * size, 9)
    return png(8, 8)[:-12] + _chunk(b"zTXt", b"Comment\0\0" + packed) + _chunk(b"IEND", b"")


def packed_bmp(bits: int = 8, width: int = 20_000, height: int = 2_500) -> bytes:
    """Run-length encoding that is undone byte by byte."""
    data, offset = b"\x01\x01" * min(10_000_000, width * height), 14 + 40 + (1 << bits) * 4
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, 1 if bits == 8 else 2, len(data), 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + header + bytes((1 << bits) * 4) + data


def gif(frames: int) -> bytes:
    pictures = [Image.new("RGB", (9, 9), (value % 255, value // 255, 9)) for value in range(frames)]
    return saved(pictures[0], "GIF", save_all=True, append_images=pictures[1:])


def tiff_pages(pages: int) -> bytes:
    pictures = [Image.new("L", (4, 4), value % 255) for value in range(pages)]
    return saved(pictures[0], "TIFF", save_all=True, append_images=pictures[1:])


def tiff_claiming(width: int, height: int) -> bytes:
    """A header alone, which claims a picture of any size."""
    entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
               (273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, 9_999)]  # fmt: skip
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + body + bytes(4)


def webp_claiming() -> bytes:
    data = b"VP8X" + struct.pack("<I", 10) + bytes(4) + b"\xff\xff\xff" + b"\xff\xff\xff"
    return b"RIFF" + struct.pack("<I", 4 + len(data)) + b"WEBP" + data


def jpeg_claiming() -> bytes:
    data = bytearray(saved(Image.new("RGB", (16, 16)), "JPEG"))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", 65_000, 65_000)
    return bytes(data)


# --- containers


def _box(kind: bytes, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return struct.pack(">I4s", 8 + len(data), kind) + data


def sample_tables(count: int = 60_000_000, kind: bytes = b"stsz") -> bytes:
    """Some hundred bytes that claim sixty million pictures, or as many times."""
    identity = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    mvhd = _box(
        b"mvhd", struct.pack(">IIIIIIH10x", 0, 0, 0, 1000, 1000, 0x10000, 0x100), identity, bytes(24), b"\0\0\0\2"
    )
    size = struct.pack(">II", 320 << 16, 180 << 16)
    tkhd = _box(b"tkhd", struct.pack(">IIIIII", 3, 0, 0, 1, 0, 1000), bytes(16), identity, size)
    mdhd = _box(b"mdhd", struct.pack(">IIIIIHH", 0, 0, 0, 1000, count & 0xFFFFFFFF, 0x55C4, 0))
    hdlr = _box(b"hdlr", struct.pack(">II4s12x", 0, 0, b"vide"), b"\0")
    entry = bytes(6) + b"\0\1" + bytes(16) + struct.pack(">HHIIIH", 320, 180, 0x480000, 0x480000, 0, 1)
    stsd = _box(b"stsd", struct.pack(">II", 0, 1), _box(b"mp4v", entry, bytes(32), struct.pack(">Hh", 24, -1)))
    tables = [
        _box(b"stts", struct.pack(">IIII", 0, 1, count, 1)),
        _box(b"stsc", struct.pack(">IIIII", 0, 1, 1, count, 1)),
        _box(b"stsz", struct.pack(">III", 0, 1, count)),
        _box(b"stco", struct.pack(">III", 0, 1, 40)),
    ]
    if kind == b"ctts":
        tables.append(_box(b"ctts", struct.pack(">IIII", 0, 1, count, 1)))
    url = _box(b"dref", struct.pack(">II", 0, 1), _box(b"url ", struct.pack(">I", 1)))
    minf = _box(b"minf", _box(b"vmhd", bytes(12)), _box(b"dinf", url), _box(b"stbl", stsd, *tables))
    trak = _box(b"trak", tkhd, _box(b"mdia", mdhd, hdlr, minf))
    return _box(b"ftyp", b"isom\0\0\2\0isommp41") + _box(b"moov", mvhd, trak)


def nested_boxes(depth: int = 20_000) -> bytes:
    data = b""
    for _ in range(depth):
        data = _box(b"trak", data)
    return _box(b"ftyp", b"isom\0\0\2\0isom") + _box(b"moov", data)


def matroska_tags(size: int = 30_000_000) -> bytes:
    """A film with a tag of control characters, which JSON writes sixfold."""

    def element(kind: bytes, data: bytes) -> bytes:
        return kind + b"\x01" + len(data).to_bytes(7, "big") + data

    simple = element(b"\x67\xc8", element(b"\x45\xa3", b"T") + element(b"\x44\x87", b"\x01" * size))
    head = element(b"\x1a\x45\xdf\xa3", element(b"\x42\x82", b"matroska"))
    return head + element(b"\x18\x53\x80\x67", element(b"\x12\x54\xc3\x67", element(b"\x73\x73", simple)))


def slow_wav(seconds: int = 9_000, rate: int = 1) -> bytes:
    """Nine kilobytes that last for hours."""
    data = b"\x80" * (seconds * rate)
    fmt = struct.pack("<IHHIIHH", 16, 1, 1, rate, rate, 1, 8)
    return (
        b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + fmt + b"data" + struct.pack("<I", len(data)) + data
    )


def many_tracks(folder: Path, count: int = 80) -> bytes:
    maps = [word for _ in range(count) for word in ("-map", "0:a")]
    return made(folder, "tracks.mka", "-f", "lavfi", "-i", "sine=d=0.1", *maps, "-c:a", "pcm_s16le")


def concatenated(folder: Path) -> bytes:
    """A picture with a film behind it."""
    return saved(Image.new("RGB", (9, 9)), "PNG") + film(folder)


def wav(seconds: float = 1.0) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        at = np.arange(int(seconds * 16_000)) / 16_000
        file.writeframes((np.sin(at * 2_000) * 9_000).astype("<i2").tobytes())
    return buffer.getvalue()


# --- lists of other files, and two faces

LISTS: dict[str, str] = {
    "hls": "#EXTM3U\n#EXTINF:2,\n{private}\n#EXT-X-ENDLIST\n",
    "hls-map": '#EXTM3U\n#EXT-X-MAP:URI="{private}"\n#EXTINF:2,\nx\n#EXT-X-ENDLIST\n',
    "hls-key": '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="file://{private}"\n#EXTINF:2,\n{private}\n',
    "hls-master": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{private}\n",
    "ffconcat": "ffconcat version 1.0\nfile '{private}'\n",
    "ffconcat-upper": "ffconcat version 1.0\nstream\nfile 'file:{private}'\noption safe 0\n",
    "concat-protocol": "#EXTM3U\n#EXTINF:2,\nconcat:{private}|{private}\n#EXT-X-ENDLIST\n",
    "subfile": "#EXTM3U\n#EXTINF:2,\nsubfile,,start,0,end,999,,:{private}\n#EXT-X-ENDLIST\n",
    "data": "#EXTM3U\n#EXTINF:2,\ndata:audio/wav;base64,UklGRg==\n#EXT-X-ENDLIST\n",
    "http": "#EXTM3U\n#EXTINF:2,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n",
    "gopher": "#EXTM3U\n#EXTINF:2,\ngopher://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 0\n",
    "asx": '<asx version="3.0"><entry><ref href="file://{private}"/></entry></asx>',
    "smil": '<smil><body><video src="{private}"/></body></smil>',
    "svg": '<svg xmlns="http://www.w3.org/2000/svg"><image href="file://{private}"/></svg>',
    "mvg": "push graphic-context\nviewbox 0 0 64 64\nimage over 0,0 0,0 '{private}'\npop graphic-context\n",
    "eps": "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n({private}) run\n",
    "cue": 'FILE "{private}" WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n',
    "pls": "[playlist]\nFile1={private}\nNumberOfEntries=1\n",
    "imf": '<CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016"><Id>{private}</Id></CompositionPlaylist>',
    "ism": '<SmoothStreamingMedia MajorVersion="2"><StreamIndex Type="audio" Url="{private}"/></SmoothStreamingMedia>',
    "html": "<html><img src='{private}'></html>",
}

_DASH = """<?xml version="1.0" encoding="ISO-8859-1"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"
 mediaPresentationDuration="PT2S" minBufferTime="PT1S"><Period duration="PT2S"><AdaptationSet contentType="audio"
 mimeType="audio/mp4"><Representation id="0" bandwidth="64000"><BaseURL>{private}</BaseURL></Representation>
</AdaptationSet></Period></MPD>
"""


def two_faces(private: Path, face: bytes) -> bytes:
    """A manifest that names a private file, with something else in a comment behind it."""
    return _DASH.format(private=private).encode() + b"<!--" + face + b"-->"


MP3_FRAMES = 400 * (b"\xff\xfb\x90\x64" + 413 * b"U")
AAC_FRAMES = 400 * (b"\xff\xf1\x50\x80\x2e\x7f\xfc" + 364 * b"U")
MPEG_TS_PACKETS = 400 * (b"G\x1f\xff\x10" + 184 * b"U")
