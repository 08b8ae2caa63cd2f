"""Work that a worker does while its caller waits: a voice's sample, a plan, a still."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, TypeVar

from temporalio.client import WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy

from api.context import Context
from api.problems import PROBLEM_STATUS, RETRY_AFTER_SECONDS, Problem
from picturelock.jobs.stages import EXPORTS_QUEUE
from picturelock.models import Model
from picturelock.temporal.errors import translated
from picturelock.temporal.failure_codec import details_of

_START_SECONDS: Final = 5.0
_PATIENCE_SECONDS: Final = 5.0
"""How long a worker is waited for that may have started just now."""

_LOOK_SECONDS: Final = 0.5
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class ShortWork:
    """A workflow that ends soon. Who asks for one of the same id meanwhile waits for the same one."""

    workflow: str
    task: Model
    id: str
    what: str
    """How it is called where it is not done, such as `the plan`."""

    seconds: float = 10.0
    """How long its caller waits."""

    statuses: Mapping[str, int] = field(default_factory=dict)
    """How it answers what the work was refused for, by code, where that is not as usual."""


async def done_by_worker(work: ShortWork, result: type[Result], shared: Context) -> Result:
    """The result of short work.

    Raises:
        Problem: 503 where no worker is there or it takes too long; what the work itself was refused for.
        StateUnavailable: Temporal does not answer.
    """
    async with translated(_START_SECONDS + _PATIENCE_SECONDS):
        await _require_worker(work, shared)
        handle: Any = await shared.client.start_workflow(
            work.workflow,
            work.task,
            id=work.id,
            task_queue=EXPORTS_QUEUE,
            result_type=result,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            execution_timeout=timedelta(seconds=6 * work.seconds),
        )
    waiting = asyncio.ensure_future(handle.result())
    try:
        async with translated(work.seconds + _START_SECONDS):
            await asyncio.wait({waiting}, timeout=work.seconds)
            if not waiting.done():
                raise _not_done(work, "no worker has made it yet")
            done: Result = waiting.result()
    except WorkflowFailureError as error:
        raise _problem(work, error) from error
    finally:
        waiting.cancel()
    return done


async def _require_worker(work: ShortWork, shared: Context) -> None:
    """Raises Problem where no worker is heard of."""
    until = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
    while True:
        live_workers = await shared.services.reader.workers.read()
        if live_workers is None or EXPORTS_QUEUE in live_workers.live:
            return
        if asyncio.get_running_loop().time() > until:
            raise _not_done(work, "no worker is there to make it")
        await asyncio.sleep(_LOOK_SECONDS)


def _problem(work: ShortWork, failure: WorkflowFailureError) -> Problem:
    error = details_of(failure.cause).error
    if error is None:
        return _not_done(work, str(failure.cause))
    status = work.statuses.get(error.code) or PROBLEM_STATUS.get(error.code, 503 if error.retryable else 500)
    extra: dict[str, Any] = {"remediation": error.remediation}
    if error.field:
        extra["errors"] = [{"path": error.field, "message": error.message, "code": error.code}]
    return Problem(status, error.code, error.message, **extra)


def _not_done(work: ShortWork, reason: str) -> Problem:
    return Problem(503, "NOT_READY", f"{work.what}: {reason}", headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
