"""The application: routes put together, connections opened and closed."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, compile_path
from temporalio.client import Client

from api import (
    assets,
    batches,
    catalog,
    codec,
    control,
    create,
    deletion,
    docs,
    files,
    health,
    jobs,
    many,
    metrics,
    openapi,
    page,
    plan,
    preview,
    problems,
    sessions,
    shares,
    stream,
    strip,
    uploads,
    voices,
    webhooks,
)
from api.access import AccessGuard
from api.browsers import BrowserGuard
from api.context import Services
from api.correlation import CorrelationMiddleware
from api.health import Readiness
from api.metrics import Meters, MetricsMiddleware
from api.quotas import Quotas
from api.watch import Watchers
from picturelock import __version__
from picturelock.auth.keyring import Keyring
from picturelock.auth.tokens import Signer
from picturelock.jobs.archive import Archive
from picturelock.jobs.film_view import FilmViews
from picturelock.preview.stretches import Stretches
from picturelock.settings import Settings, settings
from picturelock.store.owned_assets import OwnedAssets
from picturelock.store.store import Store
from picturelock.temporal.connection import QUICK, connect, when_there
from picturelock.temporal.film_records import FilmRecords
from picturelock.temporal.owners import ensure_attribute
from picturelock.temporal.reader import JobReader

_ROUTES: Final = (
    stream, create, jobs, control, files, assets, deletion, sessions, webhooks, codec, catalog, health, voices, metrics,
    page, strip, preview, plan, many, batches, uploads, shares,
)  # fmt: skip
"""The busiest first: they are looked through in this order."""

_DESCRIPTION: Final = (
    "A script goes in, a verified, narrated, captioned film comes out. "
    "Every view of a job is one function of one Temporal execution."
)


async def _warm(client: Client, reader: JobReader, *, owners: bool) -> None:
    await when_there(client.service_client.check_health)
    if owners:
        await ensure_attribute(client)
    await reader.workers.read()


class DuplicateRoute(RuntimeError):
    """Two routes for one method and path: the application refuses to start."""


def create_app(configured: Settings | None = None) -> FastAPI:
    """The application. Temporal may be away when it starts; it answers 503 until it is there."""
    chosen = configured or settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        client = await connect(identity=f"api:{os.getpid()}@{socket.gethostname()}", retry_config=QUICK, lazy=True)
        store = Store(chosen.store_location, chosen.scratch)
        reader = JobReader(client, chosen.temporal_ui_url, Archive(store))
        watchers = Watchers(reader)
        meters.watch(watchers)
        signer = Signer((chosen.server_secret.get_secret_value() if chosen.server_secret else "").encode())
        app.state.services = Services(
            client,
            reader,
            watchers,
            store,
            chosen,
            Keyring(store),
            signer,
            OwnedAssets(store),
            Readiness(),
            Quotas(chosen),
            FilmRecords(client),
            FilmViews(store),
            Stretches(store),
        )
        # The first connection takes a while, and so does the first list of workers: neither should be a client's.
        warming = asyncio.create_task(_warm(client, reader, owners=chosen.authentication == "keys"))
        yield
        warming.cancel()

    app = FastAPI(
        title="Picturelock",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=lifespan,
        generate_unique_id_function=openapi.operation_id,
        docs_url=None,
        redoc_url=None,
    )
    meters = app.state.meters = Meters()
    app.add_middleware(AccessGuard, settings=chosen)
    origins = [origin.strip() for origin in chosen.cors_origins.split(",") if origin.strip()]
    app.add_middleware(BrowserGuard, hosts=chosen.allowed_hosts.split(","), origins=origins)
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["ETag", "Location", "Retry-After", "X-Correlation-ID", *uploads.HEADERS],
        )
    app.add_middleware(CorrelationMiddleware, on_error=problems.unexpected)
    app.add_middleware(MetricsMiddleware, meters=meters)  # the outermost: it counts what nothing else has answered, too
    problems.install(app)
    for module in _ROUTES:
        app.include_router(module.router)
    docs.install(app)
    refuse_duplicates(app.routes)
    openapi.install(app)
    return app


def flattened(routes: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    """The routes, with those of included routers in the places of these."""
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is None:
            yield route
        else:
            yield from flattened(included.routes)


def refuse_duplicates(routes: list[BaseRoute]) -> None:
    """Raises DuplicateRoute when two routes answer one method and path, whatever their parameters are called."""
    seen: dict[tuple[str, str], str] = {}
    for route in flattened(routes):
        if not isinstance(route, APIRoute):
            continue
        _, shape, parameters = compile_path(route.path)
        for name in parameters:
            shape = shape.replace("{" + name + "}", "{}")
        for method in route.methods or ():
            if (method, shape) in seen:
                raise DuplicateRoute(f"{method} {route.path} and {seen[method, shape]}")
            seen[method, shape] = route.path
