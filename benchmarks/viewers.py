"""Many viewers of event streams in one light process.

    python -m benchmarks.viewers --port 8080 --streams 2000 --seconds 20 JOB...

Opens the streams, waits until each has been acknowledged, then measures: how long every state took from its reading
by the watcher to the client. Prints one JSON object.
"""

import argparse
import asyncio
import json
import resource
import time
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from benchmarks.report import percentile

_AT_ONCE = 100


@dataclass
class Tally:
    """What all viewers together have seen."""

    acknowledged: list[float] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)
    states: int = 0
    lost: int = 0
    measuring: bool = False


class Viewer(asyncio.Protocol):
    """One stream. Parses no more than it must."""

    def __init__(self, path: str, tally: Tally, began: float) -> None:
        self._path = path
        self._tally = tally
        self._began = began
        self.ready = asyncio.get_running_loop().create_future()
        self.seen = 0
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(f"GET {self._path} HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        now = time.time()
        if not self.ready.done() and b"event: connected" in data:
            self._tally.acknowledged.append(time.perf_counter() - self._began)
            self.ready.set_result(None)
        data = self._rest + data
        at = data.find(b"\n: ")
        while at >= 0 and len(data) - at > 30:
            self.seen += 1
            if self._tally.measuring:
                self._tally.states += 1
                said = data[at + 3 : data.index(b"\n", at + 1)].decode()
                self._tally.lags.append(now - datetime.fromisoformat(said).timestamp())
            at = data.find(b"\n: ", at + 3)
        self._rest = data[at:] if at >= 0 else data[-3:]

    def connection_lost(self, _exc: Exception | None) -> None:
        if self._tally.measuring or not self.ready.done():
            self._tally.lost += 1
        if not self.ready.done():
            self.ready.set_result(None)

    def close(self) -> None:
        self._transport.abort()


async def watch(port: int, jobs: list[str], streams: int, seconds: float, limit: int) -> dict[str, object]:
    """Watches, and says what it saw."""
    loop, tally = asyncio.get_running_loop(), Tally()
    viewers: list[Viewer] = []
    for start in range(0, streams, limit):
        began = time.perf_counter()
        opening = [
            loop.create_connection(
                partial(Viewer, f"/api/jobs/{jobs[n % len(jobs)]}/events", tally, began), "127.0.0.1", port
            )
            for n in range(start, min(start + limit, streams))
        ]
        batch = [viewer for _, viewer in await asyncio.gather(*opening)]
        await asyncio.gather(*(viewer.ready for viewer in batch))
        viewers += batch
    if seconds:
        await asyncio.sleep(3)
        tally.measuring = True
        before = [viewer.seen for viewer in viewers]
        await asyncio.sleep(seconds)
        tally.measuring = False
    silent = sum(viewer.seen == had for viewer, had in zip(viewers, before, strict=True)) if seconds else 0
    for viewer in viewers:
        viewer.close()
    return {
        "acknowledged_p50": percentile(tally.acknowledged, 0.5),
        "acknowledged_p99": percentile(tally.acknowledged, 0.99),
        "acknowledged": tally.acknowledged,
        "lag_p50": percentile(tally.lags, 0.5) if tally.lags else None,
        "lag_p99": percentile(tally.lags, 0.99) if tally.lags else None,
        "states": tally.states,
        "lost": tally.lost,
        "silent": silent,
    }


def main() -> None:
    """Reads the command line and watches."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--streams", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--at-once", type=int, default=_AT_ONCE)
    parser.add_argument("jobs", nargs="+")
    given = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(json.dumps(asyncio.run(watch(given.port, given.jobs, given.streams, given.seconds, given.at_once))))


if __name__ == "__main__":
    main()
