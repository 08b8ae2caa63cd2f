"""Who may ask for what: every route without a key, with somebody else's, and with one that does not allow it."""

import asyncio
import statistics
import time
from base64 import b64decode
from typing import Any

import httpx
import pytest
from PIL import Image
from starlette.routing import Route

from api.access import COOKIE, OPEN, needed
from api.app import create_app, flattened
from picturelock.auth.caller import SCOPES
from picturelock.auth.keyring import FRESH_SECONDS, Keyring
from picturelock.auth.tokens import Grant, Signer
from picturelock.settings import Settings
from tests.api.conftest import Installation
from tests.api.test_jobs import SCRIPT
from tests.security.hostile import saved
from tests.security.watching import ALONE

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_leftovers")]

IDS = {
    "{job_id}": "0" * 32,
    "{asset_id}": "sha256-" + "0" * 64,
    "{name}": "poster.jpg",
    "{segment_id}": "s" * 32,
    "{upload_id}": "0" * 32,
    "{batch_id}": "0" * 32,
    "{engine}": "hibari",
    "{voice}": "heart",
    "{owner}": "first",
}
VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


_A_JOB = f"/api/jobs/{IDS['{job_id}']}"


def routes() -> list[tuple[str, str]]:
    """Every method and path of the application, with ids filled in; what is mounted, too."""
    found = []
    for route in flattened(create_app(Settings()).routes):
        path = str(getattr(route, "path", ""))
        for name, value in IDS.items():
            path = path.replace(name, value)
        methods = (route.methods or ()) if isinstance(route, Route) else getattr(route, "methods", ("GET",))
        found += [(method, path) for method in sorted(methods)]
    return [*found, ("GET", "/docs/static/swagger-ui.css"), ("GET", "/"), ("POST", "/nothing"), ("DELETE", "/api/jobs")]


ROUTES = routes()
GUARDED = [route for route in ROUTES if route not in OPEN]


def test_all_routes_are_walked() -> None:
    assert len(ROUTES) > 40
    assert ("GET", "/metrics") in GUARDED
    assert ("GET", "/openapi.json") in GUARDED


@pytest.mark.parametrize(("method", "path"), GUARDED)
async def test_without_a_key_nothing_is_answered(method: str, path: str, installation: Installation) -> None:
    async with httpx.AsyncClient(base_url=installation.url) as nobody:
        answer = await nobody.request(method, path)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        if method != "HEAD":
            assert answer.json()["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize(("method", "path"), GUARDED)
async def test_a_key_without_the_scope_is_refused(method: str, path: str, installation: Installation) -> None:
    others = [scope for scope in SCOPES if scope != needed(method, path)]
    async with await installation.client("first", *others) as client:
        answer = await client.request(method, path)
        assert answer.status_code == 403
        if method != "HEAD":
            assert answer.json()["code"] == "SCOPE_MISSING"


@pytest.mark.parametrize(("method", "path"), GUARDED)
async def test_a_key_with_the_scope_is_let_in(method: str, path: str, installation: Installation) -> None:
    """The control: whatever the answer is, it is the route's own."""
    client = await installation.client("nobody-else", needed(method, path))
    async with client, client.stream(method, path) as answer:  # one of them has no end
        assert answer.status_code not in {401, 403}


def wrong_keys(text: str) -> dict[str, dict[str, str]]:
    """Headers that look like a key's, each wrong in another way."""
    key_id, secret = text.split("_")[1], text.split("_", 2)[2]
    return {
        "another secret": {"Authorization": f"Bearer plk_{key_id}_{'A' * 43}"},
        "one letter": {"Authorization": f"Bearer {text[:-1]}{'A' if text[-1] != 'A' else 'B'}"},
        "cut off": {"Authorization": f"Bearer {text[:-1]}"},
        "too long": {"Authorization": f"Bearer {text}A"},
        "another id": {"Authorization": f"Bearer plk_{'0' * 16}_{secret}"},
        "upper case": {"Authorization": f"Bearer {text.upper()}"},
        "only the id": {"Authorization": f"Bearer plk_{key_id}_"},
        "the hash": {"Authorization": f"Bearer {secret}"},
        "another scheme": {"Authorization": f"Basic {text}"},
        "no scheme": {"Authorization": text},
        "a path": {"Authorization": f"Bearer plk_../../keys/{key_id}_{secret}"},
        "a tab": {"X-API-Key": f"plk_{key_id}_{secret[:20]}\t{secret[20:]}"},
        "a cookie": {"Cookie": f"{COOKIE}={text}"},
        "a broken cookie": {"Cookie": f"{COOKIE}=[];;;=,"},
        "everything": {"Authorization": "Bearer *"},
    }


@pytest.mark.parametrize("name", wrong_keys("plk_x_y"))
async def test_what_is_nearly_a_key_is_none(name: str, installation: Installation) -> None:
    headers = wrong_keys(await installation.key("first"))[name]
    async with httpx.AsyncClient(base_url=installation.url) as client:
        assert (await client.get("/api/jobs", headers=headers)).status_code == 401


async def test_a_key_in_an_address_is_none(installation: Installation) -> None:
    text = await installation.key("first")
    async with httpx.AsyncClient(base_url=installation.url) as client:
        for name in ("key", "api_key", "token", "access_token", "ticket", "link"):
            assert (await client.get("/api/jobs", params={name: text})).status_code == 401


async def test_a_revoked_key_opens_nothing_soon_after(installation: Installation) -> None:
    text = await installation.key("first")
    headers = {"X-API-Key": text}
    async with httpx.AsyncClient(base_url=installation.url) as client:
        assert (await client.get("/api/jobs", headers=headers)).status_code == 200
        session = (await client.post("/api/session", json={"key": text})).cookies[COOKIE]
        assert await Keyring(installation.store).revoke(text.split("_")[1])
        async with asyncio.timeout(2 * FRESH_SECONDS):
            while (await client.get("/api/jobs", headers=headers)).status_code == 200:
                await asyncio.sleep(0.2)
        answer = await client.get("/api/jobs", headers={"Cookie": f"{COOKIE}={session}"})
        assert answer.status_code == 401, "its sessions end with it"


async def job_of(client: httpx.AsyncClient) -> str:
    answer = await client.post("/api/jobs", json=SCRIPT)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["jobId"])


