"""The contract, over a real socket."""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from httpx_sse import EventSource, ServerSentEvent, aconnect_sse
from temporalio import activity
from temporalio.testing import WorkflowEnvironment

from picturelock.errors import InvalidScript, RenderFailed
from picturelock.models import JobStatus
from tests.fake_activities import Studio, beat

pytestmark = pytest.mark.usefixtures("no_leftovers")
OpenStudio = Callable[[Studio], Awaitable[None]]
SCRIPT = {"script": {"scenes": [{"narration": "Hello there."}]}}


async def create(http: httpx.AsyncClient, **headers: str) -> str:
    response = await http.post("/api/jobs", json=SCRIPT, headers=headers)
    assert response.status_code == 202, response.text
    return str(response.json()["jobId"])


async def all_events(http: httpx.AsyncClient, job_id: str, **headers: str) -> list[ServerSentEvent]:
    async with aconnect_sse(http, "GET", f"/api/jobs/{job_id}/events", headers=headers) as source:
        return [event async for event in source.aiter_sse()]


async def until(http: httpx.AsyncClient, job_id: str, holds: Callable[[JobStatus], bool]) -> JobStatus:
    async with asyncio.timeout(30):
        while True:
            job = JobStatus.model_validate((await http.get(f"/api/jobs/{job_id}")).json())
            if holds(job):
                return job
            await asyncio.sleep(0.02)


async def test_a_job_is_accepted_with_its_links(http: httpx.AsyncClient) -> None:
    response = await http.post("/api/jobs", json=SCRIPT, headers={"X-Correlation-ID": "abc-1"})
    body = response.json()
    assert response.status_code == 202
    assert response.headers["location"] == f"/api/jobs/{body['jobId']}" == body["links"]["self"]
    assert (body["status"], body["stage"], body["correlationId"]) == ("queued", "queued", "abc-1")
    assert response.headers["x-correlation-id"] == "abc-1"
    await http.post(f"/api/jobs/{body['jobId']}/cancel")


async def test_the_stream_acknowledges_first_and_ends_with_the_one_terminal_event(
    http: httpx.AsyncClient, studio: OpenStudio
) -> None:
    await studio(Studio())
    events = await all_events(http, await create(http))
    names = [event.event for event in events]
    assert names[:2] == ["connected", "job-progress"]
    assert names[-1] == "job-completed"
    assert sum(name in {"job-completed", "job-failed", "job-cancelled"} for name in names) == 1
    assert set(names) <= {"connected", "job-progress", "step-status", "heartbeat", "warning", "job-completed"}
    percents = [json.loads(event.data)["percent"] for event in events if event.event.startswith("job-")]
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert all(percent < 100 for percent in percents[:-1])
    assert all(event.id for event in events if event.event.startswith(("job-", "step-")))


async def test_the_streams_headers_forbid_buffering_and_compression(
    http: httpx.AsyncClient, studio: OpenStudio
) -> None:
    await studio(Studio())
    job_id = await create(http)
    async with http.stream("GET", f"/api/jobs/{job_id}/events", headers={"Accept-Encoding": "gzip, br"}) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-cache, no-transform"
        assert response.headers["x-accel-buffering"] == "no"
        assert "content-encoding" not in response.headers
        assert (await anext(EventSource(response).aiter_sse())).event == "connected"


async def test_a_stream_on_a_finished_job_says_so_and_a_told_browser_stops(
    http: httpx.AsyncClient, studio: OpenStudio
) -> None:
    await studio(Studio())
    job_id = await create(http)
    last = (await all_events(http, job_id))[-1]
    assert [event.event for event in await all_events(http, job_id)] == ["connected", "job-completed"]
    for again in (
        await http.get(f"/api/jobs/{job_id}/events", headers={"Last-Event-ID": last.id}),
        await http.get(f"/api/jobs/{job_id}/events", params={"lastEventId": last.id}),
    ):
        assert again.status_code == 204
    early = await all_events(http, job_id, **{"Last-Event-ID": "1.8.920"})
    assert [event.event for event in early] == ["connected", "step-status", "step-status", "job-completed"]


async def test_an_unknown_job_is_a_plain_404_everywhere(http: httpx.AsyncClient) -> None:
    for method, path in [
        ("GET", ""),
        ("POST", "/cancel"),
        ("GET", "/output"),
        ("GET", "/artifacts/poster.jpg"),
    ]:
        assert_is_not_found(await http.request(method, f"/api/jobs/no-such-job{path}"))


async def test_a_stream_on_an_unknown_job_is_a_404_or_where_temporal_is_slow_says_so_and_ends(
    http: httpx.AsyncClient,
) -> None:
    for _ in range(20):  # acknowledged after 80 ms: a busy machine may take longer to ask Temporal, but not for ever
        response = await http.get("/api/jobs/no-such-job/events")
        if response.status_code == 404:
            return assert_is_not_found(response)
        assert [line for line in response.text.splitlines() if line.startswith("event:")] == [
            "event: connected",
            "event: job-not-found",
        ]
    pytest.fail("an unknown job's stream was never a plain 404")


