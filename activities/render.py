"""Stage `render`: one segment, the sound that is mastered beside the segments, and the choice of an encoder."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import lru_cache
from typing import Final

from temporalio import activity

from activities.contracts import (
    CHOOSE_ENCODER,
    LOOKUPS,
    MASTER_SOUND,
    RENDER_BATCH,
    BatchTask,
    ChosenEncoder,
    EncoderTask,
    RenderedBatch,
    Segments,
    SoundTask,
)
from activities.decorators import lively
from activities.heartbeat import Pulse
from picturelock.composition.layout import segment_spec
from picturelock.concurrency import together
from picturelock.errors import PicturelockError
from picturelock.finalize.publish import master_sound as master
from picturelock.models import ArtifactRef, RenderedSegment, RenderPlan, Sound
from picturelock.render.hardware import find
from picturelock.render.segment import render_segment
from picturelock.settings import Settings, settings
from picturelock.store.store import Store, default_store


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


@activity.defn(name=RENDER_BATCH)
@lively("render")
async def render_batch(task: BatchTask, pulse: Pulse) -> RenderedBatch:
    """Renders a batch's segments, one after the other."""
    plan = await load_plan(task.plan)
    store = default_store()
    known = await _known(task, store)
    rendered: list[RenderedSegment] = []
    for segment in (one for one in plan.timeline.segments if one.id in task.segment_ids):
        done = sum(one.frames for one in rendered)
        listen = pulse.frames(task.frames, f"Rendering {segment.id}", before=done)
        if segment.id in known:
            rendered.append(known[segment.id])
        else:
            _fetch_ahead(task.plan, plan, store)
            spec = segment_spec(plan, segment, task.encoder)
            slot = _encoder_slot(pulse) if store.is_elsewhere else None
            scratch, stall = settings().scratch, pulse.stall_seconds
            rendered.append(await render_segment(segment.id, spec, store, scratch, stall, listen, slot))
        listen(segment.frames, segment.frames)
    found = sum(one.cached for one in rendered)
    return RenderedBatch(
        segments=await _stored(rendered, task.found, store),
        headers=sorted({one.extradata_sha256 for one in rendered}),
        segments_found=found,
        segments_made=len(rendered) - found,
        cached=found == len(rendered),
    )


async def _stored(rendered: list[RenderedSegment], found: ArtifactRef | None, store: Store) -> ArtifactRef:
    """The batch's list in the store; where nothing had to be rendered, the one that is there."""
    data = Segments(segments=rendered).model_dump_json().encode()
    if found is not None and hashlib.sha256(data).hexdigest() == found.sha256:
        return found
    return await store.put_bytes(data, "application/json")


async def _known(task: BatchTask, store: Store) -> dict[str, RenderedSegment]:
    """The batch's segments that were there when the film was composed, and whose files still are."""
    if task.found is None:
        return {}
    found = Segments.model_validate_json(await store.read(task.found)).segments
    there = await together(*(store.has(one.artifact) for one in found), at_once=LOOKUPS)
    return {one.id: one for one, is_there in zip(found, there, strict=True) if is_there}


_AHEAD: dict[str, asyncio.Task[None]] = {}
"""Plans whose pictures this worker has begun to fetch."""

_PLANS: Final = 8


def _fetch_ahead(ref: ArtifactRef, plan: RenderPlan, store: Store) -> None:
    """Begins to fetch all stills of a film when its first segment comes; the next one finds them here."""
    if not store.is_elsewhere or ref.sha256 in _AHEAD:
        return
    _AHEAD[ref.sha256] = asyncio.create_task(_fetch(plan, store))
    for old in list(_AHEAD)[:-_PLANS]:
        _AHEAD.pop(old)


async def _fetch(plan: RenderPlan, store: Store) -> None:
    for picture in (one for one in plan.pictures if one.clip is None):  # a clip may be another worker's, and large
        with suppress(PicturelockError, OSError):  # the segment that needs it says what is wrong
            await store.local(picture.source)


@lru_cache(maxsize=1)
def _slots() -> asyncio.Semaphore:
    return asyncio.Semaphore(render_slots(settings()))


@asynccontextmanager
async def _encoder_slot(pulse: Pulse) -> AsyncIterator[None]:
    """One of the process's slots for encoders, where a worker takes one segment more than it has slots."""
    slots = _slots()
    with pulse.waiting():
        await slots.acquire()
    try:
        yield
    finally:
        slots.release()


def render_slots(configured: Settings) -> int:
    """How many segments a worker encodes at once."""
    return configured.render_slots or os.cpu_count() or 1


@activity.defn(name=MASTER_SOUND)
@lively("render")
async def master_sound(task: SoundTask, pulse: Pulse) -> Sound:
    """Mixes, masters and encodes the film's sound."""
    plan = await load_plan(task.plan)

    def listen(share: float, message: str) -> None:
        pulse.advance(share, message)

    return await master(plan, default_store(), settings().scratch, pulse.stall_seconds, listen)
