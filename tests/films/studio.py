"""Makes films with the real activities, one after the other, without a Temporal server. What was made once is kept."""

import asyncio
import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from temporalio.testing import ActivityEnvironment

from activities.composition import compose_film
from activities.finalize import finalize_film
from activities.render import load_plan, master_sound, render_batch
from activities.script import write_script
from activities.tts import speak_scene
from picturelock.composition.layout import segment_spec
from picturelock.ffmpeg.tools import ffmpeg_path, ffprobe_path
from picturelock.finalize.manifest import Manifest
from picturelock.models import (
    ArtifactRef,
    ExportRequest,
    ExportResult,
    Narration,
    RenderedSegment,
    RenderPlan,
    Script,
    Segment,
    Segments,
    Sound,
)
from picturelock.render import i420
from picturelock.render.segment import drawer
from picturelock.settings import settings
from picturelock.store.assets import ingest
from picturelock.store.store import Store, default_store
from picturelock.temporal.contracts import (
    BatchTask,
    Composition,
    CompositionTask,
    FinalizeTask,
    ScriptTask,
    SoundTask,
    SpeechTask,
    WrittenScript,
)

Body = dict[str, Any]
Picture = npt.NDArray[np.uint8]
"""RGB, shape (height, width, 3)."""

HEARD_RATE = 16_000


@dataclass(frozen=True)
class Planned:
    """A film on paper, and the activities' answers that lead to it."""

    written: WrittenScript
    narrations: list[ArtifactRef]
    composition: Composition
    plan: RenderPlan
    script: Script

    def segment_at(self, frame: int) -> Segment:
        """The segment that shows a frame; -1 is the film's last one."""
        number = frame % self.plan.timeline.total_frames
        return next(
            one for one in self.plan.timeline.segments if one.start_frame <= number < one.start_frame + one.frames
        )


@dataclass(frozen=True)
class Film:
    """A finished film in the store, with its manifest and what ffprobe says of it."""

    planned: Planned
    result: ExportResult
    manifest: Manifest
    path: Path
    probed: Body

    def stream(self, kind: str) -> Body:
        """The first stream of a kind, as ffprobe describes it."""
        return next(one for one in self.probed["streams"] if one["codec_type"] == kind)


@dataclass
class Studio:
    """The store of this process, and the activities."""

    environment: ActivityEnvironment = field(default_factory=ActivityEnvironment)
    _planned: dict[str, Planned] = field(default_factory=dict)
    _rendered: dict[tuple[str, str], RenderedSegment] = field(default_factory=dict)

    @property
    def store(self) -> Store:
        """The store that the activities use."""
        return default_store()

    async def upload(self, path: Path) -> str:
        """The asset id of a file."""
        return (await ingest(path, self.store)).asset_id

    async def planned(self, body: Body) -> Planned:
        """The film on paper: script, narrations and plan."""
        key = json.dumps(body, sort_keys=True)
        if key not in self._planned:
            self._planned[key] = await self._plan(body)
        return self._planned[key]

    async def written(self, body: Body) -> tuple[WrittenScript, Script]:
        """The script, as the first stage answers it and as it is stored."""
        written = await self.environment.run(write_script, ScriptTask(request=ExportRequest.model_validate(body)))
        return written, Script.model_validate_json(await self.store.read(written.script))

    async def _plan(self, body: Body) -> Planned:
        written, script = await self.written(body)
        narrations = []
        for index in range(written.scenes):
            scene = SpeechTask(request=written.request, script=written.script, scene_index=index)
            narrations.append((await self.environment.run(speak_scene, scene)).narration)
        task = CompositionTask(request=written.request, script=written.script, narrations=narrations)
        composition = await self.environment.run(compose_film, task)
        plan = await load_plan(composition.plan)
        return Planned(written, narrations, composition, plan, script)

    async def narrations(self, body: Body) -> list[Narration]:
        """What is spoken."""
        refs = (await self.planned(body)).narrations
        return [Narration.model_validate_json(await self.store.read(ref)) for ref in refs]

    async def drawn(self, body: Body, frame: int) -> Picture:
        """A frame as it is drawn: before captions and encoding."""
        planned = await self.planned(body)
        segment = planned.segment_at(frame)
        out = i420.new_frame(planned.plan.format.width, planned.plan.format.height)
        async with drawer(segment_spec(planned.plan, segment), self.store, settings().scratch) as draw:
            await asyncio.to_thread(draw, frame % planned.plan.timeline.total_frames - segment.start_frame, out)
        return rgb(out)

    async def rendered(self, body: Body, frame: int) -> RenderedSegment:
        """The encoded segment that shows a frame."""
        planned = await self.planned(body)
        return await self._render(planned, planned.segment_at(frame))

    async def _render(self, planned: Planned, segment: Segment) -> RenderedSegment:
        key = (planned.composition.plan.sha256, segment.id)
        if key not in self._rendered:
            task = BatchTask(plan=planned.composition.plan, segment_ids=[segment.id], frames=segment.frames)
            batch = await self.environment.run(render_batch, task)
            [self._rendered[key]] = Segments.model_validate_json(await self.store.read(batch.segments)).segments
        return self._rendered[key]

    async def shown(self, body: Body, frame: int) -> Picture:
        """A frame of the encoded segment, decoded: with its captions."""
        planned = await self.planned(body)
        segment = planned.segment_at(frame)
        path = await self.store.local((await self.rendered(body, frame)).artifact)
        number = frame % planned.plan.timeline.total_frames - segment.start_frame
        size = planned.plan.format.width, planned.plan.format.height
        return await asyncio.to_thread(decoded_frame, path, number, size)

    async def sound(self, body: Body) -> Sound:
        """The mastered sound."""
        planned = await self.planned(body)
        return await self.environment.run(master_sound, SoundTask(plan=planned.composition.plan))

    async def heard(self, body: Body) -> npt.NDArray[np.float32]:
        """The mastered sound, decoded: mono at `HEARD_RATE`."""
        return await asyncio.to_thread(decoded_sound, await self.store.local((await self.sound(body)).artifact))

    async def finalize_task(self, body: Body) -> FinalizeTask:
        """All that the last stage works on: segments and sound are made."""
        planned = await self.planned(body)
        sound = await self.sound(body)
        segments = [await self._render(planned, segment) for segment in planned.plan.timeline.segments]
        listed = Segments(segments=segments).model_dump_json().encode()
        return FinalizeTask(
            attempt=1, correlation_id="a-film", created_at=datetime.now(UTC), request=planned.written.request,
            script=planned.written.script, plan=planned.composition.plan, narrations=planned.narrations,
            segments=[await self.store.put_bytes(listed, "application/json")], sound=sound,
        )  # fmt: skip

    async def film(self, body: Body) -> Film:
        """The whole film: joined, verified, published."""
        planned = await self.planned(body)
        result = await self.environment.run(finalize_film, await self.finalize_task(body))
        named = next(one for one in result.artifacts if one.name == "manifest.json")
        manifest = Manifest.model_validate_json(await self.store.read(named))
        path = await self.store.local(result.film)
        return Film(planned, result, manifest, path, await asyncio.to_thread(probed, path))

    async def artifact(self, film: Film, name: str) -> str:
        """A published text file."""
        return (await self.store.read(next(one for one in film.result.artifacts if one.name == name))).decode()


