"""Webhooks by the Standard Webhooks scheme (https://www.standardwebhooks.com): checked, signed, delivered.

A message is delivered at least once; `webhook-id` is the same at every attempt, so that a receiver can tell.
"""

import asyncio
import ipaddress
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import SplitResult, urlsplit, urlunsplit

import httpx

from picturelock.errors import WebhookRefused
from picturelock.jobs.stages import DELIVERY_SECONDS
from picturelock.models import Delivery, DeliveryOutcome

_GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_DENIED: Final = tuple(
    ipaddress.ip_network(network)
    for network in ("3fff::/20", "2001:db8::/32", "192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32")
)
"""Not public, whatever a release of Python says: documentation, old relays, a cloud's host service."""

_GONE: Final = 410
_SAID: Final = 200


def check_url(url: str, *, allow_private: bool) -> None:
    """Refuses an address that no webhook may go to, as far as it can be known without a look-up of its name.

    Raises:
        WebhookRefused: not http(s), with credentials, or an address of a private network.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not host:
        raise WebhookRefused("only http and https addresses can be called")
    if parts.username or parts.password:
        raise WebhookRefused("credentials do not belong into an address; the signature proves who calls")
    if allow_private:
        return
    if host == "localhost" or host.endswith(".localhost"):
        raise WebhookRefused(f"{host} is not a public address")
    try:
        literal = ipaddress.ip_address(host)
    except ValueError:
        return
    _require_public(literal, host)


@dataclass(frozen=True, slots=True)
class WebhookSender:
    """Delivers messages. `secret` signs them; private addresses are refused unless allowed."""

    secret: str
    allow_private: bool = False

    async def deliver(self, url: str, body: bytes, message_id: str, number: int) -> Delivery:
        """One attempt. What goes wrong with it is told by the result, never raised."""
        at, started = datetime.now(UTC), time.monotonic()
        code: int | None = None
        try:
            async with asyncio.timeout(DELIVERY_SECONDS):
                code, said = await self._post(url, body, message_id, at)
            outcome: DeliveryOutcome = "delivered" if 200 <= code < 300 else "gone" if code == _GONE else "failed"
        except WebhookRefused as error:
            outcome, said = "refused", error.message
        except TimeoutError:
            outcome, said = "failed", f"no answer within {DELIVERY_SECONDS:.0f} s"
        except (httpx.HTTPError, OSError) as error:
            outcome, said = "failed", f"{type(error).__name__}: {error}"[:_SAID]
        except (httpx.InvalidURL, ValueError) as error:  # a name that no resolver takes
            outcome, said = "refused", f"{type(error).__name__}: {error}"[:_SAID]
        seconds = round(time.monotonic() - started, 3)
        return Delivery(number=number, at=at, seconds=seconds, outcome=outcome, status_code=code, message=said)

    async def _post(self, url: str, body: bytes, message_id: str, at: datetime) -> tuple[int, str]:
        from standardwebhooks import Webhook  # noqa: PLC0415 - an API only checks addresses and needs no signer

        check_url(url, allow_private=self.allow_private)
        parts = urlsplit(url)
        address = await self._resolve(parts)
        headers = {
            "Host": parts.netloc,
            "Content-Type": "application/json",
            "User-Agent": "Picturelock-Webhooks/1",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(self.secret).sign(message_id, at, body.decode()),
        }
        # The address that was checked is the one that is called: a name may resolve to another one a moment later.
        target = urlunsplit(parts._replace(netloc=f"{address}:{parts.port}" if parts.port else address))
        async with (
            httpx.AsyncClient(timeout=DELIVERY_SECONDS, trust_env=False, follow_redirects=False) as client,
            client.stream(
                "POST", target, content=body, headers=headers, extensions={"sni_hostname": parts.hostname or ""}
            ) as response,
        ):
            return response.status_code, response.reason_phrase[:_SAID]

    async def _resolve(self, parts: SplitResult) -> str:
        """An address of the host, every one of which must be allowed. An IPv6 address comes in brackets."""
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        infos = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(info[4][0]) for info in infos]
        if not self.allow_private:
            for address in addresses:
                _require_public(address, host)
        first = addresses[0]
        return f"[{first}]" if first.version == 6 else str(first)


def _require_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address, host: str) -> None:
    # Addresses that carry an IPv4 one are as public as it is; all other public IPv6 addresses begin with 001.
    inner = _carried(address) if isinstance(address, ipaddress.IPv6Address) else address
    outside = isinstance(inner, ipaddress.IPv6Address) and inner not in _GLOBAL_UNICAST
    hidden = any(inner in network for network in _DENIED if network.version == inner.version)
    if outside or hidden or not inner.is_global or inner.is_multicast:
        raise WebhookRefused(f"{host} is not a public address")


def _carried(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    if address.teredo:
        return address.teredo[1]
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
