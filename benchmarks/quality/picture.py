"""Motion and colour: a dot that is tracked and a chart that is looked up, in the finished film and before encoding."""

import resource
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from picturelock.ffmpeg.tools import ffmpeg_path
from picturelock.models import ExportRequest, Motion
from picturelock.render import frames, i420, motion
from tests.film_maker import FilmMaker

MOVING: list[Motion] = ["zoom-in", "zoom-out", "pan-left", "pan-right", "pan-up", "pan-down"]
SIZE = (1920, 1080)
SOURCE = (2560, 1440)
COUNT = 180
COLORS = (
    (0, 0, 0), (255, 255, 255), (255, 0, 0), (0, 255, 0), (0, 0, 255), (128, 128, 128), (200, 120, 60), (16, 235, 90),
    (90, 16, 235), (235, 90, 16), (60, 60, 60), (200, 200, 40),
)  # fmt: skip
Points = npt.NDArray[np.float64]


def dotted() -> i420.RGB:
    """A grey picture with one soft dot, away from the middle."""
    picture = np.full((SOURCE[1], SOURCE[0], 3), 40, np.uint8)
    cv2.circle(picture, (760, 480), 17, (230, 230, 230), -1, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 4), np.uint8)


def _centroid(luma: npt.NDArray[np.uint8]) -> tuple[float, float]:
    _, _, _, top = cv2.minMaxLoc(luma)
    left, upper = max(0, top[0] - 60), max(0, top[1] - 60)
    part = luma[upper : upper + 120, left : left + 120].astype(np.float64) - 60
    part[part < 0] = 0
    ys, xs = np.indices(part.shape)
    return left + (part * xs).sum() / part.sum(), upper + (part * ys).sum() / part.sum()


@dataclass(frozen=True)
class Path2D:
    """A tracked point: root mean square distance from a smooth way (pixels), and steps that go back."""

    jitter: float
    reversals: int

    @classmethod
    def of(cls, points: Points) -> "Path2D":
        number = np.arange(len(points))
        off = [points[:, axis] - np.polyval(np.polyfit(number, points[:, axis], 5), number) for axis in (0, 1)]
        axis = 0 if np.ptp(points[:, 0]) >= np.ptp(points[:, 1]) else 1
        steps = np.diff(points[:, axis]) * np.sign(points[-1, axis] - points[0, axis])
        return cls(float(np.sqrt(np.mean(np.square(off).sum(axis=0)))), int((steps <= 0).sum()))


