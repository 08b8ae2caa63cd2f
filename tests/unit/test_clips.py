"""Clips: the same frame for the same moment, wherever a segment begins; cut, looped, frozen, fitted, converted."""

import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from picturelock.errors import AssetUnreadable, RenderFailed
from picturelock.ffmpeg import runner
from picturelock.ffmpeg.tools import ffmpeg_path
from picturelock.models import ClipCut
from picturelock.render.clips import ClipFile, ClipReader
from picturelock.render.i420 import Bytes2D, views

pytestmark = pytest.mark.slow

SIZE = (160, 90)
SOUND = ["-f", "lavfi", "-i", "sine=d=5", "-shortest"]


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    """Encodes a synthetic clip: `source` is a lavfi graph, the rest are ffmpeg's output options."""

    def encode(source: str, *options: str, name: str = "clip.mp4") -> Path:
        path = tmp_path / name
        inputs, outputs = (list(options[:4]), options[4:]) if "sine=d=5" in options else ([], options)
        command = [ffmpeg_path(), "-v", "error", "-y", "-f", "lavfi", "-i", source, *inputs, "-pix_fmt", "yuv420p"]
        subprocess.run([*command, *outputs, str(path)], check=True)
        return path

    return encode


async def read(path: Path, cut: ClipCut, numbers: list[int], fps: int = 30) -> list[Bytes2D]:
    file = await ClipFile.open(path)
    entered = cut.model_copy(update={"first": cut.first + await file.origin(fps)})
    reader = ClipReader(file, entered, fps, SIZE)
    try:
        return [reader.frame(number).copy() for number in numbers]
    finally:
        reader.close()


def cut(frames: int, first: int = 0, when_short: str = "loop", fit: str = "cover") -> ClipCut:
    return ClipCut.model_validate({"first": first, "frames": frames, "when_short": when_short, "fit": fit})


@pytest.mark.parametrize(
    ("source", "options"),
    [
        ("testsrc2=r=24:s=320x180:d=4", ["-c:v", "libx264", "-bf", "3"]),
        ("testsrc2=r=60:s=320x180:d=4", ["-c:v", "libx264", "-g", "30"]),
        ("testsrc2=r=29.97:s=320x180:d=4,setpts='PTS+0.3*random(1)/TB/30'", ["-c:v", "libx264", "-fps_mode", "vfr"]),
        ("testsrc2=r=2:s=320x180:d=6", ["-c:v", "libx264", "-g", "4"]),
        ("testsrc2=r=25:s=320x180:d=4,setpts=PTS+7/TB", ["-c:v", "libx264", "-muxdelay", "0", "-copyts"]),
        ("testsrc2=r=25:s=320x180:d=4", [*SOUND, "-c:v", "libx264", "-output_ts_offset", "0.1"]),
        ("testsrc2=r=25:s=320x180:d=4,setpts=PTS+0.13/TB", [*SOUND, "-c:v", "libx264"]),
        ("testsrc2=r=25:s=320x180:d=4,setpts=PTS+1/TB", [*SOUND, "-c:v", "libx264", "-use_editlist", "0"]),
        (
            "testsrc2=r=3:s=320x180:d=6",
            ["-c:v", "libx264", "-bf", "8", "-x264-params", "open-gop=1:keyint=12:b-adapt=0"],
        ),
    ],
)
async def test_a_segment_may_begin_anywhere_and_sees_the_same_frames(
    make: Callable[..., Path], source: str, options: list[str]
) -> None:
    path = make(source, *options)
    file = await ClipFile.open(path)
    assert await file.count(cut(90, first=await file.origin(30)), 30, 60, lambda _: None) == 90
    in_order = await read(path, cut(90), list(range(90)))
    assert len({frame.tobytes() for frame in in_order}) > 5
    for start in (89, 61, 60, 59, 31, 1):
        numbers = list(range(start, min(start + 4, 90)))
        for number, frame in zip(numbers, await read(path, cut(90), numbers), strict=True):
            assert np.array_equal(frame, in_order[number]), (start, number)


async def test_a_transport_stream_in_an_mp4_is_read_alike_from_everywhere(
    make: Callable[..., Path], tmp_path: Path
) -> None:
    """Its pictures begin later than its sound does."""
    stream = make("testsrc2=r=30:s=320x180:d=3", *SOUND, "-c:v", "libx264", name="clip.ts")
    path = tmp_path / "remuxed.mp4"
    await runner.run(["-v", "error", "-i", str(stream), "-c", "copy", str(path)], stall_seconds=30)
    whole = await read(path, cut(80), list(range(80)))
    assert len({frame.tobytes() for frame in whole}) == 80
    for start in (1, 30, 59):
        [frame] = await read(path, cut(80), [start])
        assert np.array_equal(frame, whole[start])


async def test_a_reader_goes_on_in_another_thread(make: Callable[..., Path]) -> None:
    """Its decoder has died with the thread that had started it."""
    path = make("testsrc2=r=30:s=1280x720:d=3", "-c:v", "libx264")
    file = await ClipFile.open(path)
    reader = ClipReader(file, cut(90), 30, (1280, 720))
    first: list[Bytes2D] = []
    worker = threading.Thread(target=lambda: first.extend(reader.frame(number).copy() for number in range(3)))
    worker.start()
    worker.join()
    try:
        fourth = reader.frame(3).copy()
    finally:
        reader.close()
    again = ClipReader(file, cut(90), 30, (1280, 720))
    try:
        assert [np.array_equal(again.frame(number), one) for number, one in enumerate([*first, fourth])] == [True] * 4
    finally:
        again.close()


