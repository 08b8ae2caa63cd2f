"""The application: routes put together, connections opened and closed."""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, compile_path

from api import catalog, control, docs, files, jobs, problems, stream
from api.context import Context
from api.correlation import CorrelationMiddleware
from api.watch import Watchers
from jobstate.connection import QUICK, connect
from jobstate.reader import JobReader
from picturelock import __version__
from picturelock.models import ExportRequest
from picturelock.settings import Settings, settings
from picturelock.storage import Store

_DESCRIPTION: Final = (
    "A script goes in, a verified, narrated, captioned film comes out. "
    "Every view of a job is one function of one Temporal execution."
)


class DuplicateRoute(RuntimeError):
    """Two routes for one method and path: the application refuses to start."""


def create_app(configured: Settings | None = None) -> FastAPI:
    """The application. Temporal may be away when it starts; it answers 503 until it is there."""
    chosen = configured or settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        client = await connect(identity=f"api:{os.getpid()}@{socket.gethostname()}", retry_config=QUICK, lazy=True)
        reader = JobReader(client, chosen.temporal_ui_url)
        store = Store(chosen.store_location, chosen.scratch)
        app.state.context = Context(client, reader, Watchers(reader), store, chosen)
        yield

    app = FastAPI(
        title="Picturelock",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.add_middleware(CorrelationMiddleware, on_error=problems.unexpected)
    problems.install(app)
    for module in (jobs, control, stream, files, catalog):
        app.include_router(module.router)
    docs.install(app)
    refuse_duplicates(app.routes)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def refuse_duplicates(routes: list[BaseRoute]) -> None:
    """Raises DuplicateRoute when two routes answer one method and path, whatever their parameters are called."""
    seen: dict[tuple[str, str], str] = {}
    for route in routes:
        if not isinstance(route, APIRoute):
            continue
        _, shape, parameters = compile_path(route.path)
        for name in parameters:
            shape = shape.replace("{" + name + "}", "{}")
        for method in route.methods or ():
            if (method, shape) in seen:
                raise DuplicateRoute(f"{method} {route.path} and {seen[method, shape]}")
            seen[method, shape] = route.path


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        schema = ExportRequest.model_json_schema(ref_template="#/components/schemas/{model}")
        definitions = schema.pop("$defs", {})
        script = schema["properties"]["script"]
        script["anyOf"].insert(0, {"type": "string", "description": "A script in Markdown."})
        document.setdefault("components", {}).setdefault("schemas", {}).update({**definitions, "ExportRequest": schema})
        app.openapi_schema = document
    return app.openapi_schema
