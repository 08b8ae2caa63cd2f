"""`EvictionWorkflow`: started by a schedule, it keeps the cache within its size."""

from datetime import timedelta
from typing import Final

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities import contracts
    from picturelock.store.eviction import Eviction
    from picturelock.temporal.names import EVICTION_WORKFLOW
    from workflows.options import errand

_WITHIN: Final = timedelta(hours=1)
_ATTEMPTS: Final = 3


@workflow.defn(name=EVICTION_WORKFLOW)
class EvictionWorkflow:
    """One run; the next one is the schedule's."""

    @workflow.run
    async def run(self) -> Eviction:
        """What was evicted."""
        done: Eviction = await workflow.execute_activity(
            contracts.EVICT_CACHE,
            result_type=Eviction,
            summary="evict",
            **errand(_WITHIN, beats=True, attempts=_ATTEMPTS),
        )
        return done
