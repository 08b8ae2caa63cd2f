"""Every line that an activity logs says which job, activity, attempt and request it is about."""

from typing import Any

import structlog
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from picturelock.temporal.names import CORRELATION_HEADER

log = structlog.get_logger()


class ActivityLogContext(ActivityInboundInterceptor):
    """Binds what an activity is to everything that is logged while it runs."""

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002, ANN401 - Temporal's signature
        """Runs the activity."""
        info = activity.info()
        carried = input.headers.get(CORRELATION_HEADER)
        correlation = activity.payload_converter().from_payload(carried, str) if carried else "-"
        with structlog.contextvars.bound_contextvars(
            job=info.workflow_id, activity=info.activity_id, attempt=info.attempt, correlation_id=correlation
        ):
            log.debug("activity begins")
            result = await super().execute_activity(input)
            log.debug("activity ended")
            return result