async def test_a_clip_is_entered_where_it_is_cut(make: Callable[..., Path]) -> None:
    path = make("testsrc2=r=30:s=320x180:d=3", "-c:v", "libx264")
    whole = await read(path, cut(90), list(range(90)))
    later = await read(path, cut(40, first=20), list(range(40)))
    assert all(np.array_equal(one, other) for one, other in zip(later, whole[20:60], strict=True))


async def test_a_short_clip_begins_again_or_stands_still(make: Callable[..., Path]) -> None:
    path = make("testsrc2=r=30:s=320x180:d=0.5", "-c:v", "libx264")
    file = await ClipFile.open(path)
    count = await file.count(cut(90), 30, 60, lambda _: None)
    assert count == 15
    whole = await read(path, cut(15), list(range(15)))
    looped = await read(path, cut(15), list(range(13, 33)))
    assert all(np.array_equal(frame, whole[(13 + n) % 15]) for n, frame in enumerate(looped))
    frozen = await read(path, cut(15, when_short="freeze"), list(range(12, 30)))
    assert all(np.array_equal(frame, whole[min(12 + n, 14)]) for n, frame in enumerate(frozen))


@pytest.mark.parametrize(
    "source", ["testsrc2=r=30:s=320x180:d=1", "testsrc2=r=30:s=90x160:d=1", "testsrc2=r=30:s=202x150:d=1"]
)
@pytest.mark.parametrize("fit", ["cover", "contain", "stretch"])
async def test_every_fit_fills_the_frame(make: Callable[..., Path], source: str, fit: str) -> None:
    path = make(source, "-c:v", "libx264")
    [frame] = await read(path, cut(30, fit=fit), [3])
    assert frame.shape == (SIZE[1] * 3 // 2, SIZE[0])
    edges = views(frame).y[:, [0, 1, -2, -1]]
    assert edges.mean() > 20  # no black bars


@pytest.mark.parametrize(
    ("options", "size"),
    [
        (["-vf", "scale=out_color_matrix=bt709:out_range=tv", "-colorspace", "bt709", "-color_range", "tv"], "320x180"),
        (["-vf", "scale=out_color_matrix=bt601:out_range=tv", "-colorspace", "smpte170m"], "320x180"),
        (["-vf", "scale=out_color_matrix=bt601:out_range=tv"], "320x180"),
        (["-vf", "scale=out_color_matrix=bt709:out_range=tv"], "1280x720"),
        (
            ["-vf", "scale=out_color_matrix=bt601:out_range=pc", "-colorspace", "bt470bg", "-color_range", "pc"],
            "320x180",
        ),
    ],
)
async def test_colours_come_back_as_they_were(make: Callable[..., Path], options: list[str], size: str) -> None:
    """Whatever matrix and range they were coded with: bt709, limited, within 4 of 255."""
    red, green, blue = 200, 60, 30
    source = f"color=c=0x{red:02x}{green:02x}{blue:02x}:s={size}:r=30:d=0.2,format=gbrp"
    path = make(source, *options, "-c:v", "libx264", "-crf", "4")
    [frame] = await read(path, cut(5), [2])
    y, u, v = (float(np.median(plane)) for plane in views(frame))
    luma, chroma_b, chroma_r = (y - 16) / 219, (u - 128) / 224, (v - 128) / 224
    back = (
        luma + 1.5748 * chroma_r,
        luma - 0.1873 * chroma_b - 0.4681 * chroma_r,
        luma + 1.8556 * chroma_b,
    )
    assert [round(255 * one) for one in back] == pytest.approx([red, green, blue], abs=4)


async def test_hdr_is_brought_down_to_sdr(make: Callable[..., Path]) -> None:
    tags = ["-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc", "-color_range", "tv"]
    path = make("color=c=gray:s=320x180:r=30:d=0.2", "-c:v", "libx264", *tags)
    [frame] = await read(path, cut(5), [2])
    assert 16 <= float(views(frame).y.mean()) <= 235


async def test_a_turned_clip_stands_upright(make: Callable[..., Path], tmp_path: Path) -> None:
    """As telephones write it: a quarter turn in the metadata."""
    flat = make("color=black:s=320x180:r=30:d=0.3,drawbox=w=iw/2:c=white:t=fill", "-c:v", "libx264")
    turned = tmp_path / "turned.mp4"
    arguments = ["-v", "error", "-display_rotation", "90", "-i", str(flat), "-c", "copy", str(turned)]
    await runner.run(arguments, stall_seconds=30)
    [frame] = await read(turned, cut(5, fit="stretch"), [2])
    rows = views(frame).y.mean(axis=1)
    assert abs(rows[5] - rows[-5]) > 150


async def test_what_cannot_be_shown_is_said_before_rendering(make: Callable[..., Path], tmp_path: Path) -> None:
    path = make("testsrc2=r=30:s=320x180:d=1", "-c:v", "libx264", "-movflags", "+faststart")
    with pytest.raises(AssetUnreadable, match="ends before"):
        await (await ClipFile.open(path)).count(cut(30, first=300), 30, 60, lambda _: None)
    damaged = tmp_path / "damaged.mp4"
    data = bytearray(path.read_bytes())
    data[-len(data) // 3 : -len(data) // 6] = bytes(len(data[-len(data) // 3 : -len(data) // 6]))
    damaged.write_bytes(data)
    with pytest.raises(AssetUnreadable, match="damaged"):
        await (await ClipFile.open(damaged)).count(cut(30), 30, 60, lambda _: None)


async def test_a_clip_that_ends_too_early_is_an_error_not_a_black_frame(make: Callable[..., Path]) -> None:
    path = make("testsrc2=r=30:s=320x180:d=0.5", "-c:v", "libx264")
    with pytest.raises(RenderFailed, match="before its time"):
        await read(path, cut(30), list(range(30)))
