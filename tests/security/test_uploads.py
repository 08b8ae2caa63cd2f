"""Files of strangers at the door: each gets one clear refusal, soon, for little memory, and the server lives."""

import time
from pathlib import Path

import pytest
from PIL import Image

from tests.security import hostile
from tests.security.conftest import Guarded
from tests.security.hostile import LISTS, Maker, film, png, saved, tone
from tests.security.watching import ALONE, MB, watched

pytestmark = [pytest.mark.slow]

REFUSED_WITHIN = 2.0 if ALONE else 20.0
MEMORY = 1_024 * MB
HEALTHZ_WITHIN = 0.3 if ALONE else 3.0
BINARY = {"content-type": "application/octet-stream"}

PICTURES: dict[str, Maker] = {
    "196 megapixels": lambda _: png(14_000, 14_000),
    "60 megapixels": lambda _: png(10_000, 6_000),
    "a side too long": lambda _: png(30_000, 10, channels=1),
    "2 gigapixels in grey": lambda _: png(60_000, 40_000, channels=1, rows=10),
    "claims 4 gigapixels": lambda _: png(65_000, 65_000, rows=1),
    "cut off": lambda _: png(900, 900)[:200],
    "packed BMP, 8 bits": lambda _: hostile.packed_bmp(8),
    "packed BMP, 4 bits": lambda _: hostile.packed_bmp(4),
    "an animation of 3,000 pictures": lambda _: hostile.gif(3_000),
    "a TIFF of 2,000 pages": lambda _: hostile.tiff_pages(2_000),
    "a TIFF that claims 4 gigapixels": lambda _: hostile.tiff_claiming(65_535, 65_535),
    "a TIFF of nothing": lambda _: hostile.tiff_claiming(4_000, 4_000),
    "a WebP that claims the most": lambda _: hostile.webp_claiming(),
    "a JPEG that claims 4 gigapixels": lambda _: hostile.jpeg_claiming(),
    "a gigabyte of text in a PNG": lambda _: hostile.png_with_text(1_000_000_000),
    "an icon": lambda _: saved(Image.new("RGB", (16, 16)), "ICO"),
    "a Photoshop file": lambda _: b"8BPS\0\1" + bytes(6) + b"\0\3\0\0\x75\x30\0\0\x75\x30\0\x08\0\3" + bytes(99),
    "a DDS texture": lambda _: saved(Image.new("RGB", (16, 16)), "DDS"),
    "a PCX": lambda _: saved(Image.new("RGB", (16, 16)), "PCX"),
    "a TGA": lambda _: saved(Image.new("RGB", (16, 16)), "TGA"),
    "a PDF": lambda _: saved(Image.new("RGB", (16, 16)), "PDF"),
    "a font": lambda _: b"\0\1\0\0\0\x0c\0\x80\0\3\0\x40" + bytes(200),
}
CONTAINERS: dict[str, Maker] = {
    "60 million pictures in 600 bytes": lambda _: hostile.sample_tables(),
    "60 million times": lambda _: hostile.sample_tables(kind=b"ctts"),
    "4 billion pictures": lambda _: hostile.sample_tables(2**32 - 1),
    "20,000 boxes in one another": lambda _: hostile.nested_boxes(),
    "30 MB of tags": lambda _: hostile.matroska_tags(),
    "a clip of 196 megapixels": lambda folder: hostile.painted(folder, 14_000),
    "80 tracks": hostile.many_tracks,
    "five hours": lambda _: hostile.slow_wav(18_000),
    "an AVI": lambda folder: film(folder, "film.avi", "-c:v", "mpeg4"),
    "a FLV": lambda folder: film(folder, "film.flv"),
    "a Y4M": lambda folder: film(folder, "film.y4m"),
    "an NSV of nothing": lambda _: b"NSVf" + bytes(200),
    "an AMR": lambda _: b"#!AMR\n" + bytes(400),
    "a MIDI": lambda _: b"MThd\0\0\0\6\0\1\0\1\0\x60MTrk\0\0\0\4\0\xff\x2f\0",
    "a module of a tracker": lambda _: b"Extended Module: " + bytes(900),
    "a game's music": lambda _: b"NESM\x1a\1" + bytes(300),
    "empty": lambda _: b"",
    "one byte": lambda _: b"\0",
    "noise": lambda _: bytes((7 * n * n + n // 3) % 256 for n in range(50_000)),
    "a script": lambda _: b"#!/bin/sh\nrm -rf /\n",
    "a program": lambda _: b"\x7fELF\2\1\1" + bytes(500),
    "an archive": lambda _: b"PK\3\4" + bytes(500),
}
FACES: dict[str, bytes] = {
    "MP3 frames": hostile.MP3_FRAMES,
    "AAC frames": hostile.AAC_FRAMES,
    "MPEG-TS packets": hostile.MPEG_TS_PACKETS,
    "a WAV": hostile.wav(),
    "nothing": b" ",
}
GOOD: dict[str, Maker] = {
    "JPEG": lambda _: saved(Image.new("RGB", (300, 200), (9, 90, 200)), "JPEG"),
    "PNG with transparency": lambda _: saved(Image.new("RGBA", (300, 200), (9, 90, 200, 90)), "PNG"),
    "WebP": lambda _: saved(Image.new("RGB", (300, 200)), "WEBP"),
    "GIF of one picture": lambda _: saved(Image.new("P", (30, 20)), "GIF"),
    "BMP": lambda _: saved(Image.new("RGB", (30, 20)), "BMP"),
    "TIFF": lambda _: saved(Image.new("RGB", (30, 20)), "TIFF"),
    "49 megapixels": lambda _: png(7_000, 7_000),
    "MP4": film,
    "MOV": lambda folder: film(folder, "film.mov"),
    "WebM": lambda folder: film(folder, "film.webm", "-c:v", "libvpx-vp9"),
    "MKV": lambda folder: film(folder, "film.mkv"),
    "WAV": lambda _: hostile.wav(),
    "MP3": lambda folder: tone(folder, "a.mp3"),
    "FLAC": lambda folder: tone(folder, "a.flac"),
    "Ogg": lambda folder: tone(folder, "a.ogg"),
    "AAC": lambda folder: tone(folder, "a.aac"),
    "M4A": lambda folder: tone(folder, "a.m4a"),
}
"""The control: what has to be taken, however much is refused."""


async def refused(guarded: Guarded, data: bytes) -> None:
    pids = list(guarded.up.pids.values())
    async with watched(guarded.up.api, pids) as cost:
        began = time.perf_counter()
        answer = await guarded.http.post("/api/assets", content=data, headers=BINARY)
        took = time.perf_counter() - began
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "ASSET_UNREADABLE"), problem
    assert str(guarded.up.data) not in answer.text
    assert "Traceback" not in answer.text
    assert len(answer.content) < 2_000
    assert took < REFUSED_WITHIN
    assert cost.taken < MEMORY
    assert cost.slowest < HEALTHZ_WITHIN


@pytest.mark.parametrize("name", PICTURES)
async def test_a_hostile_picture_is_refused(name: str, guarded: Guarded, tmp_path: Path) -> None:
    await refused(guarded, PICTURES[name](tmp_path))


@pytest.mark.parametrize("name", CONTAINERS)
async def test_a_hostile_container_is_refused(name: str, guarded: Guarded, tmp_path: Path) -> None:
    await refused(guarded, CONTAINERS[name](tmp_path))


@pytest.mark.parametrize("name", LISTS)
async def test_a_list_of_other_files_is_refused(name: str, guarded: Guarded, tmp_path: Path) -> None:
    tone(tmp_path, "private.m4a")
    await refused(guarded, LISTS[name].format(private=tmp_path / "private.m4a").encode())


@pytest.mark.parametrize("name", FACES)
async def test_a_file_with_two_faces_is_refused(name: str, guarded: Guarded, tmp_path: Path) -> None:
    tone(tmp_path, "private.m4a")
    await refused(guarded, hostile.two_faces(tmp_path / "private.m4a", FACES[name]))


@pytest.mark.parametrize("name", GOOD)
async def test_what_is_good_is_taken(name: str, guarded: Guarded, tmp_path: Path) -> None:
    answer = await guarded.http.post("/api/assets", content=GOOD[name](tmp_path), headers=BINARY)
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("bits", [4, 8])
async def test_packed_bmp_is_refused_by_its_packing_however_small(bits: int, guarded: Guarded) -> None:
    answer = await guarded.http.post("/api/assets", content=hostile.packed_bmp(bits, 16, 16), headers=BINARY)
    assert answer.status_code == 422
    assert "packed BMP" in answer.json()["detail"]


async def test_a_picture_with_a_film_behind_it_is_a_picture(guarded: Guarded, tmp_path: Path) -> None:
    answer = await guarded.http.post("/api/assets", content=hostile.concatenated(tmp_path), headers=BINARY)
    assert answer.json()["kind"] == "image"
