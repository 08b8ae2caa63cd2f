"""Stage `render`: batches of segments, the sound that is mastered beside the segments, and the choice of an encoder."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import lru_cache
from typing import Final

import structlog

from activities.decorators import stage_activity
from activities.heartbeat import HeartbeatReporter
from picturelock.composition.layout import segment_spec
from picturelock.concurrency import gather_limited
from picturelock.errors import PicturelockError
from picturelock.finalize.sound import draft_sound as draft
from picturelock.finalize.sound import master_sound as master
from picturelock.models import ArtifactRef, DraftSound, RenderedSegment, RenderPlan, Segments, Sound
from picturelock.render.hardware import try_encoders
from picturelock.render.segment import render_segment
from picturelock.settings import settings
from picturelock.store.store import LOOKUPS, Store, default_store
from picturelock.temporal.contracts import (
    CHOOSE_ENCODER,
    DRAFT_SOUND,
    MASTER_SOUND,
    RENDER_BATCH,
    BatchTask,
    ChosenEncoder,
    EncoderTask,
    RenderedBatch,
    SoundTask,
)

log = structlog.get_logger()


@lru_cache(maxsize=4)
def _parsed(data: bytes) -> RenderPlan:
    return RenderPlan.model_validate_json(data)


async def load_plan(ref: ArtifactRef) -> RenderPlan:
    """A plan from the store, parsed once for all the segments that a worker renders of it."""
    return _parsed(await default_store().read(ref))


@stage_activity(CHOOSE_ENCODER)
async def choose_encoder(task: EncoderTask, heartbeat: HeartbeatReporter) -> ChosenEncoder:
    """Looks for a hardware encoder that can be trusted with the film."""
    plan = await load_plan(task.plan)
    trials = await try_encoders(
        plan.format, settings().scratch, lambda encoder: heartbeat.advance(0.0, f"Trying {encoder}")
    )
    passed = next((trial.encoder for trial in trials if not trial.failure), None)
    return ChosenEncoder(
        encoder=passed, failures=[f"{trial.encoder}: {trial.failure}" for trial in trials if trial.failure]
    )


@stage_activity(RENDER_BATCH)
async def render_batch(task: BatchTask, heartbeat: HeartbeatReporter) -> RenderedBatch:
    """Renders a batch's segments, one after the other."""
    plan = await load_plan(task.plan)
    store = default_store()
    known = await _known(task, store)
    rendered: list[RenderedSegment] = []
    for segment in plan.timeline.segments:
        if segment.id not in task.segment_ids:
            continue
        done = sum(ready.frames for ready in rendered)
        listen = heartbeat.frames(task.frames, f"Rendering {segment.id}", before=done)
        if segment.id in known:
            rendered.append(known[segment.id])
        else:
            _fetch_ahead(task.plan, plan, store)
            spec = segment_spec(plan, segment, task.encoder)
            slot = _encoder_slot(heartbeat) if store.is_remote else None
            scratch, stall = settings().scratch, heartbeat.stall_seconds
            rendered.append(await render_segment(segment.id, spec, store, scratch, stall, listen, slot))
        listen(segment.frames, segment.frames)
    found = sum(ready.cached for ready in rendered)
    return RenderedBatch(
        segments=await _stored(rendered, task.found, store),
        headers=sorted({ready.extradata_sha256 for ready in rendered}),
        segments_found=found,
        segments_made=len(rendered) - found,
        cached=found == len(rendered),
    )


async def _stored(rendered: list[RenderedSegment], found: ArtifactRef | None, store: Store) -> ArtifactRef:
    """The batch's list in the store; where nothing had to be rendered, the one that is there."""
    segments = Segments(segments=rendered)
    if found is not None and hashlib.sha256(segments.model_dump_json().encode()).hexdigest() == found.sha256:
        return found
    return await store.put_model(segments)


async def _known(task: BatchTask, store: Store) -> dict[str, RenderedSegment]:
    """The batch's segments that were there when the film was composed, and whose files still are."""
    if task.found is None:
        return {}
    found = (await store.get_model(task.found, Segments)).segments
    there = await gather_limited(*(store.has(segment.artifact) for segment in found), limit=LOOKUPS)
    return {segment.id: segment for segment, is_there in zip(found, there, strict=True) if is_there}


_AHEAD: dict[str, asyncio.Task[None]] = {}
"""Plans whose pictures this worker has begun to fetch."""

_PLANS: Final = 8


def _fetch_ahead(ref: ArtifactRef, plan: RenderPlan, store: Store) -> None:
    """Begins to fetch all stills of a film when its first segment comes; the next one finds them here."""
    if not store.is_remote or ref.sha256 in _AHEAD:
        return
    _AHEAD[ref.sha256] = asyncio.create_task(_fetch(plan, store))
    for old in list(_AHEAD)[:-_PLANS]:
        _AHEAD.pop(old)


async def _fetch(plan: RenderPlan, store: Store) -> None:
    for picture in plan.pictures:
        if picture.clip is not None:  # it may be another worker's, and large
            continue
        with suppress(PicturelockError, OSError):  # the segment that needs it says what is wrong
            await store.local(picture.source)


@lru_cache(maxsize=1)
def _slots() -> asyncio.Semaphore:
    return asyncio.Semaphore(settings().slots)


@asynccontextmanager
async def _encoder_slot(heartbeat: HeartbeatReporter) -> AsyncIterator[None]:
    """One of the process's slots for encoders, where a worker takes one segment more than it has slots."""
    slots = _slots()
    with heartbeat.waiting():
        await slots.acquire()
    try:
        yield
    finally:
        slots.release()


@stage_activity(MASTER_SOUND)
async def master_sound(task: SoundTask, heartbeat: HeartbeatReporter) -> Sound:
    """Mixes, masters and encodes the film's sound."""
    plan = await load_plan(task.plan)

    def listen(share: float, message: str) -> None:
        heartbeat.advance(share, message)

    return await master(plan, default_store(), settings().scratch, heartbeat.stall_seconds, listen)


@stage_activity(DRAFT_SOUND)
async def draft_sound(task: SoundTask, heartbeat: HeartbeatReporter) -> DraftSound:
    """Encodes what a preview sounds like until the sound is mastered. The film does not need it: it never fails."""
    plan = await load_plan(task.plan)
    if plan.format.container != "mp4":  # it has no preview
        return DraftSound()
    try:
        return await draft(plan, default_store(), settings().scratch, heartbeat.stall_seconds)
    except PicturelockError as error:
        log.warning("no draft of the sound", reason=error.message)
        return DraftSound()
