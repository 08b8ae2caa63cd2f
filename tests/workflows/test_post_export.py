"""After the end: the record in the store, and the webhook that tells of it."""

import asyncio
from collections.abc import Callable

import pytest
from standardwebhooks import Webhook, WebhookVerificationError
from temporalio import activity
from temporalio.client import Client

from picturelock.errors import InvalidScript
from picturelock.jobs.archive import Archive
from picturelock.jobs.stages import DELIVERY_WAITS_SECONDS
from picturelock.jobs.status import assemble
from picturelock.jobs.webhooks import owners_secret
from picturelock.models import DeliveryLog, ExportRequest
from picturelock.store.store import default_store
from picturelock.temporal.errors import JobNotFound
from picturelock.temporal.names import post_export_id
from picturelock.temporal.reader import JobReader
from picturelock.temporal.terminated_jobs import TerminatedRuns
from tests.fake_activities import Studio, beat
from tests.servers import FakeServer, Reply
from tests.workflows.conftest import REQUEST, Handle, beating_until, start, studio_open, until
from workflows.export import ExportWorkflow
from workflows.post_export import PostExportWorkflow

pytestmark = pytest.mark.usefixtures("no_leftovers")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
Serve = Callable[[list[Reply]], FakeServer]


@pytest.fixture(autouse=True)
def signing(fresh_settings: Callable[..., None]) -> None:
    fresh_settings(PICTURELOCK_WEBHOOK_SECRET=SECRET, PICTURELOCK_WEBHOOK_ALLOW_PRIVATE="true")


def told_at(url: str) -> ExportRequest:
    return ExportRequest.model_validate({**REQUEST.model_dump(mode="json"), "webhook": {"url": url}})


async def post_export(client: Client, handle: Handle) -> DeliveryLog | None:
    return await client.get_workflow_handle_for(PostExportWorkflow.run, post_export_id(handle.id, 1)).result()


async def test_an_owners_webhook_is_signed_with_his_own_secret(client: Client, fake_server: Serve) -> None:
    server = fake_server([Reply(204, b"")])
    async with studio_open(client, Studio()):
        handle = await start(client, told_at(f"{server.url}/hook"), owner="studio")
        await handle.result()
        await post_export(client, handle)
    [received] = server.requests
    assert Webhook(owners_secret(SECRET, "studio")).verify(received.body, received.headers)["type"] == "job-completed"
    for other in (SECRET, owners_secret(SECRET, "another")):
        with pytest.raises(WebhookVerificationError):
            Webhook(other).verify(received.body, received.headers)


async def test_the_webhook_tells_what_everybody_else_is_told_signed(client: Client, fake_server: Serve) -> None:
    server = fake_server([Reply(204, b"")])
    async with studio_open(client, Studio()):
        handle = await start(client, told_at(f"{server.url}/hook?a=1"))
        await handle.result()
        log = await post_export(client, handle)
    [received] = server.requests
    assert received.path == "/hook?a=1"
    body = Webhook(SECRET).verify(received.body, received.headers)
    status = (await JobReader(client).status(handle.id)).model_dump(mode="json")
    assert body == status | {"type": "job-completed", "timestamp": status["completedAt"], "percent": 100.0}
    assert received.headers["webhook-id"] == f"{handle.id}.1"
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(received.body + b" ", received.headers)
    assert log is not None
    assert (log.state, [one.outcome for one in log.deliveries]) == ("delivered", ["delivered"])
    assert await JobReader(client).deliveries(handle.id, 1) == [log]


async def test_a_receiver_that_fails_is_tried_for_a_day_and_the_job_never_knows(
    client: Client, fake_server: Serve
) -> None:
    server = fake_server([Reply(500, {}), Reply(302, {})])
    async with studio_open(client, Studio()):
        handle = await start(client, told_at(server.url))
        await handle.result()
        log = await post_export(client, handle)
    assert log is not None
    assert log.state == "failed"
    assert [one.status_code for one in log.deliveries] == [500] + [302] * (len(DELIVERY_WAITS_SECONDS) - 1)
    assert len({one.headers["webhook-id"] for one in server.requests}) == 1
    assert len({one.body for one in server.requests}) == 1
    assert 20 * 3600 < sum(DELIVERY_WAITS_SECONDS) <= 24 * 3600
    assert (await JobReader(client).status(handle.id)).status == "completed"


@pytest.mark.parametrize(("replies", "outcomes"), [([410], ["gone"]), ([503, 200], ["failed", "delivered"])])
async def test_gone_ends_it_and_a_recovered_receiver_is_told(
    client: Client, fake_server: Serve, replies: list[int], outcomes: list[str]
) -> None:
    server = fake_server([Reply(code, {}) for code in replies])
    async with studio_open(client, Studio()):
        handle = await start(client, told_at(server.url))
        await handle.result()
        log = await post_export(client, handle)
    assert log is not None
    assert [one.outcome for one in log.deliveries] == outcomes


