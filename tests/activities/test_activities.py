"""Activities with Temporal's own environment around them and a fake ffmpeg under them."""

import asyncio
import contextlib
import dataclasses
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from temporalio.activity import ActivityCancellationDetails
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import decorators
from activities.decorators import stage_activity
from activities.heartbeat import HeartbeatReporter
from activities.render import render_batch
from activities.script import write_script
from activities.tts import speak_scene
from picturelock.composition.layout import Part, lay_out
from picturelock.errors import InvalidScript, RenderFailed, RenderStalled
from picturelock.ffmpeg import process
from picturelock.jobs import stages
from picturelock.models import (
    AudioPlan,
    ExportRequest,
    Heartbeat,
    JobError,
    RenderPlan,
    ScenePicture,
    Timeline,
)
from picturelock.presets import PRESETS
from picturelock.render import i420, motion
from picturelock.store.store import default_store
from picturelock.temporal.contracts import Activity, BatchTask, NoTask, ScriptTask, SpeechTask
from picturelock.temporal.failure_codec import CANCELLED_WORK, details_of

Fake = Callable[[str], Path]

SPEAKING = Activity("speaking", ScriptTask, NoTask, "tts", "exports")
RENDERING = Activity("rendering", ScriptTask, NoTask, "render", "render")


@pytest.fixture
def environment() -> ActivityEnvironment:
    return ActivityEnvironment()


def error_of(failure: ApplicationError) -> JobError:
    error = details_of(failure).error
    assert error is not None
    return error


async def planned_segment() -> BatchTask:
    """A plan of one plain scene in the store, and its only segment."""
    store = default_store()
    video = PRESETS["preview"].format.model_copy(update={"width": 128, "height": 128})
    layout = lay_out([Part(48_000)], video.fps, 0)
    width, height = motion.still_size(128, 128, "none")
    still = await store.put_bytes(i420.pack(i420.new_frame(width, height)), "application/x-npy")
    timeline = Timeline(
        fps=video.fps, width=128, height=128, total_frames=layout.total_frames, segments=layout.segments,
        scenes=layout.scenes, cues=[], audio=AudioPlan(total_samples=1, target_lufs=-16, speech=[]),
    )  # fmt: skip
    plan = RenderPlan(
        format=video, timeline=timeline, pictures=[ScenePicture(source=still, motion="none", description="plain")],
        transition="none", captions=None, title="T", language="en",
    )  # fmt: skip
    ref = await store.put_bytes(plan.model_dump_json().encode(), "application/json")
    return BatchTask(
        plan=ref,
        segment_ids=[layout.segments[0].id],
        frames=layout.segments[0].frames,
    )


async def test_a_script_is_checked_and_stored(environment: ActivityEnvironment) -> None:
    request = ExportRequest.model_validate({"script": {"scenes": [{"narration": "Hello."}]}})
    written = await environment.run(write_script, ScriptTask(request=request))
    assert written.scenes == 1
    assert await default_store().has(written.script)


@pytest.mark.parametrize(
    ("scene", "language", "code"),
    [
        ({"narration": "**1** `x`"}, "en", None),
        ({"narration": "Guten Tag."}, "qaa", "VOICE_UNAVAILABLE"),
        ({"narration": "Hi.", "voice": {"engine": "none", "voice": "x"}}, "en", "VOICE_UNAVAILABLE"),
    ],
)
async def test_what_cannot_be_spoken_fails_in_the_first_stage(
    scene: dict[str, Any], language: str, code: str | None, environment: ActivityEnvironment
) -> None:
    request = ExportRequest.model_validate({"script": {"language": language, "scenes": [scene]}})
    if code is None:
        await environment.run(write_script, ScriptTask(request=request))
        return
    with pytest.raises(ApplicationError) as caught:
        await environment.run(write_script, ScriptTask(request=request))
    assert (caught.value.type, caught.value.non_retryable) == (code, True)
    assert error_of(caught.value).stage == "script"


async def test_a_brief_becomes_a_script_that_is_spoken(environment: ActivityEnvironment) -> None:
    request = ExportRequest.model_validate({"brief": {"topic": "The sea rises. It falls again."}})
    written = await environment.run(write_script, ScriptTask(request=request))
    beats: list[Heartbeat] = []
    environment.on_heartbeat = beats.append
    spoken = await environment.run(
        speak_scene, SpeechTask(request=written.request, script=written.script, scene_index=0)
    )
    assert spoken.samples > 48_000
    assert beats


