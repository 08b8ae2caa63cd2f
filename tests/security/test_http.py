"""Requests that are no honest ones: endless, dripping, too long, of two minds. On a socket, byte by byte."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from api import server
from tests.api.conftest import Installation
from tests.security.watching import ALONE

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_leftovers")]


class Line:
    """A connection that says what it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, url: str) -> "Line":
        host, port = url.removeprefix("http://").split(":")
        return cls(*await asyncio.open_connection(host, int(port)))

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, seconds: float = 20) -> tuple[int, dict[str, Any]]:
        """Status and body of the next answer."""
        async with asyncio.timeout(seconds):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n")
                           if line.startswith(b"content-length")), 0)  # fmt: skip
            body = await self.reader.readexactly(length)
        return int(head.split()[1]), json.loads(body) if body.startswith(b"{") else {}

    async def closed(self, seconds: float = 20) -> bool:
        """Whether the other side has hung up."""
        async with asyncio.timeout(seconds):
            try:
                while await self.reader.read(65_536):
                    pass
            except ConnectionError:
                pass
        return True


Connect = Callable[[], Awaitable[Line]]


@pytest.fixture
async def connect(installation: Installation) -> AsyncIterator[Callable[[], Awaitable[Line]]]:
    """Opens connections, which are closed in the end."""
    opened: list[Line] = []

    async def connected() -> Line:
        opened.append(await Line.open(installation.url))
        return opened[-1]

    yield connected
    for line in opened:
        line.writer.close()
        with contextlib.suppress(ConnectionError):
            await line.writer.wait_closed()


@pytest.fixture
async def line(connect: Connect) -> Line:
    return await connect()


def upload_head(key: str, length: int, path: str = "/api/assets", media: str = "application/octet-stream") -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Type: {media}", f"Content-Length: {length}",
             f"Authorization: Bearer {key}", "", ""]  # fmt: skip
    return "\r\n".join(lines).encode()


HOST = b"Host: 127.0.0.1\r\n"


async def test_a_header_without_end_is_cut(line: Line) -> None:
    await line.say(b"GET /healthz HTTP/1.1\r\n" + HOST + b"X-A: ")
    for _ in range(20):
        try:
            await line.say(b"a" * 4_096)
        except ConnectionError:
            break
    status, problem = await line.answer()
    assert (status, problem["code"]) == (431, "HEAD_TOO_LARGE")
    assert await line.closed()


async def test_headers_without_end_are_cut(line: Line) -> None:
    await line.say(b"GET /healthz HTTP/1.1\r\n" + HOST + b"".join(b"X-%d: %s\r\n" % (n, b"a" * 50) for n in range(900)))
    assert (await line.answer())[0] == 431


