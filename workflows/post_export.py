"""`PostExportWorkflow`: what follows an export's end. Apart from it, so that nothing here can change the job."""

from datetime import timedelta
from typing import Final

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from picturelock.jobs.stages import DELIVERY_SECONDS, DELIVERY_WAITS_SECONDS
    from picturelock.models import Delivery, DeliveryLog, DeliveryState, Message, PostExportInput
    from picturelock.temporal.contracts import ARCHIVE_JOB, DELIVER_WEBHOOK, DeliveryTask
    from picturelock.temporal.names import DELIVERIES_MEMO, POST_EXPORT_WORKFLOW
    from workflows.scheduling import control_options, execute

_ARCHIVE_OPTIONS: Final = control_options(timedelta(seconds=60), heartbeats=True)
_DELIVERY_OPTIONS: Final = control_options(timedelta(seconds=DELIVERY_SECONDS + 10), attempts=500)
"""A receiver's refusal is a result of an attempt; these attempts are for our own troubles, such as a store that is away
or a secret that is missing. They last for about eight hours."""


@workflow.defn(name=POST_EXPORT_WORKFLOW)
class PostExportWorkflow:
    """Keeps the closed job's record in the store; then delivers its webhook, with back-off for a day."""

    @workflow.init
    def __init__(self, task: PostExportInput) -> None:
        self._task = task
        self._deliveries: list[Delivery] = []

    @workflow.run
    async def run(self, task: PostExportInput) -> DeliveryLog | None:
        """The log of the deliveries, if there was a webhook."""
        message = await execute(ARCHIVE_JOB, task, _ARCHIVE_OPTIONS, summary="archive the job")
        if task.webhook_url is None:
            return None
        for number, wait in enumerate(DELIVERY_WAITS_SECONDS, start=1):
            self._tell("delivering", wait)
            await workflow.sleep(wait)
            delivery = await self._deliver(task.webhook_url, message, number)
            self._deliveries.append(delivery)
            if delivery.outcome != "failed":
                break
        return self._tell("delivered" if self._deliveries[-1].outcome == "delivered" else "failed")

    async def _deliver(self, url: str, message: Message, number: int) -> Delivery:
        task = DeliveryTask(
            job_id=self._task.job_id, attempt=self._task.attempt, url=url, message=message, number=number
        )
        return await execute(DELIVER_WEBHOOK, task, _DELIVERY_OPTIONS, summary=f"delivery {number}")

    def _tell(self, state: DeliveryState, wait: float | None = None) -> DeliveryLog:
        """Writes the log into the memo, where it can be read without any worker."""
        log = DeliveryLog(
            url=self._task.webhook_url or "",
            attempt=self._task.attempt,
            state=state,
            deliveries=self._deliveries,
            next_at=None if wait is None else workflow.now() + timedelta(seconds=wait),
        )
        workflow.upsert_memo({DELIVERIES_MEMO: log})
        workflow.set_current_details(
            "\n".join(
                f"- {entry.at:%d %b %H:%M:%S} UTC: {entry.outcome} {entry.status_code or ''} {entry.message}"
                for entry in self._deliveries
            )
            or "No delivery yet."
        )
        return log
