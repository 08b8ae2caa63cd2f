"""Designed scenes: what is spoken, what is seen when, what it costs, what a changed cell renders again."""

import time
from itertools import pairwise
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.report import Report
from picturelock.composition.layout import segment_spec
from picturelock.models import ExportRequest, Narration, RenderPlan, Script
from picturelock.render import i420
from picturelock.render.motion import Mover, still_size
from picturelock.render.overlays import rgba_overlay
from picturelock.render.segment import drawer, segment_key
from picturelock.script.markdown import parse_script
from picturelock.script.spoken import part_spans, spoken_text
from tests.film_maker import FilmMaker

EXAMPLE: Final = r"""# Everything

## A list

It has three items:

- the first one, of a few words
- the second one
- the third one, which ends it

## A quotation

> So it is, and so it was.
> — Somebody

## A program

```python {1,2}
def add(first: int, second: int) -> int:
    return first + second
```

It adds two numbers, and gives their sum.

## A table

| Year | Revenue |
| ---- | ------- |
| 2024 | 1.2     |
| 2025 | 1.8     |

The table says it all.

## A chart

```chart column
2023, 1 M
2024, 3 M
2025, 2 M
```

It grew, and then it shrank.

## A formula

$$
\frac{1}{2} m v^2
$$

Where $m$ is the mass, and $v$ the speed.

---

That is 40× as much as before. {big}
"""
MARKUP: Final = ("|", "def", "\\", "$", "{", "```")
PLAIN: Final = "# Plain\n\n" + "\n\n".join(
    f"## Part {number}\n\nThis is a scene of nothing but words, which are spoken over a card. There are two sentences."
    for number in range(1, 7)
)


async def measure_scenes(studio: FilmMaker, report: Report) -> None:
    """All rows."""
    script = parse_script(EXAMPLE)
    request = ExportRequest(script=script)
    plan, narrations = await studio.plan(request)
    spoken = " ".join(spoken_text(scene) for scene in script.scenes)
    shown = " ".join(line for cue in plan.timeline.cues for line in cue.lines)
    faults = [mark for mark in MARKUP if mark in spoken or mark in shown]
    report.add("scenes: markup that is spoken or captioned", len(faults), "marks", 0, " ".join(faults))
    await _reveals(studio, plan, script, narrations, report)
    await _cost(studio, plan, report)
    await _composition(studio, report)
    changed = parse_script(EXAMPLE.replace("| 1.8 ", "| 1.9 "))
    other, _ = await studio.plan(ExportRequest(script=changed))
    report.add("scenes: segments of other scenes that a changed cell renders again", _others(plan, other, 3), "", 0)
    film = await studio.produce(
        ExportRequest.model_validate({"script": parse_script(PLAIN), "video": {"preset": "preview"}})
    )
    still, count = _still_half_seconds(film.film)
    report.add("scenes: half-seconds without visible change, plain cards", 100 * still, "%", 35, f"of {count}")


async def _frames(studio: FilmMaker, plan: RenderPlan, scene: int) -> list[npt.NDArray[np.uint8]]:
    """The luma of a scene's body, frame by frame, without captions."""
    out = i420.new_frame(plan.format.width, plan.format.height)
    frames = []
    for segment in plan.timeline.segments:
        if segment.scene_indexes == [scene]:
            async with drawer(segment_spec(plan, segment), studio.store, studio.scratch) as draw:
                for number in range(segment.frames):
                    draw(number, out)
                    frames.append(i420.views(out).y.copy())
    return frames


