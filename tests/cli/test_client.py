"""The client in Python, against a real API."""

import asyncio
import os

import httpx
import pytest

import picturelock
from picturelock.client import ApiError, AsyncClient, Client
from tests.api.test_jobs import OpenStudio
from tests.fake_activities import Studio

pytestmark = [pytest.mark.usefixtures("no_leftovers"), pytest.mark.slow]
REQUEST = {"script": "# Sea\n\nThe sea is calm.", "video": {"preset": "preview"}}


async def test_a_program_that_awaits_follows_a_film_to_its_end(
    http: httpx.AsyncClient, api_url: str, studio: OpenStudio
) -> None:
    await studio(Studio())
    async with AsyncClient(api_url, os.environ["PICTURELOCK_API_KEY"]) as client:
        job_id = await client.create(REQUEST, key="a-key-of-this-test")
        assert await client.create(REQUEST, key="a-key-of-this-test") == job_id
        seen = [job.status async for job in client.watch(job_id)]
        assert seen[-1] == "completed"
        assert (await client.wait(job_id)).title == "Sea"
        assert (await client.share(job_id, days=1)).startswith(f"{api_url}/#/shared/{job_id}/")
        assert (await client.history(job_id))["status"] == "completed"
        await client.delete(job_id)
        with pytest.raises(ApiError, match="DELETED"):
            await client.status(job_id)


async def test_a_program_that_does_not_await_has_the_same_calls(
    http: httpx.AsyncClient, api_url: str, studio: OpenStudio
) -> None:
    await studio(Studio())

    def work() -> list[str]:
        with picturelock.Client(api_url, os.environ["PICTURELOCK_API_KEY"]) as client:
            job_id = client.create(REQUEST)
            states = [job.status for job in client.watch(job_id)]
            assert client.wait(job_id).id == client.status(job_id).id == client.jobs(1)[0].id
            with pytest.raises(ApiError, match="INVALID_SCRIPT"):
                client.create({"script": ""})
            client.delete(job_id)
            return states

    assert (await asyncio.to_thread(work))[-1] == "completed"


def test_both_clients_have_the_same_calls() -> None:
    ours = {name for name in vars(AsyncClient) if not name.startswith("_")}
    assert ours == {name for name in vars(Client) if not name.startswith("_")}
