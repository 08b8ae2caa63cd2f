"""The JavaScript client in a browser, against a real service and against servers that misbehave."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from picturelock.cli.ports import any_free
from tests.browser import chromium
from tests.browser.chromium import Tab

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(chromium.PROGRAM is None, reason="there is no Chromium: scripts/install-chromium"),
]
CLIENT = Path(__file__).parents[2] / "clients" / "js" / "picturelock.js"
STATUS = {"id": "job-12345", "status": "running", "progress": 10, "message": "Speaking"}
END = {**STATUS, "status": "completed", "progress": 100}


def event(name: str, data: object, event_id: str = "") -> bytes:
    head = f"id: {event_id}\n" if event_id else ""
    return f": a comment\n{head}event: {name}\ndata: {json.dumps(data)}\n\n".encode()


@dataclass
class Misbehaving:
    """An HTTP server of the test's own: each connection to a path gets the next of its answers."""

    answers: dict[str, list[tuple[int, str, list[bytes | float]]]]
    """Status, media type, and pieces of the body; a number is a pause in seconds."""

    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    async def start(self) -> asyncio.Server:
        port = any_free()
        self.url = f"http://127.0.0.1:{port}"
        return await asyncio.start_server(self._serve, "127.0.0.1", port)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            path = head.split(" ")[1]
            lines = [line.partition(": ") for line in head.split("\r\n")[1:] if line]
            self.asked.append((path, {name.lower(): value for name, _, value in lines}))
            status, media_type, pieces = self._answer(path)
            writer.write(f"HTTP/1.1 {status} X\r\ncontent-type: {media_type}\r\nconnection: close\r\n\r\n".encode())
            for piece in pieces:
                if isinstance(piece, bytes):
                    writer.write(piece)
                    await writer.drain()
                else:
                    await asyncio.sleep(piece)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answer(self, path: str) -> tuple[int, str, list[bytes | float]]:
        if path == "/picturelock.js":
            return 200, "text/javascript", [CLIENT.read_bytes()]
        if path == "/":
            return 200, "text/html", [b"<!doctype html><title>t</title>"]
        turns = self.answers.get(path) or [(404, "text/plain", [b""])]
        return turns.pop(0) if len(turns) > 1 else turns[0]


@pytest_asyncio.fixture
async def tab() -> AsyncIterator[Tab]:
    async with chromium.opened() as tab:
        yield tab


FOLLOW = """(async () => {
  const { Picturelock } = await import("/picturelock.js");
  const seen = [];
  const onFresh = (yes) => yes || seen.push("stale");
  try {
    for await (const job of new Picturelock().follow("job-12345", { onFresh })) seen.push(job.progress);
  } catch (error) {
    seen.push(`${error.name} ${error.status} ${error.code}`);
  }
  return seen;
})()"""


async def followed(tab: Tab, server: Misbehaving) -> list[object]:
    running = await server.start()
    async with running:
        await tab.go(server.url)
        await tab.until("document.title === 't'")
        seen: list[object] = await asyncio.wait_for(tab.run(FOLLOW), 50)
    return seen


async def test_a_broken_stream_is_taken_up_where_it_broke(tab: Tab) -> None:
    first = event("job-progress", STATUS, "1.2.100")
    stream = "text/event-stream"
    server = Misbehaving({
        "/api/jobs/job-12345/events": [
            (200, stream, [event("connected", {}), first[:20], 0.2, first[20:]]),
            (200, stream, [event("job-completed", END, "1.9.1000")]),
        ],
        "/api/jobs/job-12345": [(200, "application/json", [json.dumps(STATUS | {"progress": 20}).encode()])],
    })  # fmt: skip
    assert await followed(tab, server) == [10, 20, 100]
    streams = [headers for path, headers in server.asked if path.endswith("/events")]
    assert [headers.get("last-event-id") for headers in streams] == [None, "1.2.100"]


async def test_a_proxy_that_answers_502_is_outlived_by_asking(tab: Tab) -> None:
    server = Misbehaving({
        "/api/jobs/job-12345/events": [(502, "text/html", [b"<h1>Bad gateway</h1>"])],
        "/api/jobs/job-12345": [
            (502, "text/html", [b"<h1>Bad gateway</h1>"]),
            (200, "application/json", [json.dumps(STATUS).encode()]),
            (200, "application/json", [json.dumps(END).encode()]),
        ],
    })  # fmt: skip
    assert await followed(tab, server) == [10, 100]


async def test_a_stream_that_is_silent_is_left_and_what_is_shown_is_stale(tab: Tab) -> None:
    server = Misbehaving({
        "/api/jobs/job-12345/events": [
            (200, "text/event-stream", [event("job-progress", STATUS), 40.0]),
            (200, "text/event-stream", [event("job-completed", END)]),
        ],
        "/api/jobs/job-12345": [(503, "application/json", [b'{"status": 503, "code": "STATE_UNAVAILABLE"}'])],
    })  # fmt: skip
    assert await followed(tab, server) == [10, "stale", 100]


async def test_a_job_that_is_not_there_is_an_error_with_its_code(tab: Tab) -> None:
    gone = b'{"status": 410, "code": "DELETED", "detail": "job job-12345 was deleted"}'
    server = Misbehaving({
        "/api/jobs/job-12345/events": [(410, "application/problem+json", [gone])],
        "/api/jobs/job-12345": [(410, "application/problem+json", [gone])],
    })  # fmt: skip
    assert await followed(tab, server) == ["ApiError 410 DELETED"]
