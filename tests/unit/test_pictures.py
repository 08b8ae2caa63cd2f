"""Motion, transitions, colours and pictures, measured on the frames before they are encoded."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from picturelock.composition.scenes import backgrounds
from picturelock.models import Level, Motion
from picturelock.pictures import decoder
from picturelock.render import frames, i420, motion, overlays, stills, watermark

SIZE = (960, 540)
MOVING: list[Motion] = ["zoom-in", "zoom-out", "pan-left", "pan-right", "pan-up", "pan-down"]


def still_with_dot(how: Motion) -> i420.Bytes2D:
    width, height = motion.still_size(*SIZE, how)
    rgb = np.full((height, width, 3), 40, np.uint8)
    cv2.circle(rgb, (int(width * 0.3), int(height * 0.35)), 12, (230, 230, 230), -1, cv2.LINE_AA)
    return i420.from_rgb(np.asarray(cv2.GaussianBlur(rgb, (0, 0), 2.5), np.uint8))


def track(how: Motion, count: int = 120) -> np.ndarray:
    picture = frames.Picture.still(still_with_dot(how), how, (), count)
    out = i420.new_frame(*SIZE)
    points = []
    for number in range(count):
        picture.draw(number, out)
        weight = i420.views(out).y.astype(np.float64) - 55
        weight[weight < 10] = 0
        ys, xs = np.indices(weight.shape)
        points.append(((weight * xs).sum() / weight.sum(), (weight * ys).sum() / weight.sum()))
    return np.array(points)


@pytest.mark.parametrize("how", MOVING)
def test_motion_is_sub_pixel_and_never_turns_back(how: Motion) -> None:
    points = track(how)
    axis = 0 if np.ptp(points[:, 0]) >= np.ptp(points[:, 1]) else 1
    along = points[:, axis]
    fitted = np.polyval(np.polyfit(np.arange(len(along)), along, 3), np.arange(len(along)))
    assert np.sqrt(np.mean((along - fitted) ** 2)) <= 0.05
    steps = np.diff(along) * np.sign(along[-1] - along[0])
    assert np.ptp(along) > 5
    assert (steps > 0).all()


def test_a_picture_that_does_not_move_is_shown_as_it_is() -> None:
    noise = np.random.default_rng(4).integers(0, 256, (SIZE[1] * 3 // 2, SIZE[0]), np.uint8)
    out = i420.new_frame(*SIZE)
    for number in (0, 25, 49):
        frames.Picture.still(noise, "none", (), 50).draw(number, out)
        assert (out == noise).all()


def sampled(plane: np.ndarray, shape: tuple[int, int], corner: tuple[float, float], scale: float) -> np.ndarray:
    """The plane sampled bilinearly, in floating point: what a frame that begins at `corner` (y, x) has to show."""
    rows, columns = (start + (np.arange(count) + 0.5) * scale - 0.5 for start, count in zip(corner, shape, strict=True))
    top = np.clip(np.floor(rows).astype(int), 0, plane.shape[0] - 2)
    left = np.clip(np.floor(columns).astype(int), 0, plane.shape[1] - 2)
    down, right = (rows - top)[:, None], (columns - left)[None, :]
    grid = plane.astype(np.float64)
    near, far = grid[top], grid[top + 1]
    upper = near[:, left] * (1 - right) + near[:, left + 1] * right
    lower = far[:, left] * (1 - right) + far[:, left + 1] * right
    return np.asarray(upper * (1 - down) + lower * down)


@pytest.mark.parametrize("how", ["zoom-in", "zoom-out"])
@pytest.mark.parametrize("phase", [0.0, 0.3, 0.62, 0.999, 1.0])
@pytest.mark.parametrize("size", [(960, 540), (426, 240), (360, 642), (130, 128)])
def test_a_zoom_samples_one_rectangle_around_one_point(size: tuple[int, int], phase: float, how: Motion) -> None:
    """Quadrants must not show: the whole frame is one rectangle of the still, in luma and chroma alike."""
    width, height = motion.still_size(*size, "zoom-in")
    rng = np.random.default_rng(5)
    noise = cv2.GaussianBlur(rng.integers(0, 256, (height * 3 // 2, width), np.uint8), (0, 0), 1.2)
    still, out = i420.views(np.asarray(noise, np.uint8)), i420.views(i420.new_frame(*size))
    motion.Mover(still, how).draw(phase, out)
    fixed = [shape // 2 for shape in out.u.shape]
    there = [round(have * at / shown) for have, at, shown in zip(still.u.shape, fixed, out.u.shape, strict=True)]
    sides = zip(there, fixed, still.u.shape, out.u.shape, strict=True)
    widest = min(min(here / at, (have - here) / (shown - at)) for here, at, have, shown in sides)
    assert widest == pytest.approx(motion.MARGIN, abs=0.02)
    scale = widest ** (1 - phase if how == "zoom-in" else phase)
    for source, target, times in zip(still, out, (2, 1, 1), strict=True):
        corner = [times * (here - at * scale) for here, at in zip(there, fixed, strict=True)]
        wanted = sampled(source, (target.shape[0], target.shape[1]), (corner[0], corner[1]), scale)
        assert np.abs(wanted - target).max() <= 1


@pytest.mark.parametrize("how", ["pan-right", "pan-left", "pan-up", "pan-down"])
def test_a_pan_samples_the_still_at_its_own_size(how: Motion) -> None:
    width, height = motion.still_size(*SIZE, how)
    noise = np.random.default_rng(6).integers(0, 256, (height * 3 // 2, width), np.uint8)
    still, out = i420.views(noise), i420.views(i420.new_frame(*SIZE))
    for phase in (0.0, 0.37, 1.0):
        motion.Mover(still, how).draw(phase, out)
        share = phase if how in {"pan-right", "pan-down"} else 1 - phase
        for source, target, times in zip(still, out, (2, 1, 1), strict=True):
            free = [have - shown for have, shown in zip(source.shape, target.shape, strict=True)]
            across, along = [side // times // 2 * times for side in free], [side * share for side in free]
            corner = (along[0], across[1]) if how in {"pan-up", "pan-down"} else (across[0], along[1])
            wanted = sampled(source, (target.shape[0], target.shape[1]), corner, 1.0)
            assert np.abs(wanted - target).max() <= 1


def inked(height: int, width: int, color: tuple[int, int, int], alpha: int) -> i420.RGB:
    return np.full((height, width, 4), (*color, alpha), np.uint8)


def test_ink_covers_wholly_half_and_not_at_all() -> None:
    rgba = inked(8, 8, (200, 40, 90), 255)
    rgba[:, :2, 3], rgba[:, 2:4, 3] = 0, 128
    y, u, v = i420.yuv_of((200, 40, 90))
    frame = np.random.default_rng(7).integers(0, 256, (96, 64), np.uint8)
    before, out = i420.views(frame.copy()), i420.views(frame)
    overlays.rgba_overlay(16, 8, rgba).over(out)
    assert np.abs(out.y[8:16, 20:24].astype(int) - y).max() <= 1
    assert np.abs(out.u[4:8, 10:12].astype(int) - u).max() <= 1
    assert np.abs(out.v[4:8, 10:12].astype(int) - v).max() <= 1
    half = before.y[8:16, 18:20] + (y - before.y[8:16, 18:20].astype(np.float64)) * 128 / 255
    assert np.abs(out.y[8:16, 18:20] - half).max() <= 1
    out.y[8:16, 18:24], out.u[4:8, 9:12], out.v[4:8, 9:12] = 0, 0, 0
    before.y[8:16, 18:24], before.u[4:8, 9:12], before.v[4:8, 9:12] = 0, 0, 0
    assert all((now == then).all() for now, then in zip(out, before, strict=True))


def test_a_plain_colour_is_plain() -> None:
    for color in ((18, 52, 86), (200, 30, 30), (0, 0, 0), (255, 255, 255)):
        picture = backgrounds.gradient(color, color, 64, 36)
        assert (picture == np.array(color)).all()


def test_what_hangs_out_of_the_frame_is_cut_off() -> None:
    frame = np.full((96, 64), 90, np.uint8)
    overlays.rgba_overlay(60, 60, inked(8, 8, (214, 214, 214), 255)).over(i420.views(frame), 0.5)
    assert abs(int(frame[63, 63]) - (90 + 200) // 2) <= 2
    assert frame[59, 63] == frame[63, 59] == 90


def seen(overlay: overlays.TimedOverlay, number: int) -> npt.NDArray[np.bool_]:
    """Where a white overlay has changed a black frame."""
    frame = i420.new_frame(64, 64)
    frame[:] = 16
    overlay.over(number, i420.views(frame))
    return np.asarray(i420.views(frame).y > 17)


def white(**times: object) -> overlays.TimedOverlay:
    overlay = overlays.rgba_overlay(16, 16, inked(20, 32, (255, 255, 255), 255))
    return overlays.TimedOverlay(overlay, 24, **times)  # type: ignore[arg-type]


def test_a_part_is_not_there_before_it_enters_and_wholly_when_it_has() -> None:
    for enter in ("fade", "rise", "wipe", "grow-up", "grow-right"):
        part = white(enter=enter, enter_frame=10, enter_frames=8)
        assert not seen(part, 9).any(), enter
        assert seen(part, 12).sum() > 0, enter
        assert (seen(part, 18) == seen(white(), 0)).all(), enter


def test_each_way_of_entering_looks_as_it_is_called() -> None:
    def box(enter: str) -> tuple[int, int, int, int]:
        rows, columns = np.nonzero(seen(white(enter=enter, enter_frame=0, enter_frames=8), 3))
        return int(rows.min()), int(rows.max()), int(columns.min()), int(columns.max())

    assert box("fade") == (16, 35, 16, 47)
    assert box("rise")[0] >= 16
    assert box("grow-up") == (26, 35, 16, 47)
    assert box("grow-right") == box("wipe") == (16, 35, 16, 31)


def test_a_part_is_dimmed_and_goes() -> None:
    def luma(number: int) -> int:
        frame = i420.new_frame(64, 64)
        frame[:] = 16
        white(levels=(Level(frame=10, opacity=0.5),), leave_frame=40).over(number, i420.views(frame))
        return int(i420.views(frame).y[20, 20])

    assert luma(9) == 235
    assert luma(20) == pytest.approx(16 + 219 / 2, abs=2)
    assert luma(37) < luma(30)
    assert luma(40) == 16


def test_texts_of_two_scenes_are_never_over_one_another() -> None:
    ground = np.full((540, 960, 3), 60, np.uint8)
    red = overlays.TimedOverlay(overlays.rgba_overlay(100, 100, inked(80, 80, (255, 0, 0), 255)), 30)
    blue = overlays.TimedOverlay(overlays.rgba_overlay(100, 100, inked(80, 80, (0, 0, 255), 255)), 30)
    leaving, coming = (frames.Picture.still(i420.from_rgb(ground), "none", (part,), 30) for part in (red, blue))
    draw = frames.transition("fade", 15, (leaving, 15), (coming, 0), None)
    out = i420.new_frame(*SIZE)
    both = []
    for number in range(15):
        draw(number, out)
        planes = i420.views(out)
        both.append((int(planes.v[60, 60]) > 135, int(planes.u[60, 60]) > 135))
    assert not any(first and second for first, second in both)
    assert both[0] == (True, False)
    assert both[-1] == (False, True)


@pytest.mark.parametrize(("place", "shape"), [(0.2, (540, 960)), (0.75, (540, 960)), (0.3, (960, 540))])
def test_what_stands_out_stays_in_an_upright_frame(place: float, shape: tuple[int, int]) -> None:
    rows, columns = shape
    rng = np.random.default_rng(3)
    picture = np.asarray(cv2.GaussianBlur(rng.integers(60, 120, (rows, columns, 3), np.uint8), (0, 0), 9), np.uint8)
    x, y = (round(columns * place), rows // 2) if columns > rows else (columns // 2, round(rows * place))
    cv2.circle(picture, (x, y), 40, (230, 60, 20), -1, cv2.LINE_AA)
    width, height = (304, 540) if columns > rows else (540, 304)
    left, top = stills.salient_crop(picture, width, height)
    assert left + 40 <= x <= left + width - 40
    assert top + 40 <= y <= top + height - 40


def test_a_focus_decides_the_crop() -> None:
    picture = np.zeros((100, 400, 3), np.uint8)
    picture[:, 300:] = 255
    assert stills.fit(picture, 100, 100, "cover", focus=(1.0, 0.5)).mean() == 255
    assert stills.fit(picture, 100, 100, "cover", focus=(0.0, 0.5)).mean() == 0


def test_a_motion_begins_and_ends_slowly() -> None:
    places = [motion.eased(number / 20) for number in range(21)]
    steps = np.diff(places)
    assert (steps > 0).all()
    assert places[0] == 0
    assert places[-1] == 1
    assert steps[0] < steps[10] / 2
    assert steps[-1] < steps[10] / 2
    assert steps.argmax() in (9, 10)


@pytest.mark.parametrize("kind", ["fade", "dissolve", "slide", "wipe"])
def test_transitions_go_from_one_scene_to_the_other(kind: str) -> None:
    dark = frames.Picture.still(i420.from_rgb(np.full((540, 960, 3), 20, np.uint8)), "none", (), 30)
    light = frames.Picture.still(i420.from_rgb(np.full((540, 960, 3), 220, np.uint8)), "none", (), 30)
    draw = frames.transition(kind, 15, (dark, 0), (light, 0), None)  # type: ignore[arg-type]
    out = i420.new_frame(*SIZE)
    levels = []
    for number in range(15):
        draw(number, out)
        levels.append(float(i420.views(out).y.mean()))
    assert levels == sorted(levels)
    assert levels[0] < 60
    assert levels[-1] > 170
    assert abs(levels[7] - (levels[0] + levels[-1]) / 2) < 25


def back_to_rgb(frame: i420.Bytes2D) -> np.ndarray:
    """bt709 limited range back to RGB, as a browser does it."""
    view = i420.views(frame)
    y = (view.y.astype(np.float64) - 16) / 219
    u, v = (
        cv2.resize(p, (view.width, view.height), interpolation=cv2.INTER_NEAREST).astype(np.float64)
        for p in (view.u, view.v)
    )
    cb, cr = (u - 128) / 224, (v - 128) / 224
    rgb = np.stack([y + 1.5748 * cr, y - 0.1873 * cb - 0.4681 * cr, y + 1.8556 * cb], axis=2)
    return np.clip(np.rint(rgb * 255), 0, 255)


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "WEBP"])
def test_a_colour_chart_comes_back(image_format: str, tmp_path: Path) -> None:
    colors = [
        (0, 0, 0),
        (255, 255, 255),
        (255, 0, 0),
        (0, 255, 0),
        (0, 0, 255),
        (128, 128, 128),
        (200, 120, 60),
        (16, 235, 90),
    ]
    chart = np.zeros((64, 64 * len(colors), 3), np.uint8)
    for index, color in enumerate(colors):
        chart[:, index * 64 : (index + 1) * 64] = color
    path = tmp_path / "chart"
    Image.fromarray(chart).save(path, image_format, quality=98, subsampling=0)
    back = back_to_rgb(i420.from_rgb(decoded(path, (64, 64))))
    for index, color in enumerate(colors):
        middle = back[24:40, index * 64 + 24 : index * 64 + 40].mean(axis=(0, 1))
        assert np.abs(middle - color).max() <= 4, color


def saved(tmp_path: Path, image: Image.Image, name: str, **options: object) -> Path:
    path = tmp_path / name
    image.save(path, **options)  # type: ignore[arg-type]
    return path


def decoded(path: Path, at_least: tuple[int, int]) -> np.ndarray:
    """The picture as the decoder writes it."""
    rows = path.with_suffix(".rgb")
    width, height = decoder.write_rgb(path, rows, at_least)
    return np.fromfile(rows, np.uint8).reshape(height, width, 3)


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    image = Image.new("RGB", (80, 40), (10, 200, 10))
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(tmp_path, image, "turned.jpg", exif=exif)
    assert decoder.inspect(path) == decoder.Picture("image/jpeg", 40, 80)
    assert decoded(path, (40, 80)).shape == (80, 40, 3)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "CMYK", "I;16", "1"])
def test_every_kind_of_pixel_becomes_rgb(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "picture"
    Image.new(mode, (32, 32), 0).save(path, "TIFF" if mode == "CMYK" else "PNG")
    rgb = decoded(path, (32, 32))
    assert rgb.shape == (32, 32, 3)
    expected = 255 if mode in {"RGBA", "LA", "CMYK"} else 0
    assert abs(int(rgb[16, 16, 0]) - expected) <= 2


def test_a_truncated_jpeg_is_a_picture_that_cannot_be_read(tmp_path: Path) -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (200, 300, 3), np.uint8))
    path = saved(tmp_path, noise, "whole.jpg")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(decoder.Refused, match="damaged"):
        decoder.inspect(path)
    with pytest.raises(decoder.Refused, match="damaged"):
        decoded(path, (10, 10))


def test_a_text_named_png_is_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "text.png"
    path.write_text("I am a text file.")
    assert decoder.inspect(path) is None


def test_an_animation_is_refused(tmp_path: Path) -> None:
    pictures = [Image.new("RGB", (20, 20), (value, 0, 0)) for value in (0, 100, 200)]
    path = saved(tmp_path, pictures[0], "a.gif", save_all=True, append_images=pictures[1:])
    with pytest.raises(decoder.Refused, match="animated"):
        decoder.inspect(path)


@settings(max_examples=40)
@given(st.integers(1, 700), st.integers(1, 700), st.sampled_from(["cover", "contain", "stretch"]))
def test_every_shape_fits_every_frame(width: int, height: int, how: str) -> None:
    picture = np.full((height, width, 3), 120, np.uint8)
    fitted = stills.fit(picture, 320, 180, how)
    assert fitted.shape == (180, 320, 3)
    assert fitted.max() <= 120


def test_a_huge_picture_is_brought_down(tmp_path: Path) -> None:
    path = saved(tmp_path, Image.new("RGB", (8_000, 6_000), (50, 60, 70)), "huge.jpg")
    assert decoder.inspect(path) == decoder.Picture("image/jpeg", 8_000, 6_000)
    rgb = decoded(path, (2150, 1210))
    assert 2150 <= rgb.shape[1] < 4_500


@pytest.mark.parametrize("how", ["zoom-in", "pan-right", "pan-up"])
def test_a_contained_picture_is_never_carried_out_of_the_frame(how: Motion) -> None:
    width, height = motion.still_size(180, 320, how)
    picture = np.full((90, 160, 3), 200, np.uint8)
    picture[:, :8] = picture[:, -8:] = 255
    still = i420.from_rgb(stills.fit(picture, width, height, "contain", inset=motion.contained_inset(how)))
    out = i420.new_frame(180, 320)
    for number in (0, 25, 49):
        frames.Picture.still(still, how, (), 50).draw(number, out)
        row = i420.views(out).y[160]
        bright = np.flatnonzero(row > 225)
        assert len(bright)
        assert row[bright[0]] > 225
        assert (row[:90] > 225).any()
        assert (row[90:] > 225).any()


def test_a_single_pixel_is_a_picture_too() -> None:
    for how in ("cover", "contain", "stretch"):
        assert stills.fit(np.full((1, 1, 3), 9, np.uint8), 640, 128, how).shape == (128, 640, 3)


def test_transparent_parts_lend_no_colour_to_the_edge_of_a_watermark() -> None:
    mark = np.zeros((90, 90, 4), np.uint8)
    mark[30:60, 30:60] = 255
    small = watermark._shrunk(mark, 20, 20)
    covered = small[small[:, :, 3] > 20]
    assert covered[:, :3].min() > 240