def assert_is_not_found(response: httpx.Response) -> None:
    """One problem with a code, and an id to ask about it."""
    assert response.status_code == 404, response.url
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "JOB_NOT_FOUND"
    assert response.json()["correlationId"] == response.headers["x-correlation-id"]


@pytest.mark.slow
async def test_3_connecting_right_after_post_always_finds_the_job(http: httpx.AsyncClient) -> None:
    """Five hundred times, ten at a time."""

    async def connect_right_after_post() -> None:
        for _ in range(50):
            job_id = await create(http)
            async with aconnect_sse(http, "GET", f"/api/jobs/{job_id}/events") as source:
                assert source.response.status_code == 200
                told = source.aiter_sse()
                assert [(await anext(told)).event, (await anext(told)).event[:4]] == ["connected", "job-"]

    await asyncio.gather(*(connect_right_after_post() for _ in range(10)))


def rendered_but_one_half(job: JobStatus) -> bool:
    detail = job.steps[3].detail
    return detail is not None and (detail.frames_done, detail.items_done) == (100, 3)


async def test_one_truth_on_every_surface(http: httpx.AsyncClient, studio: OpenStudio) -> None:
    go_on = asyncio.Event()

    async def half(_task: Any) -> None:
        while not go_on.is_set():
            activity.heartbeat(beat(0.5))
            await asyncio.sleep(0.02)

    await studio(Studio(hooks={"render-000": half}))
    job_id = await create(http)
    job = await until(http, job_id, rendered_but_one_half)
    listed = [row for row in (await http.get("/api/jobs", params={"limit": 50})).json()["jobs"] if row["id"] == job_id]
    async with aconnect_sse(http, "GET", f"/api/jobs/{job_id}/events") as source:
        stream = source.aiter_sse()
        assert (await anext(stream)).event == "connected"
        told = json.loads((await anext(stream)).data)
    ignored = {"etaSeconds"}
    for other in (listed[0], told):
        assert {k: v for k, v in other.items() if k not in ignored} == {
            k: v for k, v in job.model_dump(mode="json").items() if k not in ignored
        }
    go_on.set()
    await until(http, job_id, lambda one: one.status == "completed")


async def test_polling_with_etags_and_waiting(http: httpx.AsyncClient, studio: OpenStudio) -> None:
    gate = asyncio.Event()

    async def wait(_task: Any) -> None:
        await gate.wait()

    await studio(Studio(hooks={"compose": wait}))
    job_id = await create(http)
    await until(http, job_id, lambda one: one.stage == "composition" and one.steps[2].detail is not None)
    first = await http.get(f"/api/jobs/{job_id}")
    assert first.headers["retry-after"] == "1"
    tag = first.headers["etag"]
    assert (await http.get(f"/api/jobs/{job_id}", headers={"If-None-Match": tag})).status_code == 304
    waiting = asyncio.create_task(http.get(f"/api/jobs/{job_id}", params={"wait": 20}, headers={"If-None-Match": tag}))
    await asyncio.sleep(0)
    gate.set()
    changed = await waiting
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag
    done = await until(http, job_id, lambda one: one.status == "completed")
    final = await http.get(f"/api/jobs/{job_id}", params={"wait": 20}, headers={"If-None-Match": "whatever"})
    assert "retry-after" not in final.headers
    assert done.progress == 100


async def test_a_failure_is_told_with_code_stage_and_remedy(http: httpx.AsyncClient, studio: OpenStudio) -> None:
    async def fail(_task: Any) -> None:
        error = RenderFailed("ffmpeg ended with exit code 1", detail="Invalid data")
        raise type("Final", (RenderFailed,), {"retryable": False})(error.message, detail=error.detail)

    await studio(Studio(hooks={"render-001": fail}))
    job_id = await create(http)
    events = await all_events(http, job_id)
    assert events[-1].event == "job-failed"
    error = json.loads(events[-1].data)["error"]
    assert (error["code"], error["detail"]) == ("RENDER_FAILED", "Invalid data")
    assert error["remediation"]
    refused = await http.post(f"/api/jobs/{job_id}/cancel")
    assert (refused.status_code, refused.json()["jobStatus"]) == (409, "failed")
    output = await http.get(f"/api/jobs/{job_id}/output")
    assert (output.status_code, output.json()["code"]) == (409, "NOT_COMPLETED")


