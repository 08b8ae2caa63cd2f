"""The contact sheet: a frame of every kind of scene, card, caption style and script, to be looked at."""

import subprocess
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.quality.films import Inputs
from picturelock.ffmpeg.samples import to_wav
from picturelock.ffmpeg.tools import ffmpeg_path
from picturelock.models import ExportRequest
from picturelock.render.i420 import RGB
from tests.film_maker import FilmMaker

TORTURE = "It's 100% {x} \\N C:\\new — 1️⃣ 👨‍👩‍👧 Zoë"
VIDEO = {"preset": "preview", "width": 1280, "height": 720}
CELL = (640, 360)


def requests(inputs: Inputs, recording: str) -> list[dict[str, Any]]:
    """One film a row of the sheet."""
    first, second, third, fourth = inputs.photographs

    def image(asset: str, fit: str = "cover") -> dict[str, Any]:
        return {"kind": "image", "assetId": asset, "fit": fit}

    def scene(text: str, visual: dict[str, Any] | None, title: str | None = None, *, recorded: bool = False) -> Any:
        return {
            "narration": text, "title": title, "visual": visual, "narrationAssetId": recording if recorded else None,
        }  # fmt: skip

    clip = {"kind": "clip", "assetId": inputs.clip, "startSeconds": 1}
    return [
        {
            "script": {"title": "The Sea", "scenes": [
                scene("Twice a day the sea breathes in, and leaves the beach new.", None, "The sea breathes"),
                scene("The moon pulls at every drop of water in the ocean.", image(first)),
                scene("An upright picture stands before its own soft reflection.", image(inputs.upright, "contain")),
            ]},
        },
        {
            "script": {"title": TORTURE, "scenes": [
                scene(TORTURE, None, f"{TORTURE} á ⚡"),
                scene("Some emoji: 🌊 🌙 ⭐ 🚢, digits 1️⃣ 2️⃣ and “quotes”.", image(third)),
                scene("A clip plays behind the words that are being spoken.", clip),
            ]},
            "captions": {"style": "boxed"},
        },
        {
            "script": {"title": "潮の満ち引き", "language": "ja", "scenes": [
                scene("海は一日に二回、息を吸います。", None, "海の呼吸", recorded=True),
                scene("月は遠くから、すべての水を引いています。", image(second), recorded=True),
                scene("浜辺を歩くとき、空を見上げてください。", {"kind": "gradient", "colors": ["#16324f", "#2a6f77"]},
                      recorded=True),
            ]},
            "captions": {"style": "karaoke"},
        },
        {
            "script": {"title": "المد والجزر", "language": "ar", "scenes": [
                scene("مرتين في اليوم يتنفس البحر، ثم يعود إلى مكانه.", None, "البحر يتنفس", recorded=True),
                scene("القمر يجذب كل قطرة من الماء.", image(fourth), recorded=True),
                scene("انظر إلى السماء الليلة.", {"kind": "color", "colors": ["#402a3a"]}, recorded=True),
            ]},
            "captions": {"style": "karaoke"},
        },
        {
            "script": {"title": "ज्वार और भाटा", "language": "hi", "scenes": [
                scene("दिन में दो बार समुद्र साँस लेता है।", None, "समुद्र की साँस", recorded=True),
                scene("चाँद पानी की हर बूँद को खींचता है।", image(first), recorded=True),
                scene("आज रात आसमान की ओर देखिए।", image(third), recorded=True),
            ]},
            "captions": {"style": "boxed"},
        },
    ]  # fmt: skip


async def contact_sheet(studio: FilmMaker, inputs: Inputs, folder: Path) -> Path:
    """Makes the films and puts a frame of every scene into one picture."""
    tone = np.sin(np.arange(48_000 * 3) / 48_000 * 2 * np.pi * 330) * 0.3
    (folder / "tone.wav").write_bytes(to_wav(tone.astype(np.float32)))
    recording = await studio.upload(folder / "tone.wav")
    rows = []
    for request in requests(inputs, recording):
        made = await studio.produce(ExportRequest.model_validate({**request, "video": VIDEO}))
        timeline = made.plan.timeline
        cells = [_frame(made.film, (one.speech_start_frame + one.speech_frames * 0.55) / 30) for one in timeline.scenes]
        rows.append(np.hstack(cells))
    sheet = np.vstack(rows)
    path = folder / "contact-sheet.jpg"
    cv2.imwrite(str(path), sheet[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
    return path


def _frame(film: Path, seconds: float) -> RGB:
    width, height = CELL
    command = [ffmpeg_path(), "-v", "error", "-ss", f"{seconds:.3f}", "-i", str(film), "-frames:v", "1"]
    scale = ["-vf", f"scale={width}:{height}:flags=area", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run([*command, *scale], capture_output=True, check=True)
    return np.frombuffer(done.stdout, np.uint8).reshape(height, width, 3)
