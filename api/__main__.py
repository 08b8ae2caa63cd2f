"""Serves the API: `python -m api --host 127.0.0.1 --port 8080`, or a listening socket of its parent's: `--fd 3`."""

import argparse
import gc
import socket
import sys
from typing import Final

from pydantic import ValidationError

from api.app import create_app
from api.server import Server, configuration
from picturelock.cli.ports import is_loopback
from picturelock.logs import configure_logging
from picturelock.settings import settings

_SECRET_CHARACTERS: Final = 32


def main(arguments: list[str] | None = None) -> int:
    """Reads the command line and serves until SIGTERM."""
    parser = argparse.ArgumentParser(description="The Picturelock API.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--fd", type=int, help="a listening socket to serve, instead of host and port")
    parser.add_argument("--insecure", action="store_true", help="serve other machines without asking for keys")
    parser.add_argument("--when-told", action="store_true", help="serve only when a line comes on standard input")
    parsed = parser.parse_args(arguments)
    if parsed.when_told and not sys.stdin.readline():
        return 0  # whoever would have told has gone
    try:
        configured = settings()
    except ValidationError as error:
        return _refuse("; ".join(str(detail["msg"]) for detail in error.errors()))
    listener = socket.socket(fileno=parsed.fd) if parsed.fd is not None else None
    host = listener.getsockname()[0] if listener else parsed.host
    if configured.authentication == "off" and not parsed.insecure and not is_loopback(host):
        return _refuse(
            f"{host} is not this machine's own address, and nobody would have to say who he is: "
            "set PICTURELOCK_AUTHENTICATION=keys and make a key with `picturelock keys create`, or say --insecure"
        )
    secret = configured.server_secret.get_secret_value() if configured.server_secret else ""
    if configured.authentication == "keys" and len(secret) < _SECRET_CHARACTERS:
        return _refuse(f"authentication by keys needs PICTURELOCK_SERVER_SECRET, of {_SECRET_CHARACTERS} characters")
    configure_logging(configured.log_format, configured.log_level)
    app = create_app()
    # What is loaded by now stays. Otherwise a full collection visits it all while every stream waits (70 ms measured).
    gc.collect()
    gc.freeze()
    config = configuration(app, host=parsed.host, port=parsed.port)
    Server(config).run(None if listener is None else [listener])
    return 0


def _refuse(text: str) -> int:
    sys.stderr.write(f"{text}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
