"""Many films of one script: all rows are checked before any film begins, and told of together."""

import asyncio
from typing import Any

import httpx

from picturelock.errors import InvalidScript
from tests.api.conftest import Installation
from tests.api.test_jobs import OpenStudio
from tests.fake_activities import Studio

TEMPLATE = {
    "script": "# For {{name}}\n\n## Hello\n\nHello {{ name }}, your order {{order}} is ready.",
    "metadata": {"to": "{{name}}"},
}
ROWS = [{"name": "Ada", "order": 7}, {"name": "Grace", "order": 8}, {"name": "Katherine", "order": 9}]


async def ended(http: httpx.AsyncClient, batch_id: str) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while True:
            batch: dict[str, Any] = (await http.get(f"/api/batches/{batch_id}")).raise_for_status().json()
            if batch["done"]:
                return batch
            await asyncio.sleep(0.05)


async def test_every_row_becomes_a_film_and_all_are_told_of_together(
    http: httpx.AsyncClient, studio: OpenStudio
) -> None:
    await studio(Studio())
    answer = await http.post("/api/batches", json={"template": TEMPLATE, "rows": ROWS})
    assert answer.status_code == 202, answer.text
    begun = answer.json()
    assert answer.headers["location"] == f"/api/batches/{begun['batchId']}"
    assert (begun["total"], len(begun["jobs"])) == (3, 3)
    batch = await ended(http, begun["batchId"])
    assert (batch["counts"], batch["progress"]) == ({"completed": 3}, 100)
    assert [job["row"] for job in batch["jobs"]] == [1, 2, 3]
    assert [job["title"] for job in batch["jobs"]] == ["For Ada", "For Grace", "For Katherine"]
    assert all(job["outputPath"] for job in batch["jobs"])
    asked = (await http.get(f"/api/jobs/{batch['jobs'][1]['jobId']}/request")).json()
    assert asked["script"]["scenes"][0]["narration"] == "Hello Grace, your order 8 is ready."
    assert asked["metadata"] == {"to": "Grace"}


async def test_a_bad_row_refuses_the_batch_before_anything_begins(http: httpx.AsyncClient, studio: OpenStudio) -> None:
    fake = Studio()
    await studio(fake)
    rows = [
        ROWS[0],
        {"name": "", "order": 1},
        {"name": "Grace"},
        {"name": "A", "order": 1, "more": 2},
        {"name": "{{x}}", "order": 1},
    ]
    answer = await http.post("/api/batches", json={"template": TEMPLATE, "rows": rows})
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")
    paths = [error["path"] for error in answer.json()["errors"]]
    assert paths == ["rows[1].name", "rows[2].order", "rows[3].more", "rows[4].name"]
    chart = {
        "template": {"script": "# T\n\nWords.\n\n```chart\nA, {{value}}\n```"},
        "rows": [{"value": "5"}, {"value": "five"}],
    }
    answer = await http.post("/api/batches", json=chart)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"].startswith("rows[1]: script")
    gone = {
        "template": {"script": "# {{a}}\n\n![]({{picture}})\n\nWords."},
        "rows": [{"a": "1", "picture": "sha256-" + "0" * 64}],
    }
    answer = await http.post("/api/batches", json=gone)
    assert (answer.status_code, answer.json()["code"]) == (422, "ASSET_MISSING")
    open_braces = await http.post("/api/batches", json={"template": {"script": "Hello {{ Ada."}, "rows": [{}]})
    assert open_braces.json()["errors"][0]["path"] == "template"
    assert (await http.post("/api/batches", json={"template": TEMPLATE, "rows": []})).status_code == 422
    assert (await http.post("/api/batches", json={"template": TEMPLATE, "rows": ROWS * 70})).status_code == 422
    assert (await http.post("/api/batches", json={"rows": ROWS})).json()["errors"][0]["path"] == "template"
    assert fake.ran == []


async def test_the_same_key_gives_the_same_batch_and_another_request_under_it_a_conflict(
    http: httpx.AsyncClient, studio: OpenStudio
) -> None:
    await studio(Studio())
    headers = {"Idempotency-Key": "batch-1"}
    first = await http.post("/api/batches", json={"template": TEMPLATE, "rows": ROWS}, headers=headers)
    again = await http.post("/api/batches", json={"template": TEMPLATE, "rows": ROWS}, headers=headers)
    assert (first.status_code, again.status_code) == (202, 200)
    assert [job["jobId"] for job in first.json()["jobs"]] == [job["jobId"] for job in again.json()["jobs"]]
    other = await http.post("/api/batches", json={"template": TEMPLATE, "rows": ROWS[:1]}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "IDEMPOTENCY_CONFLICT")
    assert (await ended(http, first.json()["batchId"]))["counts"] == {"completed": 3}


async def test_a_film_that_fails_is_told_with_its_reason_among_the_others(
    http: httpx.AsyncClient, studio: OpenStudio
) -> None:
    failed: set[int] = set()

    async def fail_once(_task: object) -> None:
        if not failed:
            failed.add(1)
            raise InvalidScript("no")

    await studio(Studio(hooks={"compose": fail_once}))
    begun = (await http.post("/api/batches", json={"template": TEMPLATE, "rows": ROWS})).json()
    batch = await ended(http, begun["batchId"])
    assert batch["counts"] == {"completed": 2, "failed": 1}
    assert [job["error"]["code"] for job in batch["jobs"] if job["status"] == "failed"] == ["INVALID_SCRIPT"]


async def test_another_owners_batch_is_not_there(
    http: httpx.AsyncClient, studio: OpenStudio, installation: Installation
) -> None:
    await studio(Studio())
    batch_id = (await http.post("/api/batches", json={"template": TEMPLATE, "rows": ROWS[:1]})).json()["batchId"]
    async with await installation.client("second", "read") as other:
        answer = await other.get(f"/api/batches/{batch_id}")
        assert (answer.status_code, answer.json()["code"]) == (404, "BATCH_NOT_FOUND")
    assert (await http.get("/api/batches/0123456789abcdef")).json()["code"] == "BATCH_NOT_FOUND"
    await ended(http, batch_id)