def on_a_job(job_id: str) -> list[tuple[str, str]]:
    """Every verb on every address of a job."""
    return [(verb, path.replace(IDS["{job_id}"], job_id)) for verb, path in ROUTES if path.startswith(_A_JOB)]


async def test_somebody_elses_job_is_no_job(installation: Installation) -> None:
    async with await installation.client("first") as first, await installation.client("second") as second:
        job_id = await job_of(first)
        asked = on_a_job(job_id)
        assert len(asked) >= 25
        for method, path in asked:
            async with asyncio.timeout(10):  # somebody else's events would not end
                theirs = await second.request(method, path)
                unknown = await second.request(method, path.replace(job_id, "f" * 32))
            if path.endswith("/events") and 200 in {theirs.status_code, unknown.status_code}:
                # What is not known within a moment is acknowledged, and told as missing then: to both alike.
                for answer in (theirs, unknown):
                    assert answer.status_code == 404 or "job-not-found" in answer.text
                    assert "job-progress" not in answer.text
                continue
            assert (theirs.status_code, unknown.status_code) == (404, 404), (method, path)
            if method != "HEAD":
                assert theirs.json()["code"] == unknown.json()["code"] == "JOB_NOT_FOUND"
                assert theirs.text.replace(job_id, "") != ""
                assert "first" not in theirs.text
        assert (await first.get(f"/api/jobs/{job_id}")).status_code == 200, "the control"
        assert (await second.get("/api/jobs")).json()["total"] == 0
        assert (await first.post(f"/api/jobs/{job_id}/cancel")).status_code == 202


async def test_somebody_elses_job_takes_as_long_as_none(installation: Installation) -> None:
    """A difference would tell that there is one."""

    async def median(client: httpx.AsyncClient, job_id: str) -> float:
        times = []
        for _ in range(60):
            began = time.perf_counter()
            await client.get(f"/api/jobs/{job_id}")
            times.append(time.perf_counter() - began)
        return statistics.median(times)

    async with await installation.client("first") as first, await installation.client("second") as second:
        job_id = await job_of(first)
        differences = [await median(second, job_id) - await median(second, "e" * 32) for _ in range(3)]
        assert abs(statistics.median(differences)) < (0.005 if ALONE else 0.05)
        await first.post(f"/api/jobs/{job_id}/cancel")


