"""Free ports on the loopback interface."""

import contextlib
import ipaddress
import socket
from collections.abc import Callable

HOST = "127.0.0.1"


def is_loopback(host: str) -> bool:
    """Whether an address is one of this machine's own, which nobody else reaches.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def is_free(port: int) -> bool:
    """Whether nothing listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def any_free() -> int:
    """Some free port."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def choose(wanted: int, name: str, say: Callable[[str], None]) -> int:
    """The wanted port, the next free one after it (and says so), or any for 0."""
    if wanted == 0:
        return any_free()
    for port in range(wanted, min(wanted + 100, 65_536)):
        if is_free(port):
            if port != wanted:
                say(f"port {wanted} is taken; the {name} listens on {port}")
            return port
    return any_free()
