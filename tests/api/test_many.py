"""One stream for many jobs, and lists that are filtered."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from httpx_sse import aconnect_sse

from tests.api.conftest import Installation
from tests.api.test_jobs import OpenStudio, create
from tests.api.test_listing import pages
from tests.fake_activities import Studio

Told = list[tuple[str, dict[str, Any]]]


async def told(http: httpx.AsyncClient, until: int, *job_ids: str) -> Told:
    """The events of a stream, until so many jobs have ended or are said to be missing."""
    events: Told = []
    query = [("job", job_id) for job_id in job_ids]
    async with asyncio.timeout(30), aconnect_sse(http, "GET", "/api/events", params=query) as source:
        async for event in source.aiter_sse():
            events.append((event.event, json.loads(event.data)))
            if sum(name in {"job-completed", "job-not-found"} for name, _ in events) == until:
                return events
    raise AssertionError("the stream ended by itself")


async def test_each_job_is_told_to_its_end_under_its_own_id(http: httpx.AsyncClient, studio: OpenStudio) -> None:
    await studio(Studio())
    jobs = [await create(http) for _ in range(3)]
    events = await told(http, 3, *jobs)
    assert events[0][0] == "connected"
    for job_id in jobs:
        own = [(name, data) for name, data in events if data.get("jobId") == job_id]
        assert [name for name, _ in own].count("job-completed") == 1
        percents = [data["percent"] for name, data in own if name.startswith("job-")]
        assert percents == sorted(percents)
        assert percents[-1] == 100
    steps = [data for name, data in events if name == "step-status"]
    assert {step["jobId"] for step in steps} <= set(jobs)
    assert all(data["jobId"] for name, data in events if name not in {"connected", "heartbeat"})


async def test_another_owners_job_is_as_missing_as_one_that_never_was(
    http: httpx.AsyncClient, studio: OpenStudio, installation: Installation
) -> None:
    await studio(Studio())
    job_id = await create(http)
    async with await installation.client("second", "read") as other:
        events = await told(other, 2, job_id, "0123456789abcdef")
    missing = {data["jobId"] for name, data in events if name == "job-not-found"}
    assert missing == {job_id, "0123456789abcdef"}
    assert not [name for name, _ in events if name.startswith("job-") and name != "job-not-found"]


async def test_without_ids_it_tells_of_the_jobs_that_are_started_meanwhile(
    http: httpx.AsyncClient, studio: OpenStudio
) -> None:
    await studio(Studio())
    before = await create(http)
    seen: set[str] = set()
    after = ""
    async with asyncio.timeout(30), aconnect_sse(http, "GET", "/api/events") as source:
        async for event in source.aiter_sse():
            if event.event == "connected":
                after = await create(http)
            if event.event == "job-completed":
                seen.add(json.loads(event.data)["jobId"])
            if {before, after} <= seen:
                break


async def test_too_many_and_what_is_no_id_are_refused(http: httpx.AsyncClient) -> None:
    many: list[tuple[str, str | int | float | bool | None]] = [("job", f"job-{number:08d}") for number in range(51)]
    for query in (many, [*many[:1], ("job", "../../etc")]):
        answer = await http.get("/api/events", params=query)
        assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")


async def titled(http: httpx.AsyncClient, title: str, **metadata: str) -> str:
    body = {"script": {"title": title, "scenes": [{"narration": "Hello."}]}, "metadata": metadata}
    return str((await http.post("/api/jobs", json=body)).json()["jobId"])


async def test_a_list_is_filtered_by_title_metadata_and_time(http: httpx.AsyncClient, studio: OpenStudio) -> None:
    await studio(Studio(scenes=1, segments=1))
    start = datetime.now(UTC)
    tides = [await titled(http, f"Quicksilver {number}", project="sea", part=str(number)) for number in range(3)]
    winds = await titled(http, "Pewter", project="air")

    async def listed(**params: str) -> list[str]:
        return [job["id"] for page in await pages(http, 2, **params) for job in page]

    async with asyncio.timeout(30):
        while set(await listed(q="QUICKSILVER")) != set(tides):  # Temporal's list lags a moment behind
            await asyncio.sleep(0.1)
    assert await listed(q="pewter") == [winds]
    assert set(await listed(**{"metadata.project": "sea"})) == set(tides)
    assert await listed(**{"metadata.project": "sea", "metadata.part": "1"}) == [tides[1]]
    assert await listed(**{"metadata.project": "fire"}) == []
    assert set(tides) <= set(await listed(since=(start - timedelta(minutes=1)).isoformat()))
    assert await listed(since=(start + timedelta(hours=1)).isoformat()) == []
    assert await listed(q="no such title anywhere") == []


async def test_a_cursor_is_good_for_its_own_filter_alone(http: httpx.AsyncClient, studio: OpenStudio) -> None:
    await studio(Studio(scenes=1, segments=1))
    for number in range(3):
        await titled(http, f"Cursor {number}")
    async with asyncio.timeout(30):
        while len((await http.get("/api/jobs", params={"q": "cursor"})).json()["jobs"]) < 3:
            await asyncio.sleep(0.1)
    page = (await http.get("/api/jobs", params={"q": "cursor", "limit": 1})).json()
    assert page["nextCursor"]
    other = await http.get("/api/jobs", params={"q": "tides", "cursor": page["nextCursor"]})
    assert (other.status_code, other.json()["code"]) == (422, "INVALID_REQUEST")
    assert (await http.get("/api/jobs", params={"since": "yesterday"})).status_code == 422
