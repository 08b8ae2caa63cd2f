"""A line at each start and end of a job, and the correlation id of its request with all the work that it schedules."""

import asyncio
from collections.abc import Mapping
from typing import Any

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.exceptions import ApplicationError
from temporalio.worker import (
    ExecuteWorkflowInput,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowOutboundInterceptor,
)

with workflow.unsafe.imports_passed_through():
    import structlog

    from picturelock.models import ExportInput
    from picturelock.temporal.names import CORRELATION_HEADER, OWNER_HEADER

log = structlog.get_logger()


class WorkflowLogContext(WorkflowInboundInterceptor):
    """Has a job's start and end logged, and hands its correlation id and owner to all the work that it schedules."""

    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        """Puts the carrier of both in the way out."""
        self._carrier = _Carrier(outbound)
        super().init(self._carrier)

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:  # noqa: A002, ANN401 - Temporal's signature
        """Runs the workflow."""
        started = input.args[0] if input.args else None
        self._carrier.headers = {
            name: input.headers[name] for name in (CORRELATION_HEADER, OWNER_HEADER) if name in input.headers
        }
        if not isinstance(started, ExportInput):
            return await super().execute_workflow(input)
        convert = workflow.payload_converter().to_payload
        self._carrier.headers = {CORRELATION_HEADER: convert(started.correlation_id)}
        if started.owner is not None:
            self._carrier.headers[OWNER_HEADER] = convert(started.owner)
        fields = {
            "job": workflow.info().workflow_id,
            "attempt": started.attempt,
            "correlation_id": started.correlation_id,
        }
        _say("job begins", **fields)
        try:
            result = await super().execute_workflow(input)
        except asyncio.CancelledError:
            _say("job ended", status="cancelled", **fields)
            raise
        except ApplicationError as error:
            _say("job ended", status="failed", code=error.type, reason=error.message, **fields)
            raise
        _say("job ended", status="completed", **fields)
        return result


class _Carrier(WorkflowOutboundInterceptor):
    """Sends the correlation id and the owner along."""

    def __init__(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().__init__(outbound)
        self.headers: dict[str, Payload] = {}

    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:  # noqa: A002
        input.headers = self._with(input.headers)
        return super().start_activity(input)

    def start_local_activity(self, input: StartLocalActivityInput) -> workflow.ActivityHandle[Any]:  # noqa: A002
        input.headers = self._with(input.headers)
        return super().start_local_activity(input)

    async def start_child_workflow(self, input: StartChildWorkflowInput) -> workflow.ChildWorkflowHandle[Any, Any]:  # noqa: A002
        input.headers = self._with(input.headers)
        return await super().start_child_workflow(input)

    def _with(self, headers: Mapping[str, Payload]) -> Mapping[str, Payload]:
        return {**headers, **self.headers}


def _say(event: str, **facts: Any) -> None:  # noqa: ANN401 - what a line tells
    """Logs what happens, and not what is told again by a history."""
    if not workflow.unsafe.is_replaying():
        log.info(event, **facts)
