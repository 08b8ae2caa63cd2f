"""What an activity tells Temporal when it fails: what, how far it was, and whether it is worth trying again."""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.decorators import stage_activity
from activities.heartbeat import HeartbeatReporter
from picturelock.errors import RenderFailed, StoreUnavailable
from picturelock.jobs import stages
from picturelock.models import CachedResult, ExportRequest, Heartbeat
from picturelock.temporal.contracts import Activity, ScriptTask
from tests.activities.test_activities import error_of


@pytest.fixture
def environment() -> ActivityEnvironment:
    return ActivityEnvironment()


def failing(error: Exception) -> Any:
    @stage_activity(Activity("fails", ScriptTask, CachedResult, "render", "render"))
    async def work(_task: ScriptTask, heartbeat: HeartbeatReporter) -> CachedResult:
        heartbeat.advance(0.4, "Rendering")
        raise error

    return work


async def failure(
    environment: ActivityEnvironment, error: Exception, attempt: int, *beats: Heartbeat
) -> ApplicationError:
    environment.info = dataclasses.replace(
        ActivityEnvironment.default_info(), attempt=attempt, heartbeat_details=list(beats)
    )
    task = ScriptTask(request=ExportRequest.model_validate({"brief": {"topic": "The sea rises. It falls again."}}))
    with pytest.raises(ApplicationError) as caught:
        await environment.run(failing(error), task)
    return caught.value


async def test_an_outage_spends_no_attempt(environment: ActivityEnvironment) -> None:
    away = StoreUnavailable("the store is away")
    beats: list[Heartbeat] = []
    environment.on_heartbeat = beats.append
    for attempt in range(1, 11):
        told = await failure(environment, away, attempt, *beats[-1:])
        assert not told.non_retryable
        assert told.next_retry_delay == timedelta(seconds=min(30, 2 ** (attempt - 1)))
    for attempt in range(11, 15):
        told = await failure(environment, RenderFailed("broken"), attempt, beats[-1])
        assert (told.non_retryable, told.next_retry_delay) == (False, None)
    assert (await failure(environment, RenderFailed("broken"), 15, beats[-1])).non_retryable, "the fifth that counts"


async def test_a_success_knows_why_the_attempts_before_it_ended(environment: ActivityEnvironment) -> None:
    beats: list[Heartbeat] = []
    environment.on_heartbeat = beats.append
    for attempt, reason in enumerate(["first", "second", "third", "f" * 500], start=1):
        await failure(environment, RenderFailed(reason), attempt, *beats[-1:])
    assert await failures_told(environment, 5, beats[-1]) == ["second", "third", "f" * 150]
    lost = Heartbeat(last_advance_at=datetime.now(UTC), stall_after_seconds=30, begun=2, failed=1, failures=["first"])
    assert await failures_told(environment, 3, lost) == ["first", "its worker was not heard of any more"]
    assert await failures_told(environment, 1) == []


async def failures_told(environment: ActivityEnvironment, attempt: int, *beats: Heartbeat) -> list[str]:
    """What the result of a good attempt says of those before it."""

    @stage_activity(Activity("works", ScriptTask, CachedResult, "render", "render"))
    async def work(_task: ScriptTask, heartbeat: HeartbeatReporter) -> CachedResult:
        return CachedResult()

    environment.info = dataclasses.replace(
        ActivityEnvironment.default_info(), attempt=attempt, heartbeat_details=list(beats)
    )
    task = ScriptTask(request=ExportRequest.model_validate({"brief": {"topic": "The sea rises. It falls again."}}))
    made = await environment.run(work, task)
    assert made.attempt == attempt
    return made.failures


async def test_an_outage_is_not_waited_for_without_end(environment: ActivityEnvironment) -> None:
    for waited, last in [(stages.OUTAGE_ATTEMPTS - 2, False), (stages.OUTAGE_ATTEMPTS - 1, True)]:
        beat = Heartbeat(last_advance_at=datetime.now(UTC), stall_after_seconds=30, waited=waited)
        told = await failure(environment, StoreUnavailable("the store is away"), waited + 1, beat)
        assert (told.type, told.non_retryable) == ("STORE_UNAVAILABLE", last)


async def test_work_whose_attempts_end_without_a_word_is_given_up(environment: ActivityEnvironment) -> None:
    beat = Heartbeat(last_advance_at=datetime.now(UTC), stall_after_seconds=30, begun=5)
    told = await failure(environment, RenderFailed("not reached"), 6, beat)
    assert (told.type, told.non_retryable) == ("WORKER_LOST", True)
    assert error_of(told).retryable  # the job may be tried again


async def test_attempts_that_nobody_began_do_not_count(environment: ActivityEnvironment) -> None:
    """A frozen worker was given them, or one of another version refused them."""
    told = await failure(environment, RenderFailed("broken"), 500)
    assert (told.type, told.non_retryable) == ("RENDER_FAILED", False)


async def test_a_failure_is_small_enough_for_a_server_to_show(environment: ActivityEnvironment) -> None:
    error = RenderFailed("ffmpeg: " + "日" * 3_000, detail="x" * 20_000 + " the end")
    told = await failure(environment, error, 1)
    assert told.__cause__ is None
    proto = Failure()
    await pydantic_data_converter.encode_failure(told, proto)
    assert proto.ByteSize() < 3_500
    assert error_of(told).message.startswith("ffmpeg: 日")
    assert (error_of(told).detail or "").endswith(" the end")
