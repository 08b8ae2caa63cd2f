"""The OpenAPI document: what FastAPI finds out by itself, with the shapes of what is read and answered by hand.

It is made for generators: short names of operations, every body and event a component, binary answers as such, the
headers that clients need, and the webhook.
"""

import json
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from pydantic.alias_generators import to_camel

from api.access import COOKIE
from api.body import REF
from api.notices import EVENTS
from api.problems import PROBLEM, ProblemDocument
from api.sessions import LinkWanted, Login
from api.shares import ShareToken, ShareWanted
from picturelock.models import ExportRequest, JobStatus, Model
from picturelock.models.batch import BatchRequest

_SCHEMES: Final[dict[str, dict[str, str]]] = {
    "key": {"type": "http", "scheme": "bearer", "description": "An API key, where the installation asks for keys."},
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
}
_REFUSALS: Final = {
    "401": "No key, or none that is valid, where the installation asks for keys.",
    "403": "The key has not the scope that this needs, or a page of another site asks.",
    "421": "The name in `Host` is none of this server's.",
    "429": "More than the installation allows: `Retry-After` says when to ask again.",
}
_BODIES: Final = (ExportRequest, BatchRequest, Login, LinkWanted, ShareWanted, ShareToken)
"""What is read by hand: FastAPI does not know of it."""

_TEXT: Final = {"schema": {"type": "string"}}
_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
_EVENTS: Final = {
    "schema": {"$ref": REF.format(model="StreamEvent")},
    "x-events": {name: {"$ref": REF.format(model=model.__name__)} for name, model in EVENTS.items()},
}
_HEADERS: Final[dict[str, dict[str, str]]] = {
    "Location": {"202": "Where the job or batch is.", "200": "", "201": "Where the pieces go."},
    "ETag": {"200": "Of this state."},
    "Upload-Offset": {"200": "How many bytes have come.", "204": "How many bytes have come."},
    "Upload-Asset-Id": {"204": "The file's id, once it is whole."},
}
_WITH_HEADERS: Final[dict[str, tuple[str, ...]]] = {
    "createJob": ("Location",),
    "createBatch": ("Location",),
    "createUpload": ("Location",),
    "readJob": ("ETag",),
    "readOffset": ("Upload-Offset",),
    "appendPiece": ("Upload-Offset", "Upload-Asset-Id"),
}
_EXAMPLES: Final = {
    "markdown": {
        "summary": "A script in Markdown",
        "value": {"script": "# Tides\n\n## The sea breathes\n\nTwice a day the sea breathes in.", "theme": "daylight"},
    },
    "scenes": {
        "summary": "Scenes, and wishes",
        "value": {
            "script": {"title": "Tides", "scenes": [{"title": "The sea", "narration": "Twice a day the sea rises."}]},
            "video": {"preset": "preview"},
            "captions": {"style": "karaoke"},
        },
    },
    "brief": {
        "summary": "A brief",
        "value": {"brief": {"topic": "The sea rises twice a day. The Moon pulls it."}},
    },
}


class StreamEvent(Model):
    """A server-sent event, as a reader of such streams has it."""

    event: str = Field(description="Its name.")
    data: str = Field(description="JSON, for each name as `x-events` says.")
    id: str | None = Field(default=None, description="For `Last-Event-ID`, to go on from there.")
    retry: int | None = Field(default=None, description="Milliseconds until a lost stream is opened again.")


def install(app: FastAPI) -> None:
    """Makes the application describe itself by this document."""
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]


def operation_id(route: APIRoute) -> str:
    """The name of an operation: that of its function.

    `create_job` gives `createJob`.
    """
    return to_camel(route.name)


def _document(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        for model in _BODIES:
            asked = _schemas(model, "validation")
            schemas.update({name: _optional(schema) for name, schema in asked.items()})
        answers: list[type[BaseModel]] = [ProblemDocument, StreamEvent, *EVENTS.values()]
        for answer in answers:
            schemas.update(_schemas(answer, "serialization"))
        schemas["JobEnded"] = _job_ended()
        document["components"]["securitySchemes"] = _SCHEMES
        document["security"] = [{}, *({name: []} for name in _SCHEMES)]
        for operation in (one for path in document["paths"].values() for one in path.values()):
            _complete(operation)
        request = document["paths"]["/api/jobs"]["post"]["requestBody"]["content"]["application/json"]
        request["examples"] = _EXAMPLES
        document["webhooks"] = {"jobEnded": {"post": _webhook()}}
        source = schemas["ExportRequest"]["properties"]["script"]
        source["anyOf"].insert(0, {"type": "string", "description": "A script in Markdown."})
        app.openapi_schema = document
    return app.openapi_schema


def _optional(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema of what is sent, with its defaults in words.

    openapi-typescript, among others, takes a field that has a default for one that is always there, and has to be sent.
    """
    properties = {name: dict(said) for name, said in schema.get("properties", {}).items()}
    for said in properties.values():
        default = said.pop("default", None)
        if "const" not in said and isinstance(default, bool | int | float | str) and default != "":
            said["description"] = f"{said.get('description', '')} Default: `{json.dumps(default)}`.".strip()
    return {**schema, **({"properties": properties} if properties else {})}


def _complete(operation: dict[str, Any]) -> None:
    """Adds what is the same everywhere, and says of every answer what it is."""
    for status, text in _REFUSALS.items():
        operation["responses"].setdefault(status, {**PROBLEM, "description": text})
    for name in _WITH_HEADERS.get(operation["operationId"], ()):
        for status, text in _HEADERS[name].items():
            if status in operation["responses"]:
                headers = operation["responses"][status].setdefault("headers", {})
                headers[name] = {"description": text or "Where it is.", "schema": {"type": "string"}}
    for answer in operation["responses"].values():
        for media_type, content in answer.get("content", {}).items():
            if "schema" not in content:
                content.update(_kind(media_type))


def _kind(media_type: str) -> dict[str, Any]:
    if media_type == "text/event-stream":
        return _EVENTS
    return _TEXT if media_type.startswith("text/") or "mpegurl" in media_type else _BINARY


def _job_ended() -> dict[str, Any]:
    named = {
        "type": {"type": "string", "enum": ["job-completed", "job-failed", "job-cancelled"]},
        "timestamp": {"type": "string", "format": "date-time"},
    }
    more = {"type": "object", "properties": named, "required": sorted(named)}
    return {
        "description": "What a webhook says: the last JobStatus, with the name of its event and when it happened.",
        "allOf": [{"$ref": REF.format(model=JobStatus.__name__)}, more],
    }


def _webhook() -> dict[str, Any]:
    signed = ("webhook-id", "webhook-timestamp", "webhook-signature")
    return {
        "operationId": "jobEnded",
        "summary": "The end of a job that was asked for with a webhook, signed by the Standard Webhooks scheme.",
        "parameters": [
            {"name": name, "in": "header", "required": True, "schema": {"type": "string"}} for name in signed
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": REF.format(model="JobEnded")}}},
        },
        "responses": {
            "2XX": {"description": "Taken."},
            "410": {"description": "Nobody wants it any more: no delivery follows."},
        },
    }


def _schemas(model: type[BaseModel], mode: Any) -> dict[str, Any]:  # noqa: ANN401 - a literal of pydantic's
    schema = model.model_json_schema(ref_template=REF, mode=mode)
    return {**schema.pop("$defs", {}), model.__name__: schema}
