"""`EvictionWorkflow`: started by a schedule, it keeps the cache within its size."""

from datetime import timedelta
from typing import Final

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from picturelock.models import Eviction
    from picturelock.temporal.contracts import EVICT_CACHE, NoTask
    from picturelock.temporal.names import EVICTION_WORKFLOW
    from workflows.scheduling import control_options, execute

_OPTIONS: Final = control_options(timedelta(hours=1), heartbeats=True, attempts=3)


@workflow.defn(name=EVICTION_WORKFLOW)
class EvictionWorkflow:
    """One run; the next one is the schedule's."""

    @workflow.run
    async def run(self) -> Eviction:
        """What was evicted."""
        return await execute(EVICT_CACHE, NoTask(), _OPTIONS, summary="evict")