async def test_a_job_that_temporal_has_forgotten_is_answered_from_the_store(client: Client) -> None:
    archive = Archive(default_store())
    reader = JobReader(client, archive=archive)
    async with studio_open(client, Studio()):
        handle = await start(client)
        await handle.result()
        await post_export(client, handle)
    kept = await archive.read(handle.id)
    assert kept is not None
    assert assemble(kept.observation) == await reader.status(handle.id)
    # The same record under an id that Temporal does not know, as after its retention.
    forgotten = kept.model_copy(update={"observation": kept.observation.model_copy(update={"job_id": "forgotten-1"})})
    await archive.write(forgotten)
    job = await reader.status("forgotten-1")
    assert job == assemble(forgotten.observation).model_copy(update={"archived": True})
    assert (job.status, job.archived, job.progress) == ("completed", True, 100)
    with pytest.raises(JobNotFound):
        await reader.status("never-was-there")


async def test_a_failed_and_a_cancelled_job_are_kept_as_well(client: Client) -> None:
    async def fail(_task: object) -> None:
        raise InvalidScript("no")

    async def never(_task: object) -> None:
        while True:
            activity.heartbeat(beat(0.5))
            await asyncio.sleep(0.05)

    archive = Archive(default_store())
    for studio, status in ((Studio(hooks={"compose": fail}), "failed"), (Studio(hooks={"render": never}), "cancelled")):
        async with studio_open(client, studio):
            handle = await start(client)
            if status == "cancelled":
                async with asyncio.timeout(20):
                    while (await handle.query(ExportWorkflow.status)).stage != "render":
                        await asyncio.sleep(0.02)
                await handle.cancel()
            await post_export_begun(client, handle)
            assert await post_export(client, handle) is None
        kept = await archive.read(handle.id)
        assert kept is not None
        assert kept.observation.run_status == status
        assert kept.request == REQUEST


async def post_export_begun(client: Client, handle: Handle) -> None:
    async with asyncio.timeout(20):
        while (await JobReader(client).status(handle.id)).status not in {"failed", "cancelled", "completed"}:
            await asyncio.sleep(0.02)


async def test_a_late_record_never_replaces_a_later_attempts(client: Client) -> None:
    archive = Archive(default_store())
    async with studio_open(client, Studio()):
        handle = await start(client)
        await handle.result()
        await post_export(client, handle)
    first = await archive.read(handle.id)
    assert first is not None
    tenth = first.model_copy(update={"observation": first.observation.model_copy(update={"attempt": 10})})
    await archive.write(tenth)
    await archive.write(first)
    assert await archive.read(handle.id) == tenth


@pytest.mark.slow
async def test_a_slow_receiver_is_one_delivery_not_many(client: Client) -> None:
    """Slower than a heartbeat time-out would allow, and quicker than a delivery's own limit."""
    called = 0

    async def answer_late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal called
        called += 1
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(11)
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer_late, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, studio_open(client, Studio()):
        handle = await start(client, told_at(f"http://127.0.0.1:{port}/"))
        await handle.result()
        log = await post_export(client, handle)
    assert log is not None
    assert ([one.outcome for one in log.deliveries], called) == (["delivered"], 1)


async def test_a_retried_jobs_old_failure_is_not_told_any_more(client: Client, fake_server: Serve) -> None:
    server = fake_server([Reply(500, {})])
    async with studio_open(client, Studio()):
        handle = await start(client, told_at(server.url), deadline_seconds=None)
        await handle.result()
        again = await start(client, job_id=handle.id, attempt=2)
        log = await post_export(client, handle)
        await again.result()
    assert log is not None
    assert [one.outcome for one in log.deliveries] == ["failed", "superseded"]


async def test_a_terminated_job_says_why_is_kept_and_told(client: Client, fake_server: Serve) -> None:
    server = fake_server([Reply(204, b"")])
    stop = asyncio.Event()
    async with studio_open(client, Studio(hooks={"render": beating_until(stop)})):
        handle = await start(client, told_at(server.url))
        reader = JobReader(client)
        await until(reader, handle.id, lambda job: job.stage == "render")
        await handle.terminate(reason="the budget is spent")
        job = await reader.status(handle.id)
        assert job.error is not None
        assert (job.status, job.error.code, job.error.retryable) == ("failed", "TERMINATED", True)
        assert job.error.message == "the execution was terminated in Temporal: the budget is spent"
        runs = TerminatedRuns(client)
        async with asyncio.timeout(60):  # Temporal's list lags behind
            while handle.id not in await runs.follow_up():
                await asyncio.sleep(0.05)
        assert handle.id not in await runs.follow_up()
        assert handle.id not in await TerminatedRuns(client).follow_up(), "by another process"
        log = await post_export(client, handle)
        stop.set()
    assert log is not None
    assert log.state == "delivered"
    body = Webhook(SECRET).verify(server.requests[0].body, server.requests[0].headers)
    assert (body["type"], body["errorMessage"]) == ("job-failed", f"Export failed: {job.error.message}")
    kept = await Archive(default_store()).read(handle.id)
    assert kept is not None
    assert assemble(kept.observation) == job