@pytest.mark.slow
async def test_heartbeats_carry_the_frames_that_ffmpeg_reports(
    fake_ffmpeg: Fake, environment: ActivityEnvironment
) -> None:
    fake_ffmpeg("slow")
    task = await planned_segment()
    beats: list[Heartbeat] = []
    environment.on_heartbeat = beats.append
    with pytest.raises(ApplicationError):  # what it leaves is no film
        await environment.run(render_batch, task)
    seen = [beat.frames_done for beat in beats if beat.frames_done]
    assert set(seen) >= set(range(2, 10))
    assert seen == sorted(seen)
    assert {beat.frames_total for beat in beats if beat.frames_done} == {task.frames}
    assert {beat.message for beat in beats if beat.frames_done} == {f"Rendering {task.segment_ids[0]}"}
    fractions = [beat.fraction for beat in beats]
    assert fractions == sorted(fractions)
    assert 0 < fractions[-1] < 1


async def test_a_failure_has_its_code_and_no_server_path(fake_ffmpeg: Fake, environment: ActivityEnvironment) -> None:
    fake_ffmpeg("fail")
    task = await planned_segment()
    with pytest.raises(ApplicationError) as caught:
        await environment.run(render_batch, task)
    error = error_of(caught.value)
    assert (error.code, error.stage, error.retryable) == ("RENDER_FAILED", "render", True)
    assert error.detail is not None
    assert "/srv" not in error.detail
    assert not caught.value.non_retryable


async def test_an_exit_code_that_comes_again_is_final(fake_ffmpeg: Fake, environment: ActivityEnvironment) -> None:
    fake_ffmpeg("fail")
    first = Heartbeat(last_advance_at=datetime.now(UTC), stall_after_seconds=30, begun=1)
    environment.info = dataclasses.replace(ActivityEnvironment.default_info(), attempt=2, heartbeat_details=[first])
    task = await planned_segment()
    with pytest.raises(ApplicationError) as caught:
        await environment.run(render_batch, task)
    assert caught.value.non_retryable


async def test_cancel_kills_ffmpeg(
    fake_ffmpeg: Fake, environment: ActivityEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "TERMINATE_SECONDS", 0.2)
    folder = fake_ffmpeg("hang")
    task = await planned_segment()
    beating = asyncio.Event()
    environment.on_heartbeat = lambda beat: beating.set() if beat.frames_done else None
    running = asyncio.ensure_future(environment.run(render_batch, task))
    await beating.wait()
    environment.cancel(cancellation_details=ActivityCancellationDetails(cancel_requested=True))
    with pytest.raises(ApplicationError) as caught:
        await running
    assert (caught.value.type, caught.value.non_retryable) == (CANCELLED_WORK, True)
    last = details_of(caught.value).heartbeat
    assert last is not None
    assert last.frames_done  # what viewers have seen goes with it
    with pytest.raises(ProcessLookupError):
        os.kill(int((folder / "ffmpeg.pid").read_text()), 0)


