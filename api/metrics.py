"""`GET /metrics`: what this process does, for Prometheus. Counters and gauges about the facade, never about a job."""

import time
from collections.abc import Iterable
from typing import Final

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.context import Shared
from api.watch import Watchers

router = APIRouter()
_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Meters:
    """The meters of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self.requests = Counter(
            "picturelock_http_requests", "Requests answered", ["method", "route", "status"], registry=self.registry
        )
        self.first_byte = Histogram(
            "picturelock_http_first_byte_seconds",
            "Time to the first byte of an answer",
            ["route"],
            buckets=_BUCKETS,
            registry=self.registry,
        )

    def watch(self, watchers: Watchers) -> None:
        """Adds the gauges of the event streams."""
        self.registry.register(_Streams(watchers))


class _Streams(Collector):
    def __init__(self, watchers: Watchers) -> None:
        self._watchers = watchers

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """The gauges, read when somebody asks."""
        yield GaugeMetricFamily("picturelock_streams", "Open event streams and long polls", self._watchers.subscribers)
        yield GaugeMetricFamily("picturelock_watchers", "Jobs that are watched", len(self._watchers))
        yield GaugeMetricFamily("picturelock_watch_tick_seconds", "Time between looks", self._watchers.tick_seconds)


class MetricsMiddleware:
    """Plain ASGI: counts answers by route and measures the time to the first byte."""

    def __init__(self, app: ASGIApp, meters: Meters) -> None:
        self._app = app
        self._meters = meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "none")
                self._meters.requests.labels(scope["method"], route, message["status"]).inc()
                self._meters.first_byte.labels(route).observe(time.perf_counter() - began)
            await send(message)

        await self._app(scope, receive, counted)


@router.get("/metrics", tags=["health"], response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def read_metrics(request: Request, _shared: Shared) -> Response:
    """The meters in Prometheus' text format."""
    meters: Meters = request.app.state.meters
    return Response(generate_latest(meters.registry), media_type=CONTENT_TYPE_LATEST)
