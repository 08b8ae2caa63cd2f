"""Small real HTTP servers that answer as they are told."""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Reply:
    """One answer: a status and JSON, or bytes of a media type."""

    status: int
    body: object
    media_type: str = "application/json"

    def encoded(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Received:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class FakeServer:
    """Answers the requests in turn; the last answer serves for all that follow."""

    replies: list[Reply]
    requests: list[Received] = field(default_factory=list)
    routes: dict[str, Reply] = field(default_factory=dict)
    """Answers by the beginning of a path, whatever the order in which they are asked."""
    headers: dict[str, str] = field(default_factory=dict)
    """Of every answer."""
    date: str = ""
    """What it says the time is; empty: what it is."""

    def __post_init__(self) -> None:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.do_POST()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {key.lower(): value for key, value in self.headers.items()}
                outer.requests.append(Received(self.path, headers, body))
                in_turn = outer.replies[min(len(outer.requests), len(outer.replies)) - 1]
                reply = next((one for path, one in outer.routes.items() if self.path.startswith(path)), in_turn)
                data = reply.encoded()
                self.send_response(reply.status)
                self.send_header("content-type", reply.media_type)
                self.send_header("content-length", str(len(data)))
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def date_time_string(self, timestamp: float | None = None) -> str:
                return outer.date or super().date_time_string(timestamp)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