async def test_somebody_elses_file_is_no_file(installation: Installation) -> None:
    async with await installation.client("first") as first, await installation.client("second") as second:
        asset = await uploaded(first)
        for method in ("GET", "DELETE"):
            answer = await second.request(method, f"/api/assets/{asset}")
            assert (answer.status_code, answer.json()["code"]) == (404, "ASSET_MISSING")
        used = {"script": {"scenes": [{"narration": "Hello.", "visual": {"kind": "image", "assetId": asset}}]}}
        answer = await second.post("/api/jobs", json=used)
        assert (answer.status_code, answer.json()["code"]) == (422, "ASSET_MISSING"), "who knows its hash has no right"
        assert asset not in (await second.get("/api/assets")).text
        assert (await first.get(f"/api/assets/{asset}")).status_code == 200


async def uploaded(client: httpx.AsyncClient, shade: int = 77) -> str:
    picture = saved(Image.new("RGB", (8, 8), (shade, 1, 2)), "PNG")
    answer = await client.post("/api/assets", content=picture, headers={"content-type": "image/png"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["assetId"])


async def test_the_same_idempotency_key_of_two_owners_is_two_keys(installation: Installation) -> None:
    headers = {"Idempotency-Key": "order-4711"}
    async with await installation.client("first") as first, await installation.client("second") as second:
        ours = await first.post("/api/jobs", json=SCRIPT, headers=headers)
        theirs = await second.post("/api/jobs", json=SCRIPT, headers=headers)
        again = await first.post("/api/jobs", json=SCRIPT, headers=headers)
        assert (ours.status_code, theirs.status_code, again.status_code) == (202, 202, 200)
        assert ours.json()["jobId"] == again.json()["jobId"] != theirs.json()["jobId"]
        for client, answer in ((first, ours), (second, theirs)):
            await client.post(f"/api/jobs/{answer.json()['jobId']}/cancel")


async def test_a_cursor_is_its_owners(installation: Installation) -> None:
    async with await installation.client("first") as first, await installation.client("second") as second:
        jobs = [await job_of(first) for _ in range(3)]
        async with asyncio.timeout(10):
            while (cursor := (await first.get("/api/jobs", params={"limit": 1})).json()["nextCursor"]) is None:
                await asyncio.sleep(0.1)
        assert (await first.get("/api/jobs", params={"limit": 1, "cursor": cursor})).status_code == 200
        for params in ({"cursor": cursor}, {"cursor": cursor[:-2] + "AA"}):
            assert (await second.get("/api/jobs", params=params)).status_code == 422
        assert (await first.get("/api/jobs", params={"cursor": cursor, "status": "failed"})).status_code == 422
        for job_id in jobs:
            await first.post(f"/api/jobs/{job_id}/cancel")


def forgeries(signer: Signer, good: Grant) -> dict[str, str]:
    """Tickets that are none."""
    token = signer.sign(good)
    body, signature = token.split(".")
    return {
        "another secret": Signer(b"another").sign(good),
        "no signature": f"{body}.",
        "another signature": f"{body}.{signature[::-1]}",
        "another body": f"{body[::-1]}.{signature}",
        "another job": signer.sign(good.model_copy(update={"job": "a" * 32})),
        "expired": signer.sign(good.model_copy(update={"expires": 1.0})),
        "a link": signer.sign(good.model_copy(update={"purpose": "link"})),
        "a session": signer.sign(good.model_copy(update={"purpose": "session"})),
        "a cursor": signer.sign(good.model_copy(update={"purpose": "cursor"})),
        "no key": signer.sign(good.model_copy(update={"key_id": "0" * 16})),
        "nothing": "",
        "not base64": "§.§",
        "very long": "A" * 4_000,
    }


@pytest.mark.parametrize("name", forgeries(Signer(b""), Grant(purpose="ticket")))
async def test_a_forged_ticket_opens_nothing(name: str, installation: Installation) -> None:
    secret = installation.settings.server_secret
    assert secret is not None
    async with await installation.client("first") as first, httpx.AsyncClient(base_url=installation.url) as nobody:
        job_id = await job_of(first)
        key_id = first.headers["authorization"].split("_")[1]
        good = Grant(purpose="ticket", key_id=key_id, job=job_id, expires=time.time() + 60)
        signer = Signer(secret.get_secret_value().encode())
        token = forgeries(signer, good)[name]
        assert await status_of(nobody, "GET", f"/api/jobs/{job_id}/events", ticket=token) == 401
        await first.post(f"/api/jobs/{job_id}/cancel")


async def status_of(client: httpx.AsyncClient, method: str, url: str, **params: str) -> int:
    """The status of an answer, whose body may have no end."""
    async with client.stream(method, url, params=params or None) as answer:
        return answer.status_code


async def test_a_ticket_opens_the_events_of_one_job_and_nothing_else(installation: Installation) -> None:
    async with await installation.client("first") as first, httpx.AsyncClient(base_url=installation.url) as nobody:
        job_id, another = await job_of(first), await job_of(first)
        ticket = (await first.post(f"/api/jobs/{job_id}/tickets")).json()["ticket"]
        async with nobody.stream("GET", f"/api/jobs/{job_id}/events", params={"ticket": ticket}) as answer:
            assert answer.status_code == 200
            assert (await anext(answer.aiter_lines())).startswith("retry:")
        for method, path in (
            ("GET", f"/api/jobs/{another}/events"), ("GET", f"/api/jobs/{job_id}"), ("GET", "/api/jobs"),
            ("GET", f"/api/jobs/{job_id}/output"), ("POST", f"/api/jobs/{job_id}/cancel"), ("GET", "/metrics"),
        ):  # fmt: skip
            assert await status_of(nobody, method, path, ticket=ticket) == 401, path
        for one in (job_id, another):
            await first.post(f"/api/jobs/{one}/cancel")


async def test_a_link_opens_one_file_and_nothing_else(installation: Installation) -> None:
    async with await installation.client("first") as first, httpx.AsyncClient(base_url=installation.url) as nobody:
        job_id = await job_of(first)
        film = (await first.post(f"/api/jobs/{job_id}/links")).json()["url"]
        poster = (await first.post(f"/api/jobs/{job_id}/links", json={"name": "poster.jpg"})).json()["url"]
        assert (await nobody.get(film)).status_code == 409, "there is no film yet; but the door is open"
        assert (await nobody.head(poster)).status_code == 409
        for url in (
            film.replace("/output", "/artifacts/poster.jpg"), poster.replace("poster.jpg", "script.json"),
            film.replace("/output", ""), film.replace("/output", "/events"), poster.replace("/artifacts/", "/../x/"),
        ):  # fmt: skip
            assert await status_of(nobody, "GET", url) == 401, url
        assert (await nobody.post(film)).status_code == 401
        await first.post(f"/api/jobs/{job_id}/cancel")


async def test_each_owner_has_a_secret_for_his_webhooks(installation: Installation) -> None:
    secrets = set()
    for owner in ("first", "second"):
        async with await installation.client(owner) as client:
            secrets.add((await client.get("/api/webhook-secret")).json()["secret"])
    configured = installation.settings.webhook_secret
    assert configured is not None
    assert len(secrets | {configured.get_secret_value()}) == 3
    assert all(len(b64decode(secret.removeprefix("whsec_"))) == 32 for secret in secrets)


async def test_a_browser_logs_in_once(installation: Installation) -> None:
    text = await installation.key("first", "read")
    async with httpx.AsyncClient(base_url=installation.url) as browser:
        wrong: list[Any] = [{}, {"key": 1}, {"key": text, "more": 1}, [], "x"]
        for body in wrong:
            assert (await browser.post("/api/session", json=body)).status_code == 422
        assert (await browser.post("/api/session", json={"key": f"{text}x"})).status_code == 401
        answer = await browser.post("/api/session", json={"key": text})
        assert answer.json() == {"owner": "first", "scopes": ["read"]}
        attributes = answer.headers["set-cookie"].lower()
        assert "httponly" in attributes
        assert "samesite=lax" in attributes
        assert (await browser.get("/api/session")).json()["owner"] == "first"
        assert (await browser.post("/api/jobs", json=SCRIPT)).status_code == 403
        crossed = await browser.post("/api/jobs", json=SCRIPT, headers={"Origin": "https://attacker.example"})
        assert (crossed.status_code, crossed.json()["code"]) == (403, "CROSS_SITE")
        assert (await browser.delete("/api/session")).status_code == 204
        browser.cookies.clear()
        assert (await browser.get("/api/session")).status_code == 401
