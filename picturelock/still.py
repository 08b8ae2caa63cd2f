"""Scenes of a film as pictures, before the film is made: what is drawn, with everything that appears in it."""

import math
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from picturelock.composition.compose import Composer
from picturelock.composition.layout import segment_spec
from picturelock.errors import InvalidRequest
from picturelock.forecast import estimated_narration, script_of
from picturelock.models import (
    ArtifactRef,
    CaptionOptions,
    ExportRequest,
    Model,
    RenderPlan,
    Script,
    Segment,
    Transition,
)
from picturelock.presets import resolve
from picturelock.providers import Providers
from picturelock.render import i420
from picturelock.render.segment import drawer
from picturelock.reporting import ignore
from picturelock.settings import settings
from picturelock.store.hashing import cache_key
from picturelock.store.store import Store

_VERSION: Final = "1"
_WIDTH: Final = 640
SHEET_SCENES: Final = 24
SHEET_BYTES: Final = 100_000
_TILE, _COLUMNS, _GAP = 240, 4, 6
_QUALITIES: Final = (85, 70, 55, 40, 25)


class Still(Model):
    """A drawn scene, as JPEG."""

    image: ArtifactRef


async def draw_still(
    request: ExportRequest, index: int, store: Store, scratch: Path, providers: Providers
) -> ArtifactRef:
    """Draws (or finds) scene `index` of a request as a JPEG of 640 pixels across, without captions. Nothing is spoken.

    Raises:
        InvalidRequest: there is no such scene, or the film has no picture.
        PicturelockError: what the stages `script` and `composition` refuse.
    """
    _require_picture(request)
    script = await script_of(request, providers)
    if index >= len(script.scenes):
        raise InvalidRequest(f"the script has {len(script.scenes)} scenes", field="scene", limit=len(script.scenes))
    alone = _alone(request, script, index)

    async def drawn() -> bytes:
        width = min(_WIDTH, resolve(request.video).width)
        return _jpeg(await _picture(alone, width, store, scratch, providers), 85)

    return await _found_or_drawn(cache_key(_VERSION, alone.model_dump_json()), drawn, store)


async def draw_sheet(request: ExportRequest, store: Store, scratch: Path, providers: Providers) -> ArtifactRef:
    """Draws (or finds) a request's scenes as one contact sheet, numbered: a JPEG of 100 kB at the most.

    Of a long script the first scenes are shown (`SHEET_SCENES`). Raises like `draw_still`.
    """
    _require_picture(request)
    script = await script_of(request, providers)
    scenes = [_alone(request, script, index) for index in range(min(SHEET_SCENES, len(script.scenes)))]

    async def drawn() -> bytes:
        pictures = [await _picture(scene, _TILE, store, scratch, providers) for scene in scenes]
        sheet = _sheet_of(pictures)
        sizes = (_jpeg(sheet, quality) for quality in _QUALITIES)
        return next((data for data in sizes if len(data) <= SHEET_BYTES), _jpeg(sheet, _QUALITIES[-1]))

    key = cache_key(_VERSION, "sheet", *(scene.model_dump_json() for scene in scenes))
    return await _found_or_drawn(key, drawn, store)


def _require_picture(request: ExportRequest) -> None:
    if not resolve(request.video).has_picture:
        raise InvalidRequest("a film of sound alone has no stills", field="video.preset")


def _alone(request: ExportRequest, script: Script, index: int) -> ExportRequest:
    """A film of one scene, with what decides how the scene looks."""
    plain: dict[str, object] = {
        "script": script.model_copy(update={"scenes": [script.scenes[index]]}), "brief": None, "intro": None,
        "outro": None, "music": None, "webhook": None, "metadata": {}, "opening": False, "ending": False,
        "captions": CaptionOptions(style=request.captions.style), "transition": Transition(kind="none"),
    }  # fmt: skip
    return request.model_copy(update=plain)


async def _found_or_drawn(key: str, draw: Callable[[], Awaitable[bytes]], store: Store) -> ArtifactRef:
    known = await store.recall("still", key, Still)
    if known is not None and await store.has(known.image):
        return known.image
    still = Still(image=await store.put_bytes(await draw(), "image/jpeg"))
    await store.remember("still", key, still)
    return still.image


async def _picture(alone: ExportRequest, width: int, store: Store, scratch: Path, providers: Providers) -> i420.RGB:
    """The frame of a film of one scene in which all of the scene's parts are there."""
    script = await script_of(alone, providers)
    composer = Composer(
        request=alone,
        script=script,
        narrations=[estimated_narration(alone, script, 0)],
        store=store,
        scratch=scratch,
        sources=providers.pictures,
        max_asset_bytes=settings().max_asset_bytes,
    )
    plan = (await composer.compose(ignore)).plan
    segment, frame = _moment(plan)
    video = plan.format
    out = i420.new_frame(video.width, video.height)
    async with drawer(segment_spec(plan, segment), store, scratch) as draw:
        draw(frame, out)
    return i420.to_rgb(out, width, round(video.height * width / video.width))


def _sheet_of(pictures: Sequence[i420.RGB]) -> i420.RGB:
    height, width = pictures[0].shape[:2]
    columns = min(_COLUMNS, len(pictures))
    rows = math.ceil(len(pictures) / columns)
    sheet = np.full((rows * (height + _GAP) + _GAP, columns * (width + _GAP) + _GAP, 3), 24, np.uint8)
    for index, picture in enumerate(pictures):
        row, column = divmod(index, columns)
        top, left = _GAP + row * (height + _GAP), _GAP + column * (width + _GAP)
        sheet[top : top + height, left : left + width] = picture
        for color, thickness in ((0, 3), (255, 1)):  # white letters with a dark edge
            place, ink = (left + 5, top + height - 6), [color] * 3
            cv2.putText(sheet, str(index + 1), place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, ink, thickness, cv2.LINE_AA)
    return sheet


def _jpeg(picture: i420.RGB, quality: int) -> bytes:
    return bytes(cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1])


def _moment(plan: RenderPlan) -> tuple[Segment, int]:
    """The segment, and its frame, in which everything that enters has done so and nothing has left."""
    layers, total = plan.pictures[0].layers, plan.timeline.total_frames
    entered = max((layer.enter_frame + layer.enter_frames for layer in layers), default=0)
    staying = [layer.leave_frame for layer in layers if layer.leave_frame is not None]
    frame = max(0, min([total - 1, max(entered + 1, total // 2), *(leave - plan.format.fps // 2 for leave in staying)]))
    for segment in plan.timeline.segments:
        if segment.start_frame <= frame < segment.start_frame + segment.frames:
            return segment, frame - segment.start_frame
    return plan.timeline.segments[-1], plan.timeline.segments[-1].frames - 1