async def _reveals(
    studio: FilmMaker, plan: RenderPlan, script: Script, narrations: list[Narration], report: Report
) -> None:
    """When each item of the list is half there in the drawn frames, against its word."""
    frames, fps = await _frames(studio, plan, 0), plan.timeline.fps
    place = plan.timeline.scenes[0]
    items = [layer for layer in plan.pictures[0].layers if layer.enter == "rise"]
    spans = [span for span in part_spans(script.scenes[0]) if span.part.block == 1]
    apart = []
    for layer, span in zip(items, spans, strict=True):
        data = cv2.imdecode(np.frombuffer(await studio.store.read(layer.image), np.uint8), cv2.IMREAD_UNCHANGED)
        assert data is not None
        box = np.s_[layer.y : layer.y + data.shape[0], layer.x : layer.x + data.shape[1]]
        bright = [float(np.quantile(frame[box], 0.97)) for frame in frames]
        dark, full = min(bright), max(bright)
        first = next(number for number, value in enumerate(bright) if value > (dark + full) / 2)
        word = (place.speech_start_frame - place.start_frame) / fps + narrations[0].words[span.first_word].start_seconds
        apart.append(abs(first / fps - word))
    report.add("scenes: an item and its word", max(apart) * 1000, "ms", 100, f"{len(apart)} items")


async def _cost(studio: FilmMaker, plan: RenderPlan, report: Report) -> None:
    """Drawing a frame with everything on it, against a card as it was: a zoom and two texts."""
    ours, count = 0.0, 0
    out = i420.new_frame(plan.format.width, plan.format.height)
    for segment in plan.timeline.segments:
        async with drawer(segment_spec(plan, segment), studio.store, studio.scratch) as draw:
            draw(0, out)
            began = time.process_time()
            for number in range(segment.frames):
                draw(number, out)
            ours, count = ours + time.process_time() - began, count + segment.frames
    width, height = still_size(plan.format.width, plan.format.height, "zoom-in")
    mover = Mover(i420.views(i420.new_frame(width, height)), "zoom-in")
    texts = [
        rgba_overlay(160, 300, np.full((260, 1200, 4), 200, np.uint8)),
        rgba_overlay(160, 200, np.full((40, 300, 4), 200, np.uint8)),
    ]
    began = time.process_time()
    for number in range(120):
        mover.draw(number / 119, i420.views(out))
        for text in texts:
            text.over(i420.views(out))
    before = (time.process_time() - began) / 120
    now = ours / count
    report.add(
        "scenes: drawing ÷ a card's of before", now / before, "times", 1.15, f"{1000 * now:.2f}, {1000 * before:.2f} ms"
    )


async def _composition(studio: FilmMaker, report: Report) -> None:
    """The processor time of composing twenty designed scenes at 1080p, their voices being there."""
    body = EXAMPLE.split("\n## ", 1)[1].replace("\n---\n", "\n## The end\n")
    scenes = [f"## {part}" for part in body.split("\n## ")]
    text = "# Twenty\n\n" + "\n\n".join(
        scenes[number % len(scenes)].replace("A ", f"No. {number} a ", 1) for number in range(20)
    )
    request = ExportRequest(script=parse_script(text))
    pipeline = studio.pipeline(request)
    script = request.script
    assert script is not None
    narrations = await pipeline.narrations(script)
    began = time.process_time()
    await pipeline.compose(script, narrations)
    report.add("scenes: composing twenty", time.process_time() - began, "CPU s", 2)


def _others(plan: RenderPlan, other: RenderPlan, scene: int) -> int:
    """How many segments without the scene differ between two plans."""

    def keys(film: RenderPlan) -> dict[int, str]:
        specs = enumerate(film.timeline.segments)
        return {
            number: segment_key(segment_spec(film, part)) for number, part in specs if scene not in part.scene_indexes
        }

    first, second = keys(plan), keys(other)
    return sum(first[number] != second.get(number) for number in first)


def _still_half_seconds(film: Path) -> tuple[float, int]:
    """Which share of the half-seconds changes by less than half a level of 255 above the captions; and their number."""
    capture = cv2.VideoCapture(str(film))
    pictures: list[npt.NDArray[np.float32]] = []
    every = round(capture.get(cv2.CAP_PROP_FPS) / 2)
    number = 0
    while capture.grab():
        if number % every == 0:
            _, frame = capture.retrieve()
            gray = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
            pictures.append(np.asarray(gray[: int(0.72 * gray.shape[0])], np.float32))
        number += 1
    changes = [float(np.abs(after - before).mean()) for before, after in pairwise(pictures)]
    return sum(change < 0.5 for change in changes) / len(changes), len(changes)
