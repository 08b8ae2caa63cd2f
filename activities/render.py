"""Stage `render`: one segment, and the sound that is mastered beside the segments."""

from functools import lru_cache

from temporalio import activity

from activities.contracts import MASTER_SOUND, RENDER_SEGMENT, SegmentTask, SoundTask
from activities.liveness import Pulse, lively
from picturelock.composition.layout import segment_spec
from picturelock.finishing import master_sound as master
from picturelock.media.ffmpeg import Progress
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


@activity.defn(name=RENDER_SEGMENT)
@lively("render")
async def render_segment(task: SegmentTask, pulse: Pulse) -> RenderedSegment:
    """Renders one segment."""
    plan = await load_plan(task.plan)
    segment = next(one for one in plan.timeline.segments if one.id == task.segment_id)
    message = f"Rendering {task.segment_id}"
    listen = pulse.frames(task.frames, message)
    return await render(
        task.segment_id,
        segment_spec(plan, segment),
        default_store(),
        settings().scratch,
        pulse.stall_seconds,
        listen,
    )


@activity.defn(name=MASTER_SOUND)
@lively("render")
async def master_sound(task: SoundTask, pulse: Pulse) -> Sound:
    """Mixes, masters and encodes the film's sound."""
    plan = await load_plan(task.plan)
    seconds = plan.timeline.duration_seconds

    def listen(progress: Progress) -> None:
        # Several passes run over the film: each advance is told apart by its time.
        pulse.advance(0.0, f"Mastering the sound ({min(progress.seconds, seconds):.1f} s)")

    return await master(plan, default_store(), settings().scratch, pulse.stall_seconds, listen)
