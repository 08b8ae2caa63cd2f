"""The OpenAPI document: what FastAPI finds out by itself, with the shapes of what is read and answered by hand."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from api.access import COOKIE
from api.problems import PROBLEM, ProblemDocument
from picturelock.models import ExportRequest

_REF: Final = "#/components/schemas/{model}"
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


def install(app: FastAPI) -> None:
    """Makes the application describe itself by this document."""
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.update(_schemas(ExportRequest, "validation"), **_schemas(ProblemDocument, "serialization"))
        document["components"]["securitySchemes"] = _SCHEMES
        document["security"] = [{}, *({name: []} for name in _SCHEMES)]
        for operation in (one for path in document["paths"].values() for one in path.values()):
            for status, text in _REFUSALS.items():
                operation["responses"].setdefault(status, {**PROBLEM, "description": text})
        source = schemas["ExportRequest"]["properties"]["script"]
        source["anyOf"].insert(0, {"type": "string", "description": "A script in Markdown."})
        app.openapi_schema = document
    return app.openapi_schema


def _schemas(model: type[BaseModel], mode: Any) -> dict[str, Any]:  # noqa: ANN401 - a literal of pydantic's
    schema = model.model_json_schema(ref_template=_REF, mode=mode)
    return {**schema.pop("$defs", {}), model.__name__: schema}