async def test_a_hung_ffmpeg_is_a_stall_that_may_be_tried_again(
    fake_ffmpeg: Fake, environment: ActivityEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = dataclasses.replace(stages.BY_NAME["render"], stall_seconds=1.0)
    monkeypatch.setitem(stages.BY_NAME, "render", short)
    fake_ffmpeg("hang")
    task = await planned_segment()
    beats: list[Heartbeat] = []
    environment.on_heartbeat = beats.append
    with pytest.raises(ApplicationError) as caught:
        await environment.run(render_batch, task)
    assert (caught.value.type, caught.value.non_retryable) == ("RENDER_STALLED", False)
    assert len(beats) >= 3  # it went on beating while ffmpeg stood still
    assert max(beat.frames_done or 0 for beat in beats) == 1  # the one frame that it had made


async def test_work_that_is_no_ffmpeg_is_watched_too(
    environment: ActivityEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = dataclasses.replace(stages.BY_NAME["tts"], stall_seconds=-1.5)
    monkeypatch.setitem(stages.BY_NAME, "tts", short)

    @stage_activity(SPEAKING)
    async def stands_still(_task: ScriptTask, heartbeat: HeartbeatReporter) -> NoTask:
        heartbeat.advance(0.5, "standing")
        await asyncio.Event().wait()
        return NoTask()

    request = ExportRequest.model_validate({"brief": {"topic": "The sea rises. It falls again."}})
    with pytest.raises(ApplicationError) as caught:
        await environment.run(stands_still, ScriptTask(request=request))
    assert caught.value.type == "RENDER_STALLED"


@pytest.mark.parametrize(
    ("error", "code", "final"),
    [
        (InvalidScript("no"), "INVALID_SCRIPT", True),
        (RenderFailed("ffmpeg ended with signal SIGKILL"), "RENDER_FAILED", False),
        (OSError(28, "No space left on device"), "DISK_FULL", False),
        (OSError(5, "Input/output error"), "INTERNAL", False),
        (KeyError("oops"), "INTERNAL", True),
    ],
)
async def test_every_error_becomes_a_code(
    error: Exception, code: str, final: bool, environment: ActivityEnvironment
) -> None:
    @stage_activity(RENDERING)
    async def breaks(_task: ScriptTask, heartbeat: HeartbeatReporter) -> NoTask:
        heartbeat.advance(0.1, "about to break")
        raise error

    request = ExportRequest.model_validate({"brief": {"topic": "The sea rises. It falls again."}})
    with pytest.raises(ApplicationError) as caught:
        await environment.run(breaks, ScriptTask(request=request))
    assert (caught.value.type, caught.value.non_retryable) == (code, final)


async def test_a_second_attempt_begins_where_viewers_already_are(environment: ActivityEnvironment) -> None:
    before = Heartbeat(
        fraction=0.7, frames_done=60, frames_total=90, last_advance_at=datetime.now(UTC), stall_after_seconds=30
    )
    details = [before.model_dump(mode="json")]
    environment.info = dataclasses.replace(ActivityEnvironment.default_info(), attempt=2, heartbeat_details=details)
    beats: list[Heartbeat] = []
    environment.on_heartbeat = beats.append
    request = ExportRequest.model_validate({"script": {"scenes": [{"narration": "Hello again."}]}})
    await environment.run(write_script, ScriptTask(request=request))
    assert {(beat.fraction, beat.frames_done) for beat in beats} == {(0.7, 60)}


def test_progress_of_an_attempt_never_goes_back() -> None:
    heartbeat = HeartbeatReporter(stages.BY_NAME["render"])
    listen = heartbeat.frames(100, "m")
    listen(80, 60)
    assert (heartbeat.state.fraction, heartbeat.state.frames_done) == (0.65, 60)
    listen(80, 40)
    assert heartbeat.state.fraction == 0.65


async def test_who_waits_for_a_slot_is_not_stalled(environment: ActivityEnvironment) -> None:
    """A worker takes one segment more than it has encoders; the one that waits stands still, and says so truthfully."""
    policy = dataclasses.replace(stages.BY_NAME["render"], stall_seconds=0.1)

    async def wait() -> None:
        heartbeat = HeartbeatReporter(policy)
        heartbeat._advanced -= 5  # longer than the threshold and its margin
        before = heartbeat.state.last_advance_at
        with heartbeat.waiting():
            beating = asyncio.create_task(heartbeat.send())
            await asyncio.sleep(0)
            assert not beating.done()
        assert heartbeat.state.last_advance_at > before
        heartbeat._advanced -= 5
        with pytest.raises(RenderStalled):
            await beating

    await environment.run(wait)


async def test_a_segment_that_has_no_room_is_refused_before_ffmpeg_begins(
    fake_ffmpeg: Fake, environment: ActivityEnvironment, tmp_path: Path
) -> None:
    fake_ffmpeg("encode")
    task = await planned_segment()
    plan = RenderPlan.model_validate_json(await default_store().read(task.plan))
    frames = 10**12
    endless = [plan.timeline.segments[0].model_copy(update={"frames": frames})]
    plan = plan.model_copy(update={"timeline": plan.timeline.model_copy(update={"segments": endless})})
    ref = await default_store().put_bytes(plan.model_dump_json().encode(), "application/json")
    with pytest.raises(ApplicationError) as caught:
        await environment.run(render_batch, task.model_copy(update={"plan": ref, "frames": frames}))
    assert (caught.value.type, caught.value.non_retryable) == ("DISK_FULL", False)
    assert not (tmp_path / "ffmpeg.pid").exists()


async def test_work_that_ignores_its_cancellation_is_left_behind(
    environment: ActivityEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decorators, "END_SECONDS", 0.3)
    begun, ended = asyncio.Event(), asyncio.Event()

    @stage_activity(SPEAKING)
    async def stubborn(_task: ScriptTask, heartbeat: HeartbeatReporter) -> NoTask:
        begun.set()
        while not ended.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await ended.wait()
        return NoTask()

    request = ExportRequest.model_validate({"brief": {"topic": "The sea rises. It falls again."}})
    running = asyncio.ensure_future(environment.run(stubborn, ScriptTask(request=request)))
    await begun.wait()
    environment.cancel(cancellation_details=ActivityCancellationDetails(cancel_requested=True))
    with pytest.raises(ApplicationError, match="cancelled"):
        await asyncio.wait_for(running, 5)
    assert decorators._LEFT_BEHIND
    ended.set()
    async with asyncio.timeout(5):
        while decorators._LEFT_BEHIND:
            await asyncio.sleep(0.01)
