"""Where webhooks may go."""

import pytest

from picturelock.errors import WebhookRefused
from picturelock.jobs.webhooks import WebhookSender, check_receiver
from tests.servers import FakeServer, Reply

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PRIVATE = [
    "http://127.0.0.1/", "http://localhost:8080/x", "https://app.localhost/", "http://10.1.2.3/", "http://192.168.0.1/",
    "http://172.16.5.5/", "http://169.254.169.254/latest/meta-data", "http://100.64.0.1/", "http://0.0.0.0/",
    "http://[::1]/", "http://[fe80::1]/", "http://[fc00::1]/", "http://[::ffff:127.0.0.1]/", "http://224.0.0.1/",
    "http://[fec0::1]/", "http://[64:ff9b:1::7f00:1]/", "http://[::7f00:1]/", "http://[::ffff:0:7f00:1]/",
    "http://[3fff::1]/", "http://[4000::1]/", "http://168.63.129.16/",
    "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://[::ffff:10.0.0.1]/",
]  # fmt: skip


@pytest.mark.parametrize("url", PRIVATE)
def test_addresses_of_private_networks_are_refused(url: str) -> None:
    with pytest.raises(WebhookRefused):
        check_receiver(url, allow_private=False)
    check_receiver(url, allow_private=True)


@pytest.mark.parametrize("url", ["https://example.org/hook", "http://93.184.215.14/", "https://[2606:4700::1111]/"])
def test_public_addresses_are_accepted(url: str) -> None:
    check_receiver(url, allow_private=False)


@pytest.mark.parametrize("url", ["ftp://example.org", "file:///etc/passwd", "https://", "https://me:word@example.org/"])
def test_what_cannot_be_called_is_refused_always(url: str) -> None:
    with pytest.raises(WebhookRefused):
        check_receiver(url, allow_private=True)


async def test_a_name_that_resolves_to_a_private_address_is_not_called() -> None:
    server = FakeServer([Reply(200, {})])
    try:
        port = server.url.rsplit(":", 1)[1]
        for name in ("127.1", "2130706433", "0x7f000001"):
            delivery = await WebhookSender(SECRET).deliver(f"http://{name}:{port}/", b"{}", "job.1", 1)
            assert delivery.outcome == "refused", (name, delivery)
        assert server.requests == []
        assert (
            await WebhookSender(SECRET, allow_private=True).deliver(f"{server.url}/", b"{}", "job.1", 1)
        ).outcome == "delivered"
        assert server.requests[0].headers["host"] == f"127.0.0.1:{port}"
    finally:
        server.stop()


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "a..b", ".a.b", "x" * 300])
async def test_a_name_that_no_resolver_takes_is_a_result(host: str) -> None:
    delivery = await WebhookSender(SECRET, allow_private=True).deliver(f"https://{host}/", b"{}", "job.1", 1)
    assert delivery.outcome in {"refused", "failed"}
    assert delivery.message


async def test_nobody_listening_is_a_result() -> None:
    delivery = await WebhookSender(SECRET, allow_private=True).deliver("http://127.0.0.1:9/", b"{}", "job.1", 3)
    assert (delivery.outcome, delivery.status_code, delivery.number) == ("failed", None, 3)
    assert delivery.message
