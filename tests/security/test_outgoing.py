"""Calls that somebody else's words decide: where they go, how far, and how much of an answer is taken."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from picturelock.errors import PictureFailed, PictureUnavailable
from picturelock.http_client import ProviderClient
from picturelock.outgoing import AddressRefused, GuardedTransport, check_url
from tests.servers import FakeServer, Reply
from tests.unit.test_webhooks import PRIVATE

pytestmark = pytest.mark.slow
CLIENT = ProviderClient("the pictures", PictureFailed, PictureUnavailable)
SPELLINGS = [
    "http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://127.0.0.1.nip.invalid/",
    "http://192.0.0.192/", "http://[::ffff:7f00:1]/", "http://\uff11\uff12\uff17.0.0.1/", "http://127。0。0。1/",
    "http://localhost./", "http://LOCALHOST/", "http://0/",
]  # fmt: skip


@pytest.fixture
def inside() -> Iterator[FakeServer]:
    """A server that only this machine reaches."""
    server = FakeServer([Reply(200, b"a private thing", "image/png")])
    yield server
    server.stop()


def received(_size: int) -> None:
    pass


@pytest.mark.parametrize("url", [*PRIVATE, *SPELLINGS])
async def test_no_private_address_is_called(url: str, inside: FakeServer) -> None:
    port = inside.url.rsplit(":", 1)[1]
    target = url.rstrip("/") + f":{port}/" if url.count(":") == 1 else url
    async with httpx.AsyncClient(transport=GuardedTransport(), timeout=5) as client:
        with pytest.raises((httpx.HTTPError, httpx.InvalidURL, OSError)):
            await client.get(target)
    assert inside.requests == []


async def test_the_services_own_address_is_called(inside: FakeServer, tmp_path: Path) -> None:
    """The control: whoever configures a service on his own machine may have its files from there."""
    await CLIENT.download(f"{inside.url}/1.png", tmp_path / "1", 1_000, received, trusted=f"{inside.url}/v1")
    assert (tmp_path / "1").read_bytes() == b"a private thing"
    assert inside.requests[0].headers["host"] == inside.url.removeprefix("http://")


async def test_what_a_service_names_elsewhere_is_not_called(inside: FakeServer, tmp_path: Path) -> None:
    with pytest.raises(PictureFailed, match="not a public address") as caught:
        await CLIENT.download(
            f"{inside.url}/1.png", tmp_path / "1", 1_000, received, trusted="https://pictures.example"
        )
    assert not caught.value.outage
    assert inside.requests == []


async def test_a_redirect_to_a_private_address_is_not_followed(inside: FakeServer, tmp_path: Path) -> None:
    service = FakeServer([Reply(302, b"")], headers={"location": f"{inside.url}/internal/secret.png"})
    try:
        with pytest.raises(PictureFailed, match="not a public address"):
            await CLIENT.download(f"{service.url}/1.png", tmp_path / "1", 1_000, received, trusted=service.url)
        assert inside.requests == []
    finally:
        service.stop()


async def test_redirects_without_end_are_not_followed(tmp_path: Path) -> None:
    service = FakeServer([Reply(302, b"")], headers={"location": "/again"})
    try:
        with pytest.raises(PictureFailed):
            await CLIENT.download(f"{service.url}/1.png", tmp_path / "1", 1_000, received, trusted=service.url)
        assert len(service.requests) == 4
    finally:
        service.stop()


async def test_a_redirect_within_the_service_is_followed(tmp_path: Path) -> None:
    service = FakeServer([Reply(302, b""), Reply(200, b"here")], headers={"location": "/there"})
    try:
        named = service.url.replace("127.0.0.1", "localhost")
        await CLIENT.download(f"{named}/1.png", tmp_path / "1", 1_000, received, trusted=named)
        assert (tmp_path / "1").read_bytes() == b"here"
        assert [request.headers["host"] for request in service.requests] == [named.removeprefix("http://")] * 2
    finally:
        service.stop()


async def test_a_question_is_not_sent_elsewhere_with_its_key(inside: FakeServer) -> None:
    service = FakeServer([Reply(307, b"")], headers={"location": f"{inside.url}/collect"})
    try:
        with pytest.raises(PictureFailed):
            await CLIENT.request("POST", f"{service.url}/v1", json={}, headers={"Authorization": "Bearer secret"})
        assert inside.requests == []
    finally:
        service.stop()


async def test_an_answer_that_unpacks_without_end_is_cut(tmp_path: Path) -> None:
    bomb = gzip.compress(b"a" * 200_000_000, 9)
    service = FakeServer([Reply(200, bomb, "application/json")], headers={"content-encoding": "gzip"})
    try:
        with pytest.raises(PictureFailed, match="more than"):
            await CLIENT.request("GET", service.url)
        with pytest.raises(PictureUnavailable, match="larger than"):
            await CLIENT.download(f"{service.url}/1", tmp_path / "1", 1_000_000, received, trusted=service.url)
    finally:
        service.stop()


async def test_an_answer_is_read(inside: FakeServer) -> None:
    assert await CLIENT.request("GET", inside.url) == b"a private thing"
    service = FakeServer([Reply(200, {"a": 1})])
    try:
        assert json.loads(await CLIENT.request("GET", service.url)) == {"a": 1}
    finally:
        service.stop()


@pytest.mark.parametrize(
    "url", ["ftp://films.example/", "file:///etc/passwd", "gopher://x/", "http://me:word@films.example/"]
)
def test_other_schemes_and_credentials_are_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        check_url(url, allow_private=True)


async def test_credentials_in_an_address_are_not_sent(inside: FakeServer) -> None:
    async with httpx.AsyncClient(transport=GuardedTransport(allow_private=True)) as client:
        with pytest.raises(AddressRefused, match="credentials"):
            await client.get(inside.url.replace("//", "//me:word@"))
    assert inside.requests == []
