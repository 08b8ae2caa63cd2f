"""How an export runs the activities of its stages: so many at once, none while paused, all noted in its record."""

import asyncio
from collections.abc import Collection, Coroutine, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from picturelock.models import CachedResult, StageName
    from picturelock.temporal.contracts import READ_FRACTIONS, Activity, Fractions, NoTask
    from workflows.cancellation import cancel_and_wait, wait_for_end
    from workflows.failures import fraction_reached, is_cancelled
    from workflows.job_record import JobRecord
    from workflows.scheduling import stage_options, start

Task = TypeVar("Task")
Result = TypeVar("Result", bound=CachedResult)
Item = TypeVar("Item")

MAX_IN_FLIGHT: Final = 200
"""Pending activities at once; Temporal allows 2,000 and describe carries every one of them."""

_READ_WITHIN: Final = timedelta(seconds=2)
"""How long a job that is being cancelled waits to learn how far it was."""


class StageActivities:
    """The activities of one export.

    Example:
        activities = StageActivities(record)
        written = await activities.run(WRITE_SCRIPT, ScriptTask(request=request), "script")
    """

    def __init__(self, record: JobRecord) -> None:
        self._record = record
        self._slots = asyncio.Semaphore(MAX_IN_FLIGHT)
        self._begun: dict[str, workflow.ActivityHandle[Any]] = {}
        self._withdrawn: set[str] = set()

    async def run(
        self,
        contract: Activity[Task, Result],
        task: Task,
        activity_id: str,
        *,
        units: int = 1,
        seconds: float = 0.0,
        urgency: int = 0,
    ) -> Result:
        """Runs one activity under a readable id and takes note of its beginning and its end.

        It counts for `units` of its step, and may take as long as the stage table allows for `seconds` of film.
        """
        step = _stage(contract)
        options = stage_options(contract, seconds, urgency=urgency)
        async with self._slots:
            await workflow.wait_condition(lambda: not self._record.pause_requested)
            self._record.scheduled(step, activity_id, units)
            handle = start(contract, task, options, summary=activity_id, activity_id=activity_id)
            self._begun[activity_id] = handle
            try:
                result = await handle
            except ActivityError as error:
                reached = fraction_reached(error)
                if not self._is_withdrawn(activity_id, error):
                    if not is_cancelled(error):
                        self._record.fail(activity_id)
                    if reached > 0:
                        self._record.reached(activity_id, reached)
                    raise
                self._record.withdraw(step, activity_id, reached)
            else:
                self._record.finished(step, activity_id, result)
                return result
            finally:
                del self._begun[activity_id]
                self._withdrawn.discard(activity_id)
        return await self.run(contract, task, activity_id, units=units, seconds=seconds, urgency=urgency)

    async def run_all(
        self, runs: list[Coroutine[Any, Any, Item]], *, beside: Sequence[asyncio.Task[Any]] = ()
    ) -> list[Item]:
        """The results in order. The first failure, of a run or of a task beside them, cancels the others."""
        tasks = [asyncio.create_task(run) for run in runs]
        watched: list[asyncio.Task[Any]] = [*tasks, *beside]
        try:
            await workflow.wait(watched, return_when=asyncio.FIRST_EXCEPTION)
            for task in watched:  # a list: the order of what is done here is part of the history
                if task.done():
                    task.result()
            return [task.result() for task in tasks]
        except asyncio.CancelledError:
            await cancel_and_wait(watched)  # whoever cancels takes note of how far they were
            raise
        except Exception:
            with suppress(asyncio.CancelledError):
                await self.cancel(watched)
            raise

    async def withdraw(self, activity_ids: list[str]) -> None:
        """Cancels what waits for a worker, on a server that cannot pause it; it is scheduled again after the pause."""
        waiting = {activity_id: self._begun[activity_id] for activity_id in activity_ids if activity_id in self._begun}
        self._withdrawn |= waiting.keys()
        for handle in waiting.values():
            handle.cancel()
        if waiting:
            await wait_for_end(list(waiting.values()))

    async def cancel(self, work: Collection[asyncio.Task[Any]]) -> None:
        """Cancels work and waits a moment for it; takes note of how far it was, so that nothing shown is taken back."""
        await self._note_fractions()
        await cancel_and_wait(work)
        if not all(task.done() for task in work):  # what does not end has gone on meanwhile, and viewers have seen it
            await self._note_fractions()

    async def _note_fractions(self) -> None:
        """Takes note of how far the running activities are, before they are cancelled and Temporal forgets it."""
        try:
            read: Fractions = await workflow.execute_local_activity(
                READ_FRACTIONS.name, NoTask(), result_type=READ_FRACTIONS.result, schedule_to_close_timeout=_READ_WITHIN
            )
        except ActivityError:
            read = Fractions()  # what is known stays; the end must not wait for the rest
        self._record.cancel(read.fractions)

    def _is_withdrawn(self, activity_id: str, error: ActivityError) -> bool:
        """Whether an activity was only withdrawn, and the work as a whole is still wanted."""
        task = asyncio.current_task()
        return activity_id in self._withdrawn and is_cancelled(error) and not (task and task.cancelling())


def _stage(contract: Activity[Task, Result]) -> StageName:
    if contract.stage is None:
        raise TypeError(f"{contract.name} belongs to no stage")
    return contract.stage
