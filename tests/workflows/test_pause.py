"""Pause and resume: nothing new begins, what runs is finished, nothing is lost, no deadline runs."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from picturelock.errors import RenderFailed
from picturelock.jobs.stages import EXPORTS_QUEUE
from picturelock.models import JobStatus
from picturelock.temporal.reader import JobReader
from tests.fake_activities import Studio
from tests.workflows.conftest import Handle, start, studio_open
from workflows.export import ExportWorkflow

pytestmark = pytest.mark.usefixtures("no_leftovers")


def behind(gate: asyncio.Event) -> Callable[[object], Awaitable[None]]:
    """A hook that holds its activity until the gate opens."""

    async def wait(_task: object) -> None:
        await gate.wait()

    return wait


async def until(handle: Handle, client: Client, *states: str) -> JobStatus:
    reader = JobReader(client)
    async with asyncio.timeout(20):
        while (job := await reader.status(handle.id)).status not in states:
            await asyncio.sleep(0.02)
    return job


async def ran(studio: Studio, activity_id: str) -> None:
    async with asyncio.timeout(20):
        while not any(one.startswith(activity_id) for one in studio.ran):
            await asyncio.sleep(0.01)


async def activities_paused(client: Client, handle: Handle, count: int) -> None:
    reader = JobReader(client)
    async with asyncio.timeout(20):
        while sum(one.paused for one in (await reader.observe(handle.id)).pending) < count:
            await asyncio.sleep(0.02)


async def test_running_segments_finish_and_no_other_begins(client: Client) -> None:
    gate = asyncio.Event()
    studio = Studio(segments=4, hooks={"render": behind(gate)})
    async with studio_open(client, studio, render_slots=1):
        handle = await start(client)
        await ran(studio, "render")
        await handle.signal(ExportWorkflow.pause)
        await activities_paused(client, handle, 3)
        asked = await JobReader(client).status(handle.id)
        assert (asked.status, asked.pause_requested) == ("running", True)
        gate.set()
        paused = await until(handle, client, "paused")
        assert not paused.pause_requested
        assert paused.message == "Paused"
        assert paused.eta_seconds is None
        assert next(step for step in paused.steps if step.name == "render").status == "paused"
        assert len([one for one in studio.ran if one.startswith("render")]) == 1
        await handle.signal(ExportWorkflow.resume)
        await handle.result()
        timeline = (await handle.query(ExportWorkflow.status)).timeline
    assert sorted(one for one in studio.ran if one.startswith("render")) == [f"render-{n:03d}" for n in range(4)]
    told = [(event.step, event.status) for event in timeline if event.step == "render"]
    assert told == [("render", state) for state in ("running", "running", "paused", "running", "completed")]


async def test_an_attempt_that_fails_during_a_pause_is_not_tried_again_before_its_end(client: Client) -> None:
    gate = asyncio.Event()

    async def fail_once(_task: object) -> None:
        if studio.ran.count("render-000") == 1:
            await gate.wait()
            raise RenderFailed("ffmpeg ended with signal SIGKILL")

    studio = Studio(segments=1, hooks={"render-000": fail_once})
    async with studio_open(client, studio):
        handle = await start(client)
        await ran(studio, "render-000")
        await handle.signal(ExportWorkflow.pause)
        gate.set()
        paused = await until(handle, client, "paused", "failed")
        assert paused.status == "paused"
        assert "ATTEMPT_FAILED" in [one.code for one in paused.warnings]
        assert studio.ran.count("render-000") == 1
        await handle.signal(ExportWorkflow.resume)
        await handle.result()
    assert studio.ran.count("render-000") == 2


async def test_no_deadline_runs_while_a_job_is_paused(client: Client, temporal: WorkflowEnvironment) -> None:
    gate = asyncio.Event()
    studio = Studio(hooks={"write_script": behind(gate)})
    async with studio_open(client, studio):
        handle = await start(client)
        await ran(studio, "script")
        await handle.signal(ExportWorkflow.pause)
        gate.set()
        await until(handle, client, "paused")
        assert "tts-00" not in studio.ran
        await temporal.fast_forward(handle, timedelta(days=3))
        await handle.signal(ExportWorkflow.resume)
        await handle.result()
        snapshot = await handle.query(ExportWorkflow.status)
    assert snapshot.paused_seconds > timedelta(days=2).total_seconds()
    assert not snapshot.pause_requested


async def test_a_paused_job_can_be_cancelled(client: Client) -> None:
    gate = asyncio.Event()
    studio = Studio(segments=3, hooks={"render": behind(gate)})
    async with studio_open(client, studio, render_slots=1):
        handle = await start(client)
        await ran(studio, "render")
        await handle.signal(ExportWorkflow.pause)
        gate.set()
        await until(handle, client, "paused")
        await handle.cancel()
        job = await until(handle, client, "cancelled", "failed")
    assert (job.status, job.pause_requested) == ("cancelled", False)


@pytest.mark.slow
async def test_a_pause_that_no_orchestrator_has_seen_is_told_all_the_same(client: Client) -> None:
    async with studio_open(client, Studio(), queues=(EXPORTS_QUEUE,)):
        handle = await start(client)
        async with asyncio.timeout(20):
            while (await handle.query(ExportWorkflow.status)).stage != "render":
                await asyncio.sleep(0.02)
    reader = JobReader(client)
    assert not (await reader.status(handle.id)).pause_requested
    for signal, asked in ((ExportWorkflow.pause, True), (ExportWorkflow.resume, False)):
        await handle.signal(signal)
        async with asyncio.timeout(10):
            while (await reader.status(handle.id)).pause_requested != asked:
                await asyncio.sleep(0.05)


async def test_a_pause_that_is_ended_and_asked_for_again_in_one_go_takes_effect(client: Client) -> None:
    gate = asyncio.Event()
    studio = Studio(hooks={"write_script": behind(gate)})
    async with studio_open(client, studio):
        handle = await start(client)
        await ran(studio, "script")
        await handle.signal(ExportWorkflow.pause)
        gate.set()
        await until(handle, client, "paused")
    # Nobody is there to take note between the two.
    await handle.signal(ExportWorkflow.resume)
    await handle.signal(ExportWorkflow.pause)
    async with studio_open(client, studio):
        async with asyncio.timeout(20):
            while (await handle.query(ExportWorkflow.status)).timeline[-1].message != "Paused":
                await asyncio.sleep(0.02)
        assert (await JobReader(client).status(handle.id)).status == "paused"
        await handle.signal(ExportWorkflow.resume)
        await handle.result()


async def test_a_pause_that_nobody_could_note_is_not_what_ends_a_job(client: Client) -> None:
    """The deadline passes while no orchestrator lives, and a pause was asked for before it did."""
    gate = asyncio.Event()
    studio = Studio(hooks={"speak_scene": behind(gate)})
    async with studio_open(client, studio):
        handle = await start(client, deadline_seconds=2)
        await ran(studio, "tts-00")
    await handle.signal(ExportWorkflow.pause)
    fired = False
    async with asyncio.timeout(20):
        while not fired:  # the deadline's timer
            history = await handle.fetch_history()
            fired = any(event.event_type == EventType.EVENT_TYPE_TIMER_FIRED for event in history.events)
            await asyncio.sleep(0.05)
    gate.set()
    async with studio_open(client, studio):
        await until(handle, client, "paused")
        await handle.signal(ExportWorkflow.resume)
        await handle.result()
