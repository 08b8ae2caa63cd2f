"""Fair use: what one owner may take, and how long another one waits for it."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from temporalio.testing import WorkflowEnvironment

from tests.api.conftest import installed
from tests.security.hostile import saved
from tests.security.test_access import uploaded

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_leftovers")]


def words(count: int = 3) -> dict[str, Any]:
    return {"script": {"scenes": [{"narration": "Hello there."} for _ in range(count)]}}


async def test_open_exports_are_limited_however_fast_they_come(temporal: WorkflowEnvironment, tmp_path: Path) -> None:
    async with (
        installed(temporal, tmp_path, max_open_jobs=3) as installation,
        await installation.client("greedy") as greedy,
        await installation.client("modest") as modest,
    ):
        answers = await asyncio.gather(*(greedy.post("/api/jobs", json=words()) for _ in range(8)))
        assert sorted(answer.status_code for answer in answers) == [202] * 3 + [429] * 5
        problem = next(answer for answer in answers if answer.status_code == 429)
        assert (problem.json()["code"], problem.json()["limit"]) == ("QUOTA_EXCEEDED", "openJobs")
        assert int(problem.headers["retry-after"]) > 0
        other = await modest.post("/api/jobs", json=words())
        assert other.status_code == 202, "another owner has his own"
        opened = [answer.json()["jobId"] for answer in answers if answer.status_code == 202]
        for job_id in opened:
            await greedy.post(f"/api/jobs/{job_id}/cancel")
        await modest.post(f"/api/jobs/{other.json()['jobId']}/cancel")


async def test_an_idempotency_key_counts_once(temporal: WorkflowEnvironment, tmp_path: Path) -> None:
    async with (
        installed(temporal, tmp_path, max_open_jobs=1) as installation,
        await installation.client("careful") as client,
    ):
        headers = {"Idempotency-Key": "the same"}
        answers = [await client.post("/api/jobs", json=words(), headers=headers) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [202, 200, 200]
        await client.post(f"/api/jobs/{answers[0].json()['jobId']}/cancel")


async def test_minutes_of_film_are_limited_by_their_pixels(temporal: WorkflowEnvironment, tmp_path: Path) -> None:
    async with (
        installed(temporal, tmp_path, max_open_minutes=2) as installation,
        await installation.client("large") as client,
    ):
        huge = {**words(200), "video": {"preset": "youtube-1080p", "width": 3840, "height": 2160, "fps": 60}}
        answer = await client.post("/api/jobs", json=huge)
        assert (answer.status_code, answer.json()["limit"]) == (429, "openMinutes")
        small = {**words(3), "video": {"preset": "preview"}}
        taken = await client.post("/api/jobs", json=small)
        assert taken.status_code == 202
        await client.post(f"/api/jobs/{taken.json()['jobId']}/cancel")


async def test_requests_are_limited(temporal: WorkflowEnvironment, tmp_path: Path) -> None:
    async with (
        installed(temporal, tmp_path, max_requests_per_minute=20) as installation,
        await installation.client("busy") as busy,
        await installation.client("calm") as calm,
    ):
        codes = [(await busy.get("/api/presets")).status_code for _ in range(25)]
        assert codes == [200] * 20 + [429] * 5
        limited = await busy.get("/api/presets")
        assert limited.json()["limit"] == "requestsPerMinute"
        assert 0 < int(limited.headers["retry-after"]) <= 60
        assert (await calm.get("/api/presets")).status_code == 200


async def test_guessing_is_limited_and_keeps_nobody_out(temporal: WorkflowEnvironment, tmp_path: Path) -> None:
    async with installed(temporal, tmp_path, max_failed_keys_per_minute=5) as installation:
        wrong = {"X-API-Key": f"plk_{'0' * 16}_{'A' * 43}"}
        async with await installation.client("owner") as owner, httpx.AsyncClient(base_url=installation.url) as guesser:
            codes = [(await guesser.get("/api/presets", headers=wrong)).status_code for _ in range(8)]
            assert codes == [401] * 5 + [429] * 3
            assert (await owner.get("/api/presets")).status_code == 200


async def test_uploads_are_limited_and_deleting_makes_room(temporal: WorkflowEnvironment, tmp_path: Path) -> None:
    one = len(saved(Image.new("RGB", (8, 8), (77, 1, 2)), "PNG"))
    async with (
        installed(temporal, tmp_path, max_owner_bytes=2 * one + 1) as installation,
        await installation.client("collector") as client,
    ):
        first = await uploaded(client, 1)
        await uploaded(client, 2)
        data = saved(Image.new("RGB", (8, 8), (3, 1, 2)), "PNG")
        refused = await client.post("/api/assets", content=data, headers={"content-type": "image/png"})
        assert (refused.status_code, refused.json()["limit"]) == (429, "uploadedBytes")
        assert (await client.delete(f"/api/assets/{first}")).status_code == 204
        await uploaded(client, 3)
        listed = (await client.get("/api/assets")).json()
        assert (len(listed["assets"]), listed["totalBytes"] // one) == (2, 2)