def drawn(how: Motion) -> Path2D:
    """The dot in the frames as they are drawn."""
    width, height = motion.still_size(*SIZE, how)
    small = np.asarray(cv2.resize(dotted(), (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    picture = frames.Picture.still(i420.from_rgb(small), how, (), COUNT)
    out = i420.new_frame(*SIZE)
    points = []
    for number in range(COUNT):
        picture.draw(number, out)
        points.append(_centroid(i420.views(out).y))
    return Path2D.of(np.array(points))


async def filmed(studio: FilmMaker, folder: Path, how: Motion) -> Path2D:
    """The dot in a finished film at the default preset."""
    path = folder / "dot.png"
    if not path.exists():
        cv2.imwrite(str(path), dotted())
    visual = {"kind": "image", "assetId": await studio.upload(path), "motion": how}
    scene = {
        "narration": "The dot moves slowly and evenly across the whole picture, from here to there.",
        "visual": visual,
    }
    request = {"script": {"scenes": [scene]}, "captions": {"burnIn": False}}
    made = await studio.produce(ExportRequest.model_validate(request))
    points = [_centroid(luma) for luma in _lumas(made.film)]
    return Path2D.of(np.array(points))


def _lumas(film: Path) -> list[npt.NDArray[np.uint8]]:
    command = [ffmpeg_path(), "-v", "error", "-i", str(film), "-map", "0:v:0", "-vf", "extractplanes=y"]
    done = subprocess.run([*command, "-f", "rawvideo", "-pix_fmt", "gray", "-"], capture_output=True, check=True)
    return list(np.frombuffer(done.stdout, np.uint8).reshape(-1, SIZE[1], SIZE[0]))


def _cpu(work: Callable[[], object]) -> float:
    """Processor seconds of this thread and of children that ended meanwhile."""
    before, own = resource.getrusage(resource.RUSAGE_CHILDREN), time.thread_time()
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    children = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.thread_time() - own + children


def cost_against_zoompan(folder: Path) -> tuple[float, float]:
    """Processor seconds for 180 moving frames: ours as drawn into memory, and zoompan's by ffmpeg's null output."""
    source = folder / "dot.png"
    cv2.imwrite(str(source), dotted())
    width, height = motion.still_size(*SIZE, "zoom-in")
    still = i420.from_rgb(np.asarray(cv2.resize(dotted(), (width, height), interpolation=cv2.INTER_AREA), np.uint8))
    picture = frames.Picture.still(still, "zoom-in", (), COUNT)
    out = i420.new_frame(*SIZE)

    def draw() -> None:
        for number in range(COUNT):
            picture.draw(number, out)

    zoompan = f"scale={SOURCE[0]}:{SOURCE[1]},format=yuv420p,zoompan=z='1+0.12*on/{COUNT}':d={COUNT}:s=1920x1080:fps=30"
    zoompan += ":x='iw/2-iw/zoom/2':y='ih/2-ih/zoom/2'"
    command = [ffmpeg_path(), "-v", "error", "-threads", "1", "-i", str(source), "-vf", zoompan]

    def pan() -> None:
        subprocess.run([*command, "-frames:v", f"{COUNT}", "-f", "null", "-"], check=True)

    def start() -> None:
        subprocess.run([*command, "-frames:v", "1", "-f", "null", "-"], check=True)

    ours = sorted(_cpu(draw) for _ in range(5))[2]
    theirs = sorted(_cpu(pan) - _cpu(start) for _ in range(5))[2]
    return ours, theirs


def chart() -> i420.RGB:
    """Patches in rows of four."""
    picture = np.zeros((1080, 1920, 3), np.uint8)
    for number, color in enumerate(COLORS):
        row, column = divmod(number, 4)
        picture[row * 360 : (row + 1) * 360, column * 480 : (column + 1) * 480] = color
    return picture


async def color_errors(studio: FilmMaker, folder: Path) -> dict[str, float]:
    """The largest distance of a patch from its colour (of 255), after a decoder's own conversion, by kind of source."""
    rgb = chart()
    picture, photo = folder / "chart.png", folder / "chart.jpg"
    cv2.imwrite(str(picture), rgb[:, :, ::-1])
    cv2.imwrite(str(photo), rgb[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 98])
    sources = {
        "PNG": picture,
        "JPEG": photo,
        "clip": _clip(picture, folder / "hd.mp4", "bt709", "1920:1080", tagged=True),
        "SD clip without tags": _clip(picture, folder / "sd.mp4", "bt601", "720:576", tagged=False),
    }
    found = {}
    for name, path in sources.items():
        kind = "image" if path.suffix in {".png", ".jpg"} else "clip"
        visual = {"kind": kind, "assetId": await studio.upload(path), "motion": "none", "fit": "stretch"}
        request = {"script": {"scenes": [{"narration": "A chart.", "visual": visual}]}, "captions": {"burnIn": False}}
        made = await studio.produce(ExportRequest.model_validate(request))
        found[name] = _worst(made.film)
    return found


def _clip(source: Path, target: Path, matrix: str, size: str, *, tagged: bool) -> Path:
    convert = f"scale={size}:out_color_matrix={matrix}:out_range=tv:flags=neighbor,format=yuv420p"
    tags = ["-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709", "-color_range", "tv"]
    clean = ["-bsf:v", "h264_metadata=colour_primaries=2:transfer_characteristics=2:matrix_coefficients=2"]
    command = [ffmpeg_path(), "-v", "error", "-y", "-loop", "1", "-i", str(source), "-t", "3", "-vf", convert]
    subprocess.run([*command, "-crf", "10", *(tags if tagged else clean), str(target)], check=True)
    return target


def _worst(film: Path) -> float:
    """By ffmpeg's own conversion to RGB, as a player shows it."""
    command = [ffmpeg_path(), "-v", "error", "-ss", "1", "-i", str(film), "-frames:v", "1", "-f", "rawvideo"]
    done = subprocess.run([*command, "-pix_fmt", "rgb24", "-"], capture_output=True, check=True)
    seen = np.frombuffer(done.stdout, np.uint8).reshape(1080, 1920, 3).astype(np.float64)
    worst = 0.0
    for number, color in enumerate(COLORS):
        row, column = divmod(number, 4)
        middle = seen[row * 360 + 90 : row * 360 + 270, column * 480 + 120 : column * 480 + 360].mean(axis=(0, 1))
        worst = max(worst, float(np.abs(middle - color).max()))
    return worst
