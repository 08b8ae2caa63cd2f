"""Pages of jobs: filled, filtered, never empty while others follow."""

import asyncio
from typing import Any

import httpx
import pytest
from temporalio.testing import WorkflowEnvironment

from api import listing
from picturelock.jobs.stages import CONTROL_QUEUE, EXPORTS_QUEUE
from tests.api.test_jobs import OpenStudio, create, until
from tests.fake_activities import Studio
from tests.workflows.conftest import studio_open

pytestmark = pytest.mark.usefixtures("no_leftovers")


async def pages(http: httpx.AsyncClient, limit: int, **params: str) -> list[list[dict[str, Any]]]:
    """Every page of a list, by its cursors."""
    found: list[list[dict[str, Any]]] = []
    cursor: str | None = None
    while True:
        chosen = {"limit": str(limit), **params, **({"cursor": cursor} if cursor else {})}
        page = (await http.get("/api/jobs", params=chosen)).raise_for_status().json()
        found.append(page["jobs"])
        if (cursor := page["nextCursor"]) is None:
            return found


async def test_the_list_filters_pages_and_counts(http: httpx.AsyncClient, studio: OpenStudio) -> None:
    await studio(Studio(scenes=1, segments=1))
    made = {await create(http) for _ in range(3)}
    for job_id in made:
        await until(http, job_id, lambda one: one.status == "completed")
    seen: set[str] = set()
    cursor: str | None = None
    async with asyncio.timeout(30):
        while not made <= seen:
            params = {"limit": "2", "status": "completed", **({"cursor": cursor} if cursor else {})}
            page = (await http.get("/api/jobs", params=params)).json()
            assert all(row["status"] == "completed" for row in page["jobs"])
            assert len(page["jobs"]) <= 2
            seen |= {row["id"] for row in page["jobs"]}
            cursor = page["nextCursor"]
            if cursor is None:
                await asyncio.sleep(0.05)
    assert page["total"] >= 1
    assert (await http.get("/api/jobs", params={"cursor": "%%%"})).status_code == 422
    assert (await http.get("/api/jobs", params={"cursor": "AAAA"})).status_code == 422
    assert (await http.get("/api/jobs", params={"status": "nonsense"})).status_code == 422


@pytest.mark.slow
async def test_a_few_paused_jobs_among_many_open_ones_fill_their_pages(
    http: httpx.AsyncClient, temporal: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "_PAGE", 4)
    queues = (EXPORTS_QUEUE, CONTROL_QUEUE)  # nobody renders: what is paused then is paused at once
    async with studio_open(temporal.client, Studio(scenes=1, segments=1), queues=queues):
        running, *paused = [await create(http) for _ in range(4)]
        for job_id in (running, *paused):
            await until(http, job_id, lambda one: one.stage == "render")
        for job_id in paused:
            await http.post(f"/api/jobs/{job_id}/pause")
        for job_id in paused:
            await until(http, job_id, lambda one: one.status == "paused")
        before = set[str]()
        async with asyncio.timeout(30):  # Temporal's list lags behind
            while not {*paused} <= before:
                before = {row["id"] for page in await pages(http, 2, status="paused") for row in page}
    waiting = {await create(http) for _ in range(9)}
    async with asyncio.timeout(30):
        while not waiting <= {row["id"] for page in await pages(http, 4, status="queued") for row in page}:
            await asyncio.sleep(0.05)
    for limit in (1, 2, 3):
        found = await pages(http, limit, status="paused")
        assert [row["id"] for page in found for row in page] == paused[::-1]
        assert [len(page) for page in found] == {1: [1, 1, 1], 2: [2, 1], 3: [3]}[limit]
    assert [[row["id"] for row in page] for page in await pages(http, 3, status="running")] == [[running]]
    queued = await pages(http, 2, status="queued")
    assert [len(page) for page in queued] == [2, 2, 2, 2, 1]
    everything = await pages(http, 5)
    assert {row["id"] for page in everything for row in page} >= {running, *paused, *waiting}
    assert all(everything)
