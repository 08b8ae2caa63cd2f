"""The largest job that a request may ask for ends, and is told, within what a server keeps of an execution."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowHistory

from picturelock.composition.batches import plan_batches
from picturelock.composition.layout import Part, lay_out
from picturelock.models import AudioPlan, PlannedBatch, RenderPlan, ScenePicture, Timeline
from picturelock.presets import PRESETS
from picturelock.store.store import Store
from picturelock.temporal.reader import JobReader
from tests.fake_activities import REF, Studio, beat
from tests.film_maker import quiet
from tests.workflows.conftest import Handle, start, studio_open, until
from workflows.export import ExportWorkflow

pytestmark = pytest.mark.usefixtures("no_leftovers")
SCENES = 300
LETTERS = 200_000
LETTERS_PER_SECOND = 15
SLOWEST = 0.5
MIB = 1 << 20


async def largest_film(store: Store) -> tuple[int, list[PlannedBatch]]:
    """How many segments it has, and the activities that render them."""
    video = PRESETS["preview"].format
    samples = int(LETTERS / LETTERS_PER_SECOND / SLOWEST / SCENES * 48_000)
    layout = lay_out([Part(samples)] * SCENES, video.fps, 0.5)
    timeline = Timeline(
        fps=video.fps, width=128, height=128, total_frames=layout.total_frames, segments=layout.segments,
        scenes=layout.scenes, cues=[], audio=AudioPlan(total_samples=1, target_lufs=-16, speech=[]),
    )  # fmt: skip
    pictures = [ScenePicture(source=REF, motion="none", description=f"scene {index}") for index in range(SCENES)]
    plan = RenderPlan(
        format=video, timeline=timeline, pictures=pictures, transition="fade", captions=None, title="T", language="en"
    )
    return len(layout.segments), await plan_batches(plan, store, quiet)


def largest_event(history: WorkflowHistory) -> int:
    """The bytes of the largest event: what it carries is less."""
    return max(event.ByteSize() for event in history.events)


async def size_of(handle: Handle) -> tuple[int, int]:
    """The events and the bytes of an execution's history."""
    info = (await handle.describe()).raw_description.workflow_execution_info
    return info.history_length, info.history_size_bytes


@pytest.mark.slow
async def test_the_largest_job_ends_with_margins(client: Client, store: Store) -> None:
    segments, batches = await largest_film(store)
    assert segments > 9_000
    assert sorted(one for batch in batches for one in batch.segment_ids) == sorted({*_ids(batches)})
    assert len(_ids(batches)) == segments
    studio = Studio(scenes=SCENES, batches=batches, warnings=[f"scene {n} {'shows a card ' * 50}" for n in range(300)])
    async with studio_open(client, studio):
        handle = await start(client)
        await asyncio.wait_for(handle.result(), 120)
    assert len(studio.ran) == SCENES + len(batches) + 5
    events, size = await size_of(handle)
    assert (events < 10_000, size < 10 * MIB) == (True, True), (events, size)
    assert largest_event(await handle.fetch_history()) < MIB
    job = await JobReader(client).status(handle.id)
    assert (job.status, len(job.warnings), job.warnings_total) == ("completed", 20, 300)
    assert {len(one.message) for one in job.warnings} == {500}


def _ids(batches: list[PlannedBatch]) -> list[str]:
    return [one for batch in batches for one in batch.segment_ids]


def waiting_for(ready: asyncio.Event) -> Callable[[object], Awaitable[None]]:
    """A hook of an activity that is one of two hundred."""

    async def work(_task: object) -> None:
        while not ready.is_set():
            activity.heartbeat(beat(0.5))
            await asyncio.sleep(1)

    return work


@pytest.mark.slow
@pytest.mark.parametrize("pauses", [20])
async def test_a_thousand_pauses_fit(client: Client, pauses: int) -> None:
    """A thousand of them, by what each costs; a server ends an execution of 51,200 events or 50 MiB."""
    ready = asyncio.Event()
    warnings = [f"scene {n} {'shows a card ' * 20}" for n in range(30)]
    studio = Studio(segments=200, hooks={"render": waiting_for(ready)}, warnings=warnings)
    async with studio_open(client, studio):
        handle = await start(client)
        reader = JobReader(client)
        await until(reader, handle.id, lambda job: job.stage == "render")
        before = await size_of(handle)
        for number in range(1, pauses + 1):
            await handle.signal(ExportWorkflow.pause)
            await handle.signal(ExportWorkflow.resume)
            while (await handle.query(ExportWorkflow.status)).timeline_total < 7 + 2 * number:
                await asyncio.sleep(0.02)
        after = await size_of(handle)
        each = [(late - early) / pauses * 1_000 for late, early in zip(after, before, strict=True)]
        assert (each[0] < 40_000, each[1] < 40 * MIB) == (True, True), each
        seen = await reader.observe(handle.id)
        assert seen.snapshot is not None
        whole = await reader.timeline(seen)
        assert (len(seen.snapshot.timeline), seen.snapshot.timeline_total) == (20, len(whole))
        assert [one.sequence for one in whole] == list(range(1, len(whole) + 1))
        assert whole[-20:] == seen.snapshot.timeline
        ready.set()
        await handle.result()
