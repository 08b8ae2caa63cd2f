"""`AftermathWorkflow`: what follows an export's end. Apart from it, so that nothing here can change the job."""

from datetime import timedelta
from typing import Final

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities import contracts
    from picturelock.jobs.webhooks import DELIVERY_SECONDS, WAITS_SECONDS
    from picturelock.models import AftermathInput, Delivery, DeliveryLog, DeliveryState, Message
    from picturelock.temporal.names import AFTERMATH_WORKFLOW, DELIVERIES_MEMO
    from workflows.options import errand

_BOOKS_WITHIN: Final = timedelta(seconds=60)
_OWN_TROUBLES: Final = 500
"""Attempts at one delivery while it is we who cannot: the store is away, a secret is missing. About eight hours."""

_DELIVERY_WITHIN: Final = timedelta(seconds=DELIVERY_SECONDS + 10)


@workflow.defn(name=AFTERMATH_WORKFLOW)
class AftermathWorkflow:
    """Keeps the closed job's record in the store; then delivers its webhook, with back-off for a day."""

    @workflow.init
    def __init__(self, task: AftermathInput) -> None:
        self._task = task
        self._deliveries: list[Delivery] = []

    @workflow.run
    async def run(self, task: AftermathInput) -> DeliveryLog | None:
        """The log of the deliveries, if there was a webhook."""
        message = await workflow.execute_activity(
            contracts.CLOSE_BOOKS,
            task,
            result_type=Message,
            summary="keep the record",
            **errand(_BOOKS_WITHIN, beats=True),
        )
        if task.webhook_url is None:
            return None
        for number, wait in enumerate(WAITS_SECONDS, start=1):
            self._tell("delivering", wait)
            await workflow.sleep(wait)
            delivery = await self._deliver(task.webhook_url, message, number)
            self._deliveries.append(delivery)
            if delivery.outcome != "failed":
                break
        return self._tell("delivered" if self._deliveries[-1].outcome == "delivered" else "failed")

    async def _deliver(self, url: str, message: Message, number: int) -> Delivery:
        task = contracts.DeliveryTask(
            job_id=self._task.job_id, attempt=self._task.attempt, url=url, message=message, number=number
        )
        delivery: Delivery = await workflow.execute_activity(
            contracts.DELIVER_WEBHOOK,
            task,
            result_type=Delivery,
            summary=f"delivery {number}",
            **errand(_DELIVERY_WITHIN, attempts=_OWN_TROUBLES),
        )
        return delivery

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
                f"- {one.at:%d %b %H:%M:%S} UTC: {one.outcome} {one.status_code or ''} {one.message}"
                for one in self._deliveries
            )
            or "No delivery yet."
        )
        return log
