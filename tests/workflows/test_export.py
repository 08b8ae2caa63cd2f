"""The workflow on a real server whose time skips: order, failure, cancel, deadline, memory of itself."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
)
from temporalio.exceptions import ApplicationError, CancelledError

from picturelock.errors import InvalidScript, RenderFailed
from picturelock.jobs.stages import CONTROL_QUEUE, EXPORTS_QUEUE
from picturelock.models import JobError, Snapshot
from picturelock.models.strip import FilmRecord
from picturelock.temporal.failure_codec import details_of
from picturelock.temporal.names import FILM_QUERY, SNAPSHOT_MEMO
from picturelock.temporal.reader import JobReader
from tests.fake_activities import Studio, beat
from tests.unit.test_status import BEFORE_RENDER, RENDER
from tests.workflows.conftest import Handle, start, studio_open
from workflows.export import ExportWorkflow

pytestmark = pytest.mark.usefixtures("no_leftovers")


async def never(_task: object) -> None:
    while True:
        activity.heartbeat(beat(0.5))
        await asyncio.sleep(0.05)


async def failure_of(handle: Handle) -> tuple[str | None, JobError]:
    with pytest.raises(WorkflowFailureError) as caught:
        await handle.result()
    cause = caught.value.cause
    assert isinstance(cause, ApplicationError)
    error = details_of(cause).error
    assert error is not None
    return cause.type, error


async def memo_of(handle: Handle) -> Snapshot:
    described = await handle.describe()
    snapshot: Snapshot = await described.memo_value(SNAPSHOT_MEMO, type_hint=Snapshot)
    return snapshot


async def test_the_stages_come_in_order_and_end_with_a_film(client: Client) -> None:
    studio = Studio()
    async with studio_open(client, studio):
        handle = await start(client)
        result = await handle.result()
    assert result.film.name == "film.mp4"
    assert studio.ran[0] == "script"
    assert set(studio.ran[1:3]) == {"tts-00", "tts-01"}
    assert studio.ran[3] == "composition"
    assert set(studio.ran[4:8]) == {"render-000", "render-001", "render-002", "sound"}
    assert studio.ran[8:] == ["finalize"]


async def test_the_film_query_tells_what_is_made_and_what_has_failed(client: Client) -> None:
    two_are_done = asyncio.Event()

    async def fail(_task: object) -> None:
        await two_are_done.wait()
        raise InvalidScript("no")

    async with studio_open(client, Studio(hooks={"render-002": fail})):
        handle = await start(client)
        before: FilmRecord = await handle.query(FILM_QUERY, result_type=FilmRecord)
        assert before.batches == [] or before.plan is not None
        film = before
        while sum(batch.made is not None for batch in film.batches) < 2 or film.sound is None:
            film = await handle.query(FILM_QUERY, result_type=FilmRecord)
            await asyncio.sleep(0.02)
        two_are_done.set()
        await failure_of(handle)
        after: FilmRecord = await handle.query(FILM_QUERY, result_type=FilmRecord)
    assert film.plan is not None
    assert [batch.activity_id for batch in film.batches] == ["render-000", "render-001", "render-002"]
    assert [batch.frames for batch in film.batches] == [40, 40, 40]
    assert [batch.segment_ids for batch in film.batches] == [["render-000"], ["render-001"], ["render-002"]]
    assert [batch.made is not None for batch in film.batches] == [True, True, False]
    assert [batch.failed for batch in film.batches] == [False, False, False]
    assert [batch.failed for batch in after.batches] == [False, False, True]


async def test_the_memo_tells_what_the_query_tells(client: Client) -> None:
    async with studio_open(client, Studio()):
        handle = await start(client)
        await handle.result()
        queried = await handle.query(ExportWorkflow.status)
    assert await memo_of(handle) == queried
    assert queried.stage == "complete"
    assert [(event.step, event.status) for event in queried.timeline] == [
        (step, state)
        for step in ("script", "tts", "composition", "render", "finalize")
        for state in ("running", "completed")
    ]
    assert [event.sequence for event in queried.timeline] == list(range(1, 11))
    assert queried.open_units == {}


async def test_the_script_is_not_left_before_it_is_there(client: Client) -> None:
    gate = asyncio.Event()

    async def wait(_task: object) -> None:
        await gate.wait()

    studio = Studio(hooks={"write_script": wait})
    async with studio_open(client, studio):
        handle = await start(client)
        while "script" not in studio.ran:
            await asyncio.sleep(0.01)
        snapshot = await handle.query(ExportWorkflow.status)
        assert (snapshot.stage, snapshot.open_units) == ("script", {"script": {"script": 1}})
        gate.set()
        await handle.result()


async def test_a_failing_segment_ends_its_siblings_and_gives_its_reason(client: Client) -> None:
    async def fail(_task: object) -> None:
        raise InvalidScript("the segment says no")

    studio = Studio(hooks={"render-001": fail, "render-000": never, "render-002": never, "sound": never})
    async with studio_open(client, studio):
        handle = await start(client)
        code, error = await failure_of(handle)
        while len(studio.cancelled) < 3:
            await asyncio.sleep(0.01)
    assert (code, error.message) == ("INVALID_SCRIPT", "the segment says no")
    assert set(studio.cancelled) == {"render-000", "render-002", "sound"}
    snapshot = await memo_of(handle)
    assert next(step for step in snapshot.steps if step.name == "render").state == "failed"
    assert snapshot.timeline[-1].status == "failed"
    assert "finalize" not in studio.ran


async def test_a_passing_failure_is_tried_again(client: Client) -> None:
    tries: list[int] = []

    async def fail_twice(_task: object) -> None:
        tries.append(activity.info().attempt)
        if len(tries) < 3:
            raise RenderFailed("ffmpeg ended with signal SIGKILL")

    async with studio_open(client, Studio(hooks={"render-001": fail_twice})):
        await (await start(client)).result()
    assert tries == [1, 2, 3]


async def test_a_lasting_failure_ends_after_five_tries(client: Client) -> None:
    tries: list[int] = []

    async def fail(_task: object) -> None:
        tries.append(activity.info().attempt)
        raise RenderFailed("ffmpeg ended with signal SIGKILL")

    async with studio_open(client, Studio(hooks={"render-001": fail})):
        code, _ = await failure_of(await start(client))
    assert code == "RENDER_FAILED"
    assert tries == [1, 2, 3, 4, 5]


async def test_a_programming_error_fails_the_job_instead_of_hanging_it(client: Client) -> None:
    async def break_the_contract(_task: object) -> None:
        raise ApplicationError("boom", non_retryable=True)  # no JobError in the details

    async with studio_open(client, Studio(hooks={"compose": break_the_contract})):
        code, error = await failure_of(await start(client))
    assert code == "INTERNAL"
    assert "boom" in error.message


async def test_cancel_closes_cancelled_and_ends_what_runs(client: Client) -> None:
    studio = Studio(hooks={"render": never, "sound": never})
    async with studio_open(client, studio):
        handle = await start(client)
        while len([name for name in studio.ran if name.startswith("render")]) < 3:
            await asyncio.sleep(0.01)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
        assert len(studio.cancelled) == 4  # it closed after they had ended, not before
    assert isinstance(caught.value.cause, CancelledError)
    assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED
    snapshot = await memo_of(handle)
    assert next(step for step in snapshot.steps if step.name == "render").state == "cancelled"


async def test_cancel_needs_no_render_worker(client: Client) -> None:
    """With the render workers dead the export closes CANCELED, never FAILED by a time-out."""
    async with studio_open(client, Studio(), queues=(EXPORTS_QUEUE,)):
        handle = await start(client)
        while (await handle.query(ExportWorkflow.status)).stage != "render":
            await asyncio.sleep(0.02)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED


async def test_a_cancel_that_meets_the_end_of_a_stage_is_not_lost(client: Client) -> None:
    """The request arrives while no orchestrator runs and the script stage has just ended."""
    studio = Studio()
    handle = await start(client)
    async with studio_open(client, studio, queues=(EXPORTS_QUEUE,)):
        while (await handle.query(ExportWorkflow.status)).stage != "render":
            await asyncio.sleep(0.02)
    await handle.cancel()
    async with studio_open(client, studio):
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED


async def test_an_export_that_does_not_end_is_ended_at_its_deadline(client: Client) -> None:
    studio = Studio(hooks={"render-001": never})
    async with studio_open(client, studio):
        code, error = await failure_of(await start(client, deadline_seconds=1.0))
        while "render-001" not in studio.cancelled:
            await asyncio.sleep(0.01)
    assert code == "DEADLINE_EXCEEDED"
    assert "deadlineSeconds (1)" in error.message


async def test_waiting_for_a_worker_never_fails_a_job(client: Client) -> None:
    """A backlog of four hours used to fail every job that waited: nothing counts the time unless the request asks."""
    studio = Studio()
    handle = await start(client)
    async with studio_open(client, studio, queues=(EXPORTS_QUEUE, CONTROL_QUEUE)):
        while (await handle.query(ExportWorkflow.status)).stage != "render":
            await asyncio.sleep(0.02)
    history = await handle.fetch_history()
    started = history.events[0].workflow_execution_started_event_attributes
    limits = started.workflow_execution_timeout, started.workflow_run_timeout
    assert [limit.ToTimedelta() for limit in limits] == [timedelta(0)] * 2
    timers = [one for one in history.events if one.event_type == EventType.EVENT_TYPE_TIMER_STARTED]
    scheduled = [one.activity_task_scheduled_event_attributes for one in history.events]
    assert timers == []
    assert {one.schedule_to_start_timeout.ToTimedelta() for one in scheduled if one.activity_id} <= {timedelta(0)}
    async with studio_open(client, studio):
        await asyncio.wait_for(handle.result(), 60)


async def test_ten_scenes_stay_small_in_history(client: Client) -> None:
    studio = Studio(scenes=10, segments=19)
    async with studio_open(client, studio):
        handle = await start(client)
        await handle.result()
    described = await handle.describe()
    assert described.history_length <= 250
    history = await handle.fetch_history()
    kinds = [event.event_type for event in history.events]
    assert kinds.count(EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED) == 10 + 19 + 4


async def test_ids_and_summaries_are_readable_in_the_temporal_ui(client: Client) -> None:
    async with studio_open(client, Studio()):
        handle = await start(client)
        await handle.result()
    summaries: dict[str, Any] = {}
    async for event in handle.fetch_history_events():
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            attributes = event.activity_task_scheduled_event_attributes
            summaries[attributes.activity_id] = event.user_metadata.HasField("summary")
            assert attributes.heartbeat_timeout.ToTimedelta() == timedelta(seconds=10)
    assert {"script", "tts-00", "render-002", "sound", "finalize"} <= set(summaries)
    assert all(summaries.values())


async def test_the_reader_follows_a_job_through_all_of_it(client: Client) -> None:
    steps = [asyncio.Event() for _ in range(2)]

    async def half(_task: object) -> None:
        activity.heartbeat(beat(0.5))
        while not steps[0].is_set():
            await asyncio.sleep(0.02)
            activity.heartbeat(beat(0.5))

    reader = JobReader(client, "http://ui")
    studio = Studio(hooks={"render-000": half})
    async with studio_open(client, studio):
        handle = await start(client)
        while True:
            job = await reader.status(handle.id)
            render = next(step for step in job.steps if step.name == "render")
            if render.detail and render.detail.frames_done == 100:
                break
            await asyncio.sleep(0.02)
        assert job.status == "running"
        assert job.progress == pytest.approx(BEFORE_RENDER + RENDER * 100 / 120, abs=0.1)
        assert job.links.temporal_ui is not None
        assert handle.id in job.links.temporal_ui
        steps[0].set()
        await handle.result()
    job = await reader.status(handle.id)
    assert (job.status, job.progress, job.attempt) == ("completed", 100.0, 1)


class LateReader(JobReader):
    """Asks the workflow only after it has closed, as it may happen between describe and query."""

    def __init__(self, client: Client, let_go: asyncio.Event) -> None:
        super().__init__(client)
        self._let_go = let_go

    async def _snapshot(
        self, handle: WorkflowHandle[Any, Any], described: WorkflowExecutionDescription, *, query: bool
    ) -> tuple[Snapshot | None, bool]:
        if query:
            self._let_go.set()
            await handle.result()
        return await super()._snapshot(handle, described, query=query)


async def test_an_end_between_describe_and_query_is_seen_whole_or_not_at_all(client: Client) -> None:
    let_go = asyncio.Event()

    async def wait(_task: object) -> None:
        await let_go.wait()

    studio = Studio(hooks={"finalize": wait})
    async with studio_open(client, studio):
        handle = await start(client)
        while "finalize" not in studio.ran:
            await asyncio.sleep(0.01)
        job = await LateReader(client, let_go).status(handle.id)
    assert (job.status, job.progress, job.output_path is not None) == ("completed", 100.0, True)


async def test_warnings_have_a_memo_of_their_own_written_when_there_are_new_ones(client: Client) -> None:
    """Every memo is in the history: what seldom changes must not be in each of them."""
    async with studio_open(client, Studio(segments=12, warnings=["scene 1 shows a card", "scene 2 shows a card"])):
        handle = await start(client)
        await handle.result()
    history = await handle.fetch_history()
    memos = [
        event.workflow_properties_modified_event_attributes.upserted_memo.fields
        for event in history.events
        if event.HasField("workflow_properties_modified_event_attributes")
    ]
    snapshots = [json.loads(memo["snapshot"].data) for memo in memos if "snapshot" in memo]
    assert len(snapshots) > 5
    assert [snapshot["warnings"] for snapshot in snapshots] == [[]] * len(snapshots)
    assert snapshots[-1]["warningsTotal"] == 2
    assert [len(json.loads(memo["warnings"].data)) for memo in memos if "warnings" in memo] == [2]
