"""The schedule that keeps the cache within its size, on the real stack."""

import asyncio

import httpx
import pytest
from temporalio.client import ScheduleActionExecutionStartWorkflow, WorkflowExecutionStatus

from picturelock.temporal.connection import connect
from picturelock.temporal.names import EVICTION_SCHEDULE
from tests.faults.stack import SMALL, Up, create, long_script, until

pytestmark = pytest.mark.slow


async def test_the_schedule_is_there_and_its_run_takes_nothing_of_a_film(up: Up, http: httpx.AsyncClient) -> None:
    job = await until(http, await create(http, {**long_script(1), "video": SMALL}), "completed")
    client = await connect(environment={"TEMPORAL_ADDRESS": str(up.described["temporal"])})
    schedule = client.get_schedule_handle(EVICTION_SCHEDULE)
    before = len((await schedule.describe()).info.recent_actions)
    await schedule.trigger()
    async with asyncio.timeout(30):
        while len(actions := (await schedule.describe()).info.recent_actions) <= before:
            await asyncio.sleep(0.1)
        execution = actions[-1].action
        assert isinstance(execution, ScheduleActionExecutionStartWorkflow)
        ran = client.get_workflow_handle(execution.workflow_id)
        evicted = await ran.result()
    assert (await ran.describe()).status is WorkflowExecutionStatus.COMPLETED
    assert evicted["forgotten"] == evicted["deleted"] == 0
    assert evicted["cachedBytes"] > 0
    assert (await http.get(str(job.output_path))).status_code == 200
