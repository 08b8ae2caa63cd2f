"""A shared address shows one film, and opens nothing else."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from temporalio.testing import WorkflowEnvironment

from api.access import COOKIE, SHARE_COOKIE
from picturelock.auth.keyring import FRESH_SECONDS, Keyring
from picturelock.auth.tokens import Grant, Signer
from tests.api.conftest import Installation, installed
from tests.security.test_access import job_of, on_a_job

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_leftovers")]

SHOWN = {
    "/shared", "/output", "/preview.m3u8", "/preview/init.mp4",
    "/preview/{segment_id}.m4s", "/artifacts/poster.jpg",
}  # fmt: skip


async def token_of(client: httpx.AsyncClient, job_id: str, **wanted: int) -> str:
    answer = await client.post(f"/api/jobs/{job_id}/shares", json=wanted)
    assert answer.status_code == 201, answer.text
    assert answer.json()["expiresInSeconds"] == wanted.get("days", 7) * 86_400
    _, _, view, job, token = answer.json()["url"].split("/")
    assert (view, job) == ("shared", job_id)
    return str(token)


def guest_of(installation: Installation) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=installation.url)


async def test_a_guest_sees_one_film_and_changes_nothing(installation: Installation) -> None:
    async with await installation.client("first") as first, guest_of(installation) as guest:
        job_id, other = await job_of(first), await job_of(first)
        opened = await guest.post("/api/shares", json={"token": await token_of(first, job_id)})
        assert opened.json() == {"jobId": job_id}
        cookie = opened.headers["set-cookie"].lower()
        assert f"path=/api/jobs/{job_id};" in f"{cookie};"
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        film = (await guest.get(f"/api/jobs/{job_id}/shared")).json()
        assert set(film) == {
            "title", "status", "progress", "createdAt", "completedAt", "outputPath", "output", "artifacts",
            "previewSeconds", "durationSeconds",
        }  # fmt: skip
        token = opened.cookies[SHARE_COOKIE]
        headers = {"cookie": f"{SHARE_COOKIE}={token}"}
        for method, path in on_a_job(job_id):
            async with asyncio.timeout(10):  # events that were shown would not end
                answer = await guest.request(method, path, headers=headers)
            ending = path.removeprefix(f"/api/jobs/{job_id}").replace("s" * 32, "{segment_id}")
            shown = method in {"GET", "HEAD"} and ending in SHOWN
            assert (answer.status_code == 401) is not shown, (method, path, answer.status_code)
            elsewhere = await guest.request(method, path.replace(job_id, other), headers=headers)
            assert elsewhere.status_code == 401, (method, path)
        for path in ("/api/jobs", "/api/events", "/api/assets", f"/api/jobs/{job_id}/artifacts/manifest.json"):
            assert (await guest.get(path, headers=headers)).status_code == 401
        for job in (job_id, other):
            await first.post(f"/api/jobs/{job}/cancel")


async def test_what_is_no_share_opens_nothing(installation: Installation) -> None:
    async with await installation.client("first") as first, guest_of(installation) as guest:
        job_id = await job_of(first)
        token = await token_of(first, job_id, days=1)
        secret = installation.settings.server_secret
        assert secret is not None
        signer = Signer(secret.get_secret_value().encode())
        good = signer.read(token, "share", time.time())
        assert good is not None
        wrong = {
            "another secret": Signer(b"another").sign(good),
            "expired": signer.sign(good.model_copy(update={"expires": 1.0})),
            "a ticket": signer.sign(good.model_copy(update={"purpose": "ticket"})),
            "no job": signer.sign(good.model_copy(update={"job": None})),
            "no key": signer.sign(good.model_copy(update={"key_id": "0" * 16})),
            "another signature": token[:-2] + ("AA" if token[-2:] != "AA" else "BB"),
        }
        for name, text in wrong.items():
            assert (await guest.post("/api/shares", json={"token": text})).status_code == 401, name
            answer = await guest.get(f"/api/jobs/{job_id}/shared", headers={"cookie": f"{SHARE_COOKIE}={text}"})
            assert answer.status_code == 401, name
        for body in ({}, {"token": 1}, {"token": "x" * 9_000}, {"token": token, "more": 1}):
            assert (await guest.post("/api/shares", json=body)).status_code == 422
        for days in (0, 91, 1.5):
            assert (await first.post(f"/api/jobs/{job_id}/shares", json={"days": days})).status_code == 422
        ticket = signer.sign(Grant(purpose="share", key_id=good.key_id, job=job_id, expires=good.expires))
        assert (await guest.get(f"/api/jobs/{job_id}/events", params={"ticket": ticket})).status_code == 401
        await first.post(f"/api/jobs/{job_id}/cancel")


async def test_guests_use_up_nothing_of_the_owner_s(temporal: WorkflowEnvironment, tmp_path: Path) -> None:
    async with (
        installed(temporal, tmp_path, max_requests_per_minute=20) as installation,
        await installation.client("first") as first,
        guest_of(installation) as guest,
    ):
        job_id = await job_of(first)
        headers = {"cookie": f"{SHARE_COOKIE}={await token_of(first, job_id, days=2)}"}
        codes = [(await guest.get(f"/api/jobs/{job_id}/shared", headers=headers)).status_code for _ in range(25)]
        assert codes == [200] * 20 + [429] * 5
        assert (await first.post(f"/api/jobs/{job_id}/cancel")).status_code == 202


async def test_the_days_of_a_body_without_a_length_count(installation: Installation) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b'{"days": 1}'

    async with await installation.client("first") as first:
        job_id = await job_of(first)
        headers = {"content-type": "application/json"}
        answer = await first.post(f"/api/jobs/{job_id}/shares", content=body(), headers=headers)
        assert answer.json()["expiresInSeconds"] == 86_400
        await first.post(f"/api/jobs/{job_id}/cancel")


async def test_a_share_ends_with_its_key(installation: Installation) -> None:
    text = await installation.key("first")
    async with httpx.AsyncClient(base_url=installation.url, headers={"X-API-Key": text}) as first:
        job_id = await job_of(first)
        headers = {"cookie": f"{SHARE_COOKIE}={await token_of(first, job_id)}"}
        await first.post(f"/api/jobs/{job_id}/cancel")
    async with guest_of(installation) as guest:
        assert (await guest.get(f"/api/jobs/{job_id}/shared", headers=headers)).status_code == 200
        assert await Keyring(installation.store).revoke(text.split("_")[1])
        async with asyncio.timeout(2 * FRESH_SECONDS):
            while (await guest.get(f"/api/jobs/{job_id}/shared", headers=headers)).status_code == 200:
                await asyncio.sleep(0.2)


async def test_somebody_else_s_session_is_in_nobody_s_way(installation: Installation) -> None:
    """A guest may be logged in himself; and an owner who opens his own address is still its owner."""
    async with await installation.client("first") as first, guest_of(installation) as browser:
        job_id = await job_of(first)
        token = await token_of(first, job_id)
        ours, theirs = await installation.key("first"), await installation.key("second")
        sessions = [(await browser.post("/api/session", json={"key": key})).cookies[COOKIE] for key in (theirs, ours)]
        guest, owner = ({"cookie": f"{COOKIE}={one}; {SHARE_COOKIE}={token}"} for one in sessions)
        browser.cookies.clear()
        assert (await browser.get(f"/api/jobs/{job_id}/shared", headers=guest)).status_code == 200
        assert (await browser.get(f"/api/jobs/{job_id}", headers=guest)).status_code == 404
        assert (await browser.get(f"/api/jobs/{job_id}", headers=owner)).status_code == 200
        assert (await browser.post(f"/api/jobs/{job_id}/cancel", headers=owner)).status_code == 202
