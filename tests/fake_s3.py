"""A small S3 server in memory whose writes can be made to fail, one after the other."""

import re
import threading
from dataclasses import dataclass, field
from email.utils import formatdate
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}


class _Handler(BaseHTTPRequestHandler):
    """One request to the server that the class was made for."""

    outer: "FakeS3"
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        path = self._path()
        self.outer.writes.append(path)
        if self.outer.fail_from is not None and len(self.outer.writes) >= self.outer.fail_from:
            self._answer(403, b"<Error><Code>AccessDenied</Code></Error>")
            return
        self.outer.objects[path] = body
        self._answer(200, b"", etag=body)

    def do_POST(self) -> None:
        """Deletes the objects that are listed in the body (DeleteObjects)."""
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        keys = re.findall(r"<Key>(.*?)</Key>", body)
        for key in keys:
            self.outer.objects.pop(f"{self._path()}/{key}", None)
        said = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
        self._answer(200, f"<DeleteResult>{said}</DeleteResult>".encode())

    def do_GET(self) -> None:
        self._read(send=True)

    def do_HEAD(self) -> None:
        self._read(send=False)

    def _read(self, *, send: bool) -> None:
        data = self.outer.objects.get(self._path())
        if data is None:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>" if send else b"")
            return
        whole, status = data, 200
        if given := self.headers.get("range"):
            start, _, end = given.removeprefix("bytes=").partition("-")
            data, status = data[int(start) : int(end) + 1], 206
        headers = {"Content-Range": f"bytes {start}-{end}/{len(whole)}"} if status == 206 else {}
        self._answer(status, data, etag=whole, send=send, **headers)

    def _path(self) -> str:
        return unquote(urlsplit(self.path).path).removeprefix("/")

    def _answer(
        self, status: int, body: bytes, *, etag: bytes | None = None, send: bool = True, **headers: str
    ) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.send_header("last-modified", formatdate(usegmt=True))
        if etag is not None:
            self.send_header("etag", f'"{md5(etag, usedforsecurity=False).hexdigest()}"')
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if send:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@dataclass
class FakeS3:
    """Objects by their path. From write number `fail_from` on (counted from 1) every write is refused."""

    objects: dict[str, bytes] = field(default_factory=dict)
    fail_from: int | None = None
    writes: list[str] = field(default_factory=list)
    """The paths that were asked to be written, in order."""

    def __post_init__(self) -> None:
        handler = type("Handler", (_Handler,), {"outer": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
