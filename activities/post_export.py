"""What follows an export's end: its record is kept in the store, and who asked for it is told."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.decorators import control_activity
from picturelock.jobs.archive import Archive
from picturelock.jobs.status import assemble, event_data, event_name
from picturelock.jobs.webhooks import WebhookSender, owners_secret
from picturelock.models import ArchivedJob, Delivery, Message, PostExportInput
from picturelock.settings import settings
from picturelock.store.store import default_store
from picturelock.temporal.contracts import ARCHIVE_JOB, DELIVER_WEBHOOK, DeliveryTask
from picturelock.temporal.reader import JobReader

_LOOK_SECONDS: Final = 0.1
_LOOKS: Final = 50
"""The run closes in the very next workflow task; after so many looks the attempt ends and another one comes later."""


@control_activity(ARCHIVE_JOB)
async def archive_job(task: PostExportInput) -> Message:
    """Waits until the run is closed, keeps its last observation, and writes down what a webhook will say."""
    configured, store = settings(), default_store()
    reader = JobReader(activity.client(), configured.temporal_ui_url)
    observation = await reader.observe(task.job_id, task.run_id)
    for _ in range(_LOOKS):
        if observation.run_status != "open":
            break
        activity.heartbeat()
        await asyncio.sleep(_LOOK_SECONDS)
        observation = await reader.observe(task.job_id, task.run_id)
    else:
        raise ApplicationError("the run is still open", type="STILL_OPEN", next_retry_delay=timedelta(seconds=5))
    started, memo = await reader.started_with(task.job_id, task.run_id)
    await Archive(store).write(ArchivedJob(observation=observation, request=started.request, digest=memo.digest))
    job = assemble(observation)
    body = {"type": event_name(job), "timestamp": job.model_dump(mode="json")["completedAt"], **event_data(job)}
    stored = await store.put_bytes(json.dumps(body, ensure_ascii=False).encode(), "application/json")
    return Message(body=stored, owner=started.owner)


@control_activity(DELIVER_WEBHOOK)
async def deliver_webhook(task: DeliveryTask) -> Delivery:
    """One delivery. A receiver's refusal is a result; only our own troubles are tried again by Temporal."""
    configured = settings()
    if configured.webhook_secret is None:
        raise ApplicationError("this worker has no PICTURELOCK_WEBHOOK_SECRET to sign with", type="NOT_OFFERED")
    secret = owners_secret(configured.webhook_secret.get_secret_value(), task.message.owner)
    sender = WebhookSender(secret, configured.webhook_allow_private)
    if task.number > 1 and (await JobReader(activity.client()).observe(task.job_id)).attempt > task.attempt:
        # Hours later nobody wants to hear that an attempt failed which another one has followed.
        return Delivery(number=task.number, at=datetime.now(UTC), seconds=0, outcome="superseded")
    body = await default_store().read(task.message.body)
    return await sender.deliver(task.url, body, f"{task.job_id}.{task.attempt}", task.number)
