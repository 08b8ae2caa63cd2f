"""Calls that somebody else's words decide: where they may go, checked at the moment of the call.

A receiver of webhooks is named by a client, the address of a picture by a provider. Either may name a machine that only
this one reaches: a database, a cloud's metadata service, the user's own router. So the address that a name stands for
is looked up, checked and then called itself, for every redirect anew: a name may stand for another one a moment later.

Example:
    async with httpx.AsyncClient(transport=GuardedTransport()) as client:
        await client.get("https://pictures.example/1.jpg")
"""

import asyncio
import ipaddress
import socket
from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

import httpx

_GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_DENIED: Final = tuple(
    ipaddress.ip_network(network)
    for network in ("3fff::/20", "2001:db8::/32", "192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32")
)
"""Not public, whatever a release of Python says: documentation, old relays, a cloud's host service."""

_PORTS: Final = {"http": 80, "https": 443}
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressRefused(httpx.RequestError):
    """An address that may not be called."""


def check_url(url: str, *, allow_private: bool) -> None:
    """Refuses an address that may not be called, as far as it can be known without a look-up of its name.

    Raises:
        AddressRefused: not http(s), with credentials, or an address of a private network.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in _PORTS or not host:
        raise AddressRefused("only http and https addresses can be called")
    if parts.username or parts.password:
        raise AddressRefused("credentials do not belong into an address")
    if allow_private:
        return
    if host == "localhost" or host.endswith(".localhost"):
        raise AddressRefused(f"{host} is not a public address")
    try:
        literal = ipaddress.ip_address(host)
    except ValueError:
        return
    _require_public(literal, host)


class GuardedTransport(httpx.AsyncHTTPTransport):
    """httpx's transport, which calls public addresses only; `trusted` origins, such as a configured one's, excepted.

    It knows no proxies: one would look names up by itself.
    """

    def __init__(self, trusted: Collection[str] = (), *, allow_private: bool = False) -> None:
        super().__init__(trust_env=False)
        self._trusted = frozenset(origin(url) for url in trusted)
        self._allow_private = allow_private

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Calls the address that was checked. Raises AddressRefused, and what httpx raises."""
        url = str(request.url)
        allowed = self._allow_private or origin(url) in self._trusted
        check_url(url, allow_private=allowed)
        host = request.url.host
        address = await _resolve(host, request.url.port or _PORTS[request.url.scheme], allow_private=allowed)
        pinned = httpx.Request(
            request.method,
            request.url.copy_with(host=address),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": host},
        )
        return await super().handle_async_request(pinned)


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of an address.

    >>> origin("https://films.example/x")
    ('https', 'films.example', 443)
    """
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme, 0)


async def _resolve(host: str, port: int, *, allow_private: bool) -> str:
    """An address of the host, every one of which must be allowed."""
    infos = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [ipaddress.ip_address(info[4][0]) for info in infos]
    if not allow_private:
        for address in addresses:
            _require_public(address, host)
    return str(addresses[0])


def _require_public(address: Address, host: str) -> None:
    # Addresses that carry an IPv4 one are as public as it is; all other public IPv6 addresses begin with 001.
    inner = _carried(address) if isinstance(address, ipaddress.IPv6Address) else address
    outside = isinstance(inner, ipaddress.IPv6Address) and inner not in _GLOBAL_UNICAST
    hidden = any(inner in network for network in _DENIED if network.version == inner.version)
    if outside or hidden or not inner.is_global or inner.is_multicast:
        raise AddressRefused(f"{host} is not a public address")


def _carried(address: ipaddress.IPv6Address) -> Address:
    if address.teredo:
        return address.teredo[1]
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
