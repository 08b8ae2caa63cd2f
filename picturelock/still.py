"""One scene of a film as a picture, before the film is made: what is drawn, with everything that appears in it."""

from pathlib import Path
from typing import Final

import cv2

from picturelock.composition.compose import Composer
from picturelock.composition.layout import segment_spec
from picturelock.errors import InvalidRequest
from picturelock.forecast import estimated_narration, script_of
from picturelock.models import ArtifactRef, CaptionOptions, ExportRequest, Model, RenderPlan, Segment, Transition
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
    script = await script_of(request, providers)
    if index >= len(script.scenes):
        raise InvalidRequest(f"the script has {len(script.scenes)} scenes", field="scene", limit=len(script.scenes))
    if not resolve(request.video).has_picture:
        raise InvalidRequest("a film of sound alone has no stills", field="video.preset")
    alone = script.model_copy(update={"scenes": [script.scenes[index]]})
    plain: dict[str, object] = {
        "script": alone, "brief": None, "intro": None, "outro": None, "music": None, "webhook": None, "metadata": {},
        "opening": False, "ending": False, "captions": CaptionOptions(style=request.captions.style),
        "transition": Transition(kind="none"),
    }  # fmt: skip
    one = request.model_copy(update=plain)
    key = cache_key(_VERSION, one.model_dump_json())
    known = await store.recall("still", key, Still)
    if known is not None and await store.has(known.image):
        return known.image
    composer = Composer(
        request=one,
        script=alone,
        narrations=[estimated_narration(one, alone, 0)],
        store=store,
        scratch=scratch,
        sources=providers.pictures,
        max_asset_bytes=settings().max_asset_bytes,
    )
    plan = (await composer.compose(ignore)).plan
    still = Still(image=await store.put_bytes(await _drawn(plan, store, scratch), "image/jpeg"))
    await store.remember("still", key, still)
    return still.image


async def _drawn(plan: RenderPlan, store: Store, scratch: Path) -> bytes:
    """The frame in which all of the scene's parts are there."""
    segment, frame = _moment(plan)
    video = plan.format
    out = i420.new_frame(video.width, video.height)
    async with drawer(segment_spec(plan, segment), store, scratch) as draw:
        draw(frame, out)
    size = (min(_WIDTH, video.width), round(video.height * min(1.0, _WIDTH / video.width)))
    return bytes(cv2.imencode(".jpg", i420.to_rgb(out, *size)[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])[1])


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
