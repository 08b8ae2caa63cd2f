"""What a page in somebody's browser may not do with a server on that somebody's machine."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from api.app import create_app
from api.browsers import BrowserGuard
from picturelock.settings import Settings


async def fine(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("fine")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=[Route("/", fine, methods=["GET", "HEAD", "POST", "DELETE"])])
    app.add_middleware(BrowserGuard, hosts=["films.example", ""])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8080") as http:
        yield http


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8080", "localhost:8080", "localhost", "app.localhost", "[::1]:8080", "192.168.1.7", "films.example",
     "FILMS.example:443"],
)  # fmt: skip
async def test_a_known_name_is_answered(host: str, client: httpx.AsyncClient) -> None:
    assert (await client.get("/", headers={"Host": host})).text == "fine"


@pytest.mark.parametrize(
    "host",
    ["rebound.attacker.example", "localhost.attacker.example", "127.0.0.1.attacker.example", "films.example.org",
     "notlocalhost", "xn--localhost", "", "@127.0.0.1"],
)  # fmt: skip
async def test_a_name_that_is_made_to_point_here_is_not(host: str, client: httpx.AsyncClient) -> None:
    for method in ("GET", "POST"):
        answer = await client.request(method, "/", headers={"Host": host})
        if host == "@127.0.0.1":  # the name behind the credentials is ours
            continue
        assert (answer.status_code, answer.json()["code"]) == (421, "HOST_NOT_ALLOWED")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:8080"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": "http://127.0.0.1:8080"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:8080"}, 403),
        ({"Origin": "https://attacker.example"}, 403),
        ({"Origin": "http://127.0.0.1:9999"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
async def test_only_a_page_of_ours_changes_anything(
    headers: dict[str, str], status: int, client: httpx.AsyncClient
) -> None:
    for method in ("POST", "DELETE"):
        assert (await client.request(method, "/", headers=headers)).status_code == status
    assert (await client.get("/", headers=headers)).status_code == 200, "what it reads it cannot see"


async def test_the_application_is_guarded() -> None:
    app = create_app(Settings(allowed_hosts="films.example, other.example"))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as http:
        assert (await http.get("/healthz")).status_code == 200
        assert (await http.get("/healthz", headers={"Host": "other.example"})).status_code == 200
        refused = await http.get("/healthz", headers={"Host": "attacker.example"})
        assert (refused.status_code, refused.json()["code"]) == (421, "HOST_NOT_ALLOWED")
        assert refused.headers["x-correlation-id"] == refused.json()["correlationId"]
        crossed = await http.post("/api/jobs", headers={"Origin": "https://attacker.example"}, content=b"{}")
        assert (crossed.status_code, crossed.json()["code"]) == (403, "CROSS_SITE")
    async with httpx.AsyncClient(transport=transport, base_url="http://no-address") as http:
        assert (await http.get("/healthz")).status_code == 200, "what has come through no network has no name to forge"
