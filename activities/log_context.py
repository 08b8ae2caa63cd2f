"""What an activity is about: its job and request in every line that it logs, and whose it is in all it looks up."""

from typing import Any

import structlog
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from picturelock.store.tenant import working_for
from picturelock.temporal.names import CORRELATION_HEADER, OWNER_HEADER

log = structlog.get_logger()


class ActivityLogContext(ActivityInboundInterceptor):
    """Binds what an activity is to everything that is logged, looked up and remembered while it runs."""

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002, ANN401 - Temporal's signature
        """Runs the activity."""
        info = activity.info()
        carried = input.headers.get(CORRELATION_HEADER)
        correlation = activity.payload_converter().from_payload(carried, str) if carried else "-"
        whose = input.headers.get(OWNER_HEADER)
        owner = activity.payload_converter().from_payload(whose, str) if whose else None
        fields = structlog.contextvars.bound_contextvars(
            job=info.workflow_id, activity=info.activity_id, attempt=info.attempt, correlation_id=correlation
        )
        with fields, working_for(owner):
            log.debug("activity begins")
            result = await super().execute_activity(input)
            log.debug("activity ended")
            return result