def rgb(frame: i420.Bytes2D) -> Picture:
    """An I420 frame (bt709, limited range) as RGB: exact arithmetic, the same on every machine."""
    view = i420.views(frame)
    luma = (view.y.astype(np.int64) - 16) * 4788  # ITU-R BT.709-6 in 4096ths
    u, v = (np.repeat(np.repeat(plane.astype(np.int64) - 128, 2, 0), 2, 1) for plane in (view.u, view.v))
    channels = luma + 7373 * v, luma - 877 * u - 2192 * v, luma + 8688 * u
    return np.asarray(np.clip((np.stack(channels, axis=2) + 2048) >> 12, 0, 255), np.uint8)


def decoded_frame(path: Path, number: int, size: tuple[int, int]) -> Picture:
    """Frame `number` of a film."""
    width, height = size
    done = subprocess.run(
        [ffmpeg_path(), "-v", "error", "-i", str(path), "-vf", f"select=eq(n\\,{number})", "-frames:v", "1",
         "-f", "rawvideo", "-pix_fmt", "yuv420p", "pipe:1"], capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    return rgb(np.frombuffer(done.stdout, np.uint8).reshape(height * 3 // 2, width))


def decoded_sound(path: Path) -> npt.NDArray[np.float32]:
    """A film's sound: mono at `HEARD_RATE`."""
    done = subprocess.run(
        [ffmpeg_path(), "-v", "error", "-i", str(path), "-ac", "1", "-ar", str(HEARD_RATE), "-f", "f32le", "pipe:1"],
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    return np.frombuffer(done.stdout, "<f4")


def probed(path: Path) -> Body:
    """All that ffprobe says of a file."""
    show = ["-show_streams", "-show_format", "-show_chapters", "-of", "json"]
    done = subprocess.run(
        [ffprobe_path(), "-v", "error", *show, str(path)], capture_output=True, check=True, timeout=60
    )
    answer: Body = json.loads(done.stdout)
    return answer


def changed(body: Body, path: str, value: object) -> Body:
    """A copy of a request with the field at `path` set, such as `script.scenes[].visual.fit` (the first scene's)."""
    copy: Body = json.loads(json.dumps(body))
    *parents, last = path.replace("[]", ".0").split(".")
    place: Any = copy
    for name in parents:
        place = place[int(name)] if name.isdigit() else place.setdefault(name, {})
    place[last] = value
    return copy


Difference = Callable[[Any, Any], bool]