async def test_cancel_is_visible_and_may_be_asked_twice(http: httpx.AsyncClient, studio: OpenStudio) -> None:
    async def never(_task: Any) -> None:
        while True:
            activity.heartbeat(beat(0.1))
            await asyncio.sleep(0.05)

    fake = Studio(hooks={"render": never, "sound": never})
    await studio(fake)
    job_id = await create(http)
    await until(http, job_id, lambda one: one.stage == "render")
    watching = asyncio.create_task(all_events(http, job_id))
    assert (await http.post(f"/api/jobs/{job_id}/cancel")).status_code == 202
    assert (await watching)[-1].event == "job-cancelled"
    assert (await http.post(f"/api/jobs/{job_id}/cancel")).status_code == 202
    job = await until(http, job_id, lambda one: one.status == "cancelled")
    assert job.cancel_requested
    assert job.output_path is None


async def test_a_retry_keeps_the_id_and_begins_anew(http: httpx.AsyncClient, studio: OpenStudio) -> None:
    broken = True

    async def fail(_task: Any) -> None:
        if broken:
            raise InvalidScript("not yet")

    await studio(Studio(hooks={"render-001": fail}))
    job_id = await create(http, **{"X-Correlation-ID": "kept"})
    first = await all_events(http, job_id)
    assert first[-1].event == "job-failed"
    broken = False
    answer = await http.post(f"/api/jobs/{job_id}/retry")
    assert answer.status_code == 202
    assert (answer.json()["id"], answer.json()["attempt"], answer.json()["correlationId"]) == (job_id, 2, "kept")
    events = await all_events(http, job_id, **{"Last-Event-ID": first[-1].id})
    assert (events[0].event, events[-1].event) == ("connected", "job-completed")
    assert events[-1].id.startswith("2.")
    job = await until(http, job_id, lambda one: one.status == "completed")
    assert (job.attempt, job.error) == (2, None)
    ended: list[str] = []
    while job_id not in ended:  # Temporal's list follows a moment later; a run that moves in it would be met twice
        page = (await http.get("/api/jobs", params={"limit": 50, "status": "completed"})).json()
        ended = [row["id"] for row in page["jobs"]]
    rows, cursor = [], None
    while cursor != "":  # once in the list, at its newest run's place
        page = (await http.get("/api/jobs", params={"limit": 1, **({"cursor": cursor} if cursor else {})})).json()
        rows += [row["attempt"] for row in page["jobs"] if row["id"] == job_id]
        cursor = page["nextCursor"] or ""
    assert rows == [2]
    refused = await http.post(f"/api/jobs/{job_id}/retry")
    assert (refused.status_code, refused.json()["code"]) == (409, "NOT_RETRYABLE")
    assert (await http.post("/api/jobs/no-such-job/retry")).status_code == 404


@pytest.mark.slow
async def test_without_a_worker_the_truth_is_quick_and_cancel_is_remembered(http: httpx.AsyncClient) -> None:
    job_id = await create(http)
    job = await until(http, job_id, lambda one: not one.worker_available)
    assert (job.status, job.stage) == ("queued", "queued")
    started = asyncio.get_running_loop().time()
    await http.get(f"/api/jobs/{job_id}")
    assert asyncio.get_running_loop().time() - started < 2
    cancelled = await http.post(f"/api/jobs/{job_id}/cancel")
    assert cancelled.json()["cancelRequested"]


async def test_an_execution_that_is_none_of_ours_breaks_nothing(
    http: httpx.AsyncClient, temporal: WorkflowEnvironment
) -> None:
    await temporal.client.start_workflow("ExportWorkflow", {}, id="handmade-0001", task_queue="exports")
    assert (await http.get("/api/jobs/handmade-0001")).status_code == 404
    listing = await http.get("/api/jobs")
    assert listing.status_code == 200
    assert "handmade-0001" not in [row["id"] for row in listing.json()["jobs"]]


@pytest.mark.slow
async def test_one_key_makes_one_job(http: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "order-77"}
    answers = await asyncio.gather(*(http.post("/api/jobs", json=SCRIPT, headers=headers) for _ in range(100)))
    assert sorted(one.status_code for one in answers) == [200] * 99 + [202]
    assert len({one.json()["jobId"] for one in answers}) == 1
    other = await http.post("/api/jobs", json={"brief": {"topic": "tides"}}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "IDEMPOTENCY_CONFLICT")
    said_otherwise = {"metadata": {}, "captions": {"burnIn": True}, **SCRIPT}
    assert (await http.post("/api/jobs", json=said_otherwise, headers=headers)).status_code == 200
    await http.post(f"/api/jobs/{answers[0].json()['jobId']}/cancel")


async def test_a_key_of_a_job_that_has_ended_starts_no_other(http: httpx.AsyncClient, studio: OpenStudio) -> None:
    await studio(Studio())
    headers = {"Idempotency-Key": f"ended-{uuid.uuid4().hex}"}
    first = (await http.post("/api/jobs", json=SCRIPT, headers=headers)).json()["jobId"]
    done = await until(http, first, lambda one: one.status == "completed")
    again = await http.post("/api/jobs", json=SCRIPT, headers=headers)
    assert (again.status_code, again.json()["jobId"], again.json()["status"]) == (200, first, "completed")
    assert (await until(http, first, lambda one: True)).completed_at == done.completed_at