async def test_a_head_that_is_too_long_at_once_is_refused(line: Line) -> None:
    await line.say(b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: " + b"a" * (server.HEAD_BYTES + 1) + b"\r\n\r\n")
    assert (await line.answer())[0] == 431


async def test_a_long_address_is_refused(line: Line) -> None:
    await line.say(b"GET /healthz?" + b"a" * (server.TARGET_BYTES + 1) + b" HTTP/1.1\r\n" + HOST + b"\r\n")
    status, problem = await line.answer()
    assert (status, problem["code"]) == (414, "TARGET_TOO_LONG")


async def test_an_address_without_end_is_cut(line: Line) -> None:
    await line.say(b"GET /" + b"a" * 200_000)
    assert (await line.answer())[0] == 431


async def test_what_is_long_but_allowed_is_answered(line: Line) -> None:
    await line.say(b"GET /healthz?" + b"a" * 4_000 + b" HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 20_000 + b"\r\n\r\n")
    assert await line.answer() == (200, {"status": "ok"})


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits of time, shorter."""
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.6)
    monkeypatch.setattr(server, "BODY_SECONDS", 0.6)


@pytest.mark.parametrize("said", [b"", b"G", b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-"])
@pytest.mark.usefixtures("quick")
async def test_a_head_that_does_not_come_is_not_waited_for(said: bytes, connect: Connect) -> None:
    line = await connect()
    began = time.monotonic()
    await line.say(said)
    status, problem = await line.answer()
    assert (status, problem["code"]) == (408, "TOO_SLOW")
    assert time.monotonic() - began < 3
    assert await line.closed()


@pytest.mark.usefixtures("quick")
async def test_a_head_that_drips_is_cut(connect: Connect) -> None:
    line = await connect()

    async def drip() -> None:
        for byte in b"GET /healthz HTTP/1.1\r\nX-Slow: 1":
            await line.say(bytes([byte]))
            await asyncio.sleep(0.05)

    dripping = asyncio.create_task(drip())
    assert (await line.answer())[0] == 408
    dripping.cancel()
    await asyncio.gather(dripping, return_exceptions=True)


@pytest.mark.usefixtures("quick")
async def test_line_ends_do_not_hold_a_connection(connect: Connect) -> None:
    line = await connect()
    await line.say(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
    assert (await line.answer())[0] == 200
    await line.say(b"\r\n")
    assert await line.closed(8)


@pytest.mark.parametrize(
    ("header", "status"),
    [("Host: [", 421), ("Host: [::1", 421), ("Host: 127.0.0.1\r\nOrigin: http://[", 403)],
)
async def test_an_address_that_is_none_is_refused(header: str, status: int, line: Line) -> None:
    await line.say(f"POST /api/session HTTP/1.1\r\n{header}\r\nContent-Length: 0\r\n\r\n".encode())
    assert (await line.answer())[0] == status


@pytest.mark.usefixtures("quick")
async def test_a_body_that_drips_is_cut(installation: Installation, connect: Connect) -> None:
    key = await installation.key("first")
    line = await connect()
    await line.say(
        b"POST /api/assets HTTP/1.1\r\n"
        + HOST
        + b"Content-Type: application/octet-stream\r\nContent-Length: 1000000\r\n"
        b"Authorization: Bearer " + key.encode() + b"\r\n\r\n"
    )
    status, problem = await line.answer()
    assert (status, problem["code"]) == (408, "TOO_SLOW")
    assert await line.closed()


@pytest.mark.usefixtures("quick")
async def test_a_body_that_comes_is_waited_for(installation: Installation, connect: Connect) -> None:
    """The control: longer than the limit, but it comes."""
    key = await installation.key("first")
    line = await connect()
    await line.say(
        b"POST /api/assets HTTP/1.1\r\n"
        + HOST
        + b"Content-Type: application/octet-stream\r\nContent-Length: 100000\r\n"
        b"Authorization: Bearer " + key.encode() + b"\r\n\r\n"
    )
    for _ in range(10):
        await line.say(b"a" * 10_000)
        await asyncio.sleep(0.2)
    status, problem = await line.answer()
    assert (status, problem["code"]) == (422, "ASSET_UNREADABLE")


@pytest.mark.parametrize("path", ["/api/assets", "/api/jobs"])
async def test_a_body_that_says_it_is_too_large_is_refused_at_once(
    path: str, installation: Installation, connect: Connect
) -> None:
    key = await installation.key("first")
    line = await connect()
    media = "application/json" if path == "/api/jobs" else "application/octet-stream"
    await line.say(upload_head(key, 10**13, path, media))
    status, problem = await line.answer(3)
    assert (status, problem["code"]) == (413, "REQUEST_TOO_LARGE")


@pytest.mark.parametrize(
    "head",
    [
        b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
        b"POST /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0x10\r\n\r\n",
        b"POST /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\x00b\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost : 127.0.0.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET http://attacker.example/healthz HTTP/1.1\r\nHost: attacker.example\r\n\r\n",
    ],
)
async def test_a_request_of_two_minds_is_refused(head: bytes, line: Line) -> None:
    await line.say(head)
    async with asyncio.timeout(5):
        said = await line.reader.read(65_536)
    assert said == b"" or int(said.split()[1]) in {400, 404, 405, 421}, said


@pytest.mark.parametrize(
    "media", [None, "text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"]
)
@pytest.mark.parametrize("path", ["/api/assets", "/api/jobs"])
async def test_what_a_form_can_send_is_not_taken(path: str, media: str | None, installation: Installation) -> None:
    async with await installation.client("first") as client:
        headers = {"content-type": media} if media else {}
        answer = await client.post(path, content=b"{}", headers=headers)
        # A form with a file is taken as an upload, where a page of this site, or no page, sends it.
        form = path == "/api/assets" and media is not None and media.startswith("multipart")
        assert (answer.status_code, answer.json()["code"]) == (
            (422, "INVALID_FORM") if form else (415, "UNSUPPORTED_MEDIA_TYPE")
        )


@pytest.mark.parametrize("path", ["/api/assets", "/api/uploads", "/api/jobs", "/api/shares"])
async def test_a_form_of_another_page_is_not_taken(path: str, installation: Installation) -> None:
    async with await installation.client("first") as client:
        headers = {"origin": "https://elsewhere.example", "content-type": "multipart/form-data; boundary=x"}
        answer = await client.post(path, content=b"{}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "CROSS_SITE")


async def test_a_flood_of_complaints_is_told_briefly(installation: Installation) -> None:
    body = {"script": {"scenes": [{"narration": "Hello."}]}, **{f"unknown{n}" + "x" * 60: n for n in range(2_000)}}
    async with await installation.client("first") as client:
        answer = await client.post("/api/jobs", json=body)
    assert answer.status_code == 422
    assert len(answer.content) < 60_000
    assert len(answer.json()["errors"]) == 50
    assert "and 1950 more" in answer.json()["detail"]


async def test_one_long_name_is_not_told_back(installation: Installation) -> None:
    async with await installation.client("first") as client:
        answer = await client.post("/api/jobs", json={"x" * 150_000: 1})
    assert answer.status_code == 422
    assert len(answer.content) < 10_000


async def test_every_answer_tells_browsers_what_they_may_do(installation: Installation) -> None:
    async with await installation.client("first") as client:
        for path in ("/healthz", "/api/jobs", "/api/jobs/none", "/nothing", "/docs", "/openapi.json"):
            headers = (await client.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"
            assert headers["referrer-policy"] == "no-referrer"
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("source", ["![[](" * 380, "[" * 1_900, "![" * 900, "\\[" * 500])
async def test_markdown_that_takes_long_to_read_is_refused_soon(source: str, installation: Installation) -> None:
    script = "\n\n".join([source] * 95)
    async with await installation.client("first") as client:
        began = time.monotonic()
        answer = await client.post("/api/jobs", json={"script": script})
        assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_SCRIPT")
        assert time.monotonic() - began < (2 if ALONE else 20)


async def test_the_server_is_well(installation: Installation) -> None:
    async with httpx.AsyncClient(base_url=installation.url) as nobody:
        assert (await nobody.get("/healthz")).json() == {"status": "ok"}
