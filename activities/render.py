"""Stage `render`: one segment, the sound that is mastered beside the segments, and the choice of an encoder."""

from functools import lru_cache

from temporalio import activity

from activities.contracts import (
    CHOOSE_ENCODER,
    MASTER_SOUND,
    RENDER_SEGMENT,
    BatchTask,
    ChosenEncoder,
    EncoderTask,
    RenderedBatch,
    SoundTask,
)
from activities.liveness import Pulse, lively
from picturelock.composition.layout import segment_spec
from picturelock.finishing import master_sound as master
from picturelock.hardware import find
from picturelock.models import ArtifactRef, RenderedSegment, RenderPlan, Sound
from picturelock.rendering import render_segment as render
from picturelock.settings import settings
from picturelock.storage import default_store


@lru_cache(maxsize=4)
def _parsed(_sha256: str, data: bytes) -> RenderPlan:
    return RenderPlan.model_validate_json(data)


async def load_plan(ref: ArtifactRef) -> RenderPlan:
    """A plan from the store, parsed once for all the segments that a worker renders of it."""
    return _parsed(ref.sha256, await default_store().read(ref))


@activity.defn(name=CHOOSE_ENCODER)
@lively("render")
async def choose_encoder(task: EncoderTask, pulse: Pulse) -> ChosenEncoder:
    """Looks for a hardware encoder that can be trusted with the film."""
    plan = await load_plan(task.plan)
    trials = await find(plan.format, settings().scratch, lambda encoder: pulse.advance(0.0, f"Trying {encoder}"))
    passed = next((one.encoder for one in trials if not one.failure), None)
    return ChosenEncoder(encoder=passed, failures=[f"{one.encoder}: {one.failure}" for one in trials if one.failure])


@activity.defn(name=RENDER_SEGMENT)
@lively("render")
async def render_segment(task: BatchTask, pulse: Pulse) -> RenderedBatch:
    """Renders a batch's segments, one after the other."""
    plan = await load_plan(task.plan)
    segments = [one for one in plan.timeline.segments if one.id in task.members]
    rendered: list[RenderedSegment] = []
    for segment in segments:
        done = sum(one.frames for one in rendered)
        listen = pulse.frames(task.frames, f"Rendering {segment.id}", before=done)
        spec = segment_spec(plan, segment, task.encoder)
        rendered.append(
            await render(segment.id, spec, default_store(), settings().scratch, pulse.stall_seconds, listen)
        )
    return RenderedBatch(segments=rendered, cached=all(one.cached for one in rendered))


@activity.defn(name=MASTER_SOUND)
@lively("render")
async def master_sound(task: SoundTask, pulse: Pulse) -> Sound:
    """Mixes, masters and encodes the film's sound."""
    plan = await load_plan(task.plan)

    def listen(share: float, message: str) -> None:
        pulse.advance(share, message)

    return await master(plan, default_store(), settings().scratch, pulse.stall_seconds, listen)
