"""Which segments go together into one activity, and what becomes of those that are there."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from temporalio.testing import ActivityEnvironment

from activities.render import render_batch
from picturelock.composition.batches import plan_batches
from picturelock.composition.layout import Part, lay_out, segment_spec
from picturelock.models import (
    ArtifactRef,
    AudioPlan,
    PlannedBatch,
    RenderedSegment,
    RenderPlan,
    ScenePicture,
    Segment,
    Segments,
    Timeline,
)
from picturelock.presets import PRESETS
from picturelock.render import i420
from picturelock.render.segment import segment_key
from picturelock.store.store import Store, default_store
from picturelock.temporal.contracts import (
    BatchTask,
    ChosenEncoder,
    Composition,
    RenderedBatch,
    WrittenScript,
)
from tests.film_maker import quiet


async def planned(store: Store, scenes: int, encoder: str = "software") -> RenderPlan:
    """A film of so many scenes of five seconds: two pieces each, and a transition between two."""
    video = PRESETS["preview"].format.model_copy(update={"width": 128, "height": 128, "encoder": encoder})
    layout = lay_out([Part(5 * 48_000)] * scenes, video.fps, 0.5)
    still = await store.put_bytes(i420.pack(i420.new_frame(128, 128)), "application/x-npy")
    timeline = Timeline(
        fps=video.fps, width=128, height=128, total_frames=layout.total_frames, segments=layout.segments,
        scenes=layout.scenes, cues=[], audio=AudioPlan(total_samples=1, target_lufs=-16, speech=[]),
    )  # fmt: skip
    pictures = [ScenePicture(source=still, motion="none", description=f"scene {index}") for index in range(scenes)]
    return RenderPlan(
        format=video, timeline=timeline, pictures=pictures, transition="fade", captions=None, title="T", language="en"
    )


async def remember(store: Store, plan: RenderPlan, segment: Segment) -> None:
    """As if the segment had been rendered."""
    artifact = await store.put_bytes(segment.id.encode(), "video/mp4")
    rendered = RenderedSegment(
        id="render-999", artifact=artifact, frames=segment.frames, packets_sha256="", extradata_sha256="",
        first_luma=0, encoder="libx264", seconds=1, worker="w",
    )  # fmt: skip
    await store.remember("segment", segment_key(segment_spec(plan, segment)), rendered)


async def test_a_transition_goes_with_the_piece_after_it(store: Store) -> None:
    plan = await planned(store, 4)
    kinds = {one.id: one.kind for one in plan.timeline.segments}
    batches = await plan_batches(plan, store, quiet)
    assert sorted(one for batch in batches for one in batch.segment_ids) == sorted(kinds)
    assert len({batch.id for batch in batches}) == len(batches)
    assert {tuple(kinds[one] for one in batch.segment_ids) for batch in batches} == {("body",), ("transition", "body")}
    assert sum(len(batch.segment_ids) == 2 for batch in batches) == 3


async def test_the_beginning_is_rendered_first_and_then_the_longest(store: Store) -> None:
    plan = await planned(store, 12)
    starts = {segment.id: segment.start_frame for segment in plan.timeline.segments}
    batches = await plan_batches(plan, store, quiet)
    begins = [starts[batch.segment_ids[0]] for batch in batches]
    early = [start for start in begins if start < 20 * plan.timeline.fps]
    assert begins[: len(early)] == sorted(early)
    assert 5 < len(early) < len(batches) - 5
    urgencies = [batch.urgency for batch in batches]
    assert urgencies == [(2 if start < 6 * plan.timeline.fps else 1) for start in early] + [0] * (
        len(begins) - len(early)
    )
    frames = [batch.frames for batch in batches[len(early) :]]
    assert frames == sorted(frames, reverse=True)
    assert len(set(frames)) > 1


async def test_what_is_there_comes_before_what_is_rendered(store: Store) -> None:
    plan = await planned(store, 4)
    await remember(store, plan, plan.timeline.segments[-1])
    assert [batch.found is not None for batch in await plan_batches(plan, store, quiet)] == [True] + [False] * 7


async def test_a_small_film_of_which_nothing_is_there_is_paired_too(store: Store) -> None:
    batches = await plan_batches(await planned(store, 2), store, quiet)
    assert sorted(len(batch.segment_ids) for batch in batches) == [1, 1, 1, 2]


async def listed(batch: RenderedBatch) -> list[RenderedSegment]:
    """The segments of a batch, from the store."""
    return Segments.model_validate_json(await default_store().read(batch.segments)).segments


async def test_what_is_there_goes_together_and_the_few_others_alone(store: Store) -> None:
    plan = await planned(store, 10)
    segments = plan.timeline.segments
    missing = {one.id for one in segments if 4 in one.scene_indexes}
    for segment in segments:
        if segment.id not in missing:
            await remember(store, plan, segment)
    batches = await plan_batches(plan, store, quiet)
    assert set(batches[0].segment_ids) == {one.id for one in segments} - missing
    assert batches[0].frames == sum(one.frames for one in segments if one.id not in missing)
    assert [len(batch.segment_ids) for batch in batches[1:]] == [1] * len(missing)
    assert len(missing) == 4  # two pieces, two transitions


async def test_a_record_without_its_file_counts_for_nothing(store: Store) -> None:
    plan = await planned(store, 1)
    segment = plan.timeline.segments[0]
    await remember(store, plan, segment)
    found = await store.recall("segment", segment_key(segment_spec(plan, segment)), RenderedSegment)
    assert found
    assert await store.delete_older(found.artifact, datetime.now(UTC) + timedelta(days=1))
    assert [len(batch.segment_ids) for batch in await plan_batches(plan, store, quiet)] == [1, 1]


async def test_many_that_are_there_do_not_make_one_result(store: Store) -> None:
    plan = await planned(store, 50)
    for segment in plan.timeline.segments:
        await remember(store, plan, segment)
    sizes = [len(batch.segment_ids) for batch in await plan_batches(plan, store, quiet)]
    assert sorted(sizes) == [49, 100]


async def test_a_transition_whose_piece_is_there_goes_alone(store: Store) -> None:
    plan = await planned(store, 10)
    segments = plan.timeline.segments
    for before, segment in pairwise(segments):
        if before.kind == "transition":
            await remember(store, plan, segment)
    batches = await plan_batches(plan, store, quiet)
    assert sorted(len(batch.segment_ids) for batch in batches) == [*[1] * 20, 9]


async def test_nothing_is_looked_up_for_an_encoder_that_is_not_chosen_yet(store: Store) -> None:
    plan = await planned(store, 4, encoder="hardware")
    for segment in plan.timeline.segments:
        await remember(store, plan, segment)
    assert max(len(batch.segment_ids) for batch in await plan_batches(plan, store, quiet)) == 2


async def found_batch(store: Store) -> tuple[RenderPlan, BatchTask]:
    """A film of which everything is there, and the one activity that is left."""
    plan = await planned(store, 2)
    for segment in plan.timeline.segments:
        await remember(store, plan, segment)
    (batch,) = await plan_batches(plan, store, quiet)
    ref = await store.put_bytes(plan.model_dump_json().encode(), "application/json")
    return plan, task_of(batch, ref)


def task_of(batch: PlannedBatch, plan: ArtifactRef) -> BatchTask:
    return BatchTask(plan=plan, segment_ids=batch.segment_ids, frames=batch.frames, found=batch.found)


async def test_what_is_there_is_not_rendered(fake_ffmpeg: Callable[[str], Path]) -> None:
    """Not even when its record has been forgotten meanwhile: files that a job has seen stay."""
    fake_ffmpeg("fail")
    store = default_store()
    plan, task = await found_batch(store)
    for segment in plan.timeline.segments:
        await store.forget("records", "segment", segment_key(segment_spec(plan, segment)))
    batch = await ActivityEnvironment().run(render_batch, task)
    assert batch.segments == task.found, "the list that is there is no other one"
    assert [one.id for one in await listed(batch)] == [one.id for one in plan.timeline.segments]
    assert (batch.cached, batch.hits, batch.misses) == (True, 5, 0)


async def test_what_has_gone_after_all_is_rendered() -> None:
    store = default_store()
    plan, task = await found_batch(store)
    gone = plan.timeline.segments[1]
    known = await store.recall("segment", segment_key(segment_spec(plan, gone)), RenderedSegment)
    assert known
    assert await store.delete_older(known.artifact, datetime.now(UTC) + timedelta(days=1))
    batch = await ActivityEnvironment().run(render_batch, task)
    segments = await listed(batch)
    assert [one.cached for one in segments] == [one.id != gone.id for one in plan.timeline.segments]
    assert await store.has(segments[1].artifact)
    assert batch.headers == sorted({one.extradata_sha256 for one in segments})
    assert (batch.cached, batch.hits, batch.misses) == (False, 4, 1)


def test_scripts_and_encoders_are_no_reuse() -> None:
    ref = ArtifactRef(sha256="0" * 64, size_bytes=1, media_type="application/json")
    written = WrittenScript(request=ref, script=ref, scenes=1)
    assert (written.hits, written.misses) == (0, 0)
    assert (ChosenEncoder().hits, ChosenEncoder().misses) == (0, 0)
    composed = Composition(plan=ref, batches=[], total_frames=1, duration_seconds=1, pictures_found=2, pictures_made=3)
    assert (composed.hits, composed.misses) == (2, 3)
    batch = RenderedBatch(segments=ref, headers=[], segments_found=4, segments_made=5)
    assert (batch.hits, batch.misses) == (4, 5)
