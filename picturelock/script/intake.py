"""Reads what a client sends: a request body becomes an `ExportRequest`, or every complaint about it at once."""

import json
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from picturelock.errors import ClientError, InvalidRequest, InvalidScript
from picturelock.models import ExportRequest, Model
from picturelock.presets import check_together, resolve
from picturelock.script import front_matter
from picturelock.script.latex import FormulaError, typst_math
from picturelock.script.markdown import parse_script
from picturelock.themes import theme_of

_LONGEST: Final = 500
_MOST_COMPLAINTS: Final = 50
"""What is wrong with a request is listed up to so many; the others are counted."""


class FieldError(Model):
    """One thing that is wrong with a request, and where (a JSON path)."""

    path: str
    message: str
    code: str


class RequestRefused(Exception):
    """A request that cannot be accepted; `complaints` lists what is wrong with it."""

    def __init__(self, complaints: list[FieldError]) -> None:
        self.complaints = complaints[:_MOST_COMPLAINTS]
        hidden = len(complaints) - len(self.complaints)
        texts = [f"{complaint.path}: {complaint.message}" for complaint in self.complaints]
        super().__init__("; ".join([*texts, *([f"and {hidden} more"] if hidden else [])]))

    @property
    def code(self) -> str:
        """The code of the first complaint."""
        return self.complaints[0].code


def read_request(body: bytes) -> ExportRequest:
    """Parses and validates a request body (JSON).

    Raises:
        RequestRefused: with one complaint for each broken limit.
    """
    return request_of(read_body_of(body))


def read_body_of(body: bytes) -> Any:  # noqa: ANN401 - JSON
    """What a JSON body says. Raises RequestRefused: it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestRefused([FieldError(path="$", message=f"not JSON: {error}", code=InvalidRequest.code)]) from error


def complaints_of(error: ValidationError) -> list[FieldError]:
    """What pydantic has found wrong, in our words."""
    return [_complaint(detail) for detail in error.errors(include_url=False)]


def request_of(data: Any) -> ExportRequest:  # noqa: ANN401 - JSON
    """A request from JSON. Raises RequestRefused: with one complaint for each broken limit."""
    try:
        if isinstance(data, dict) and isinstance(data.get("script"), str):
            data = _with_markdown(data, data["script"])
        request = ExportRequest.model_validate(data, by_alias=True, by_name=False)
        check_together(request, resolve(request.video))
        theme_of(request.theme, request.brand)
        _check_formulas(request)
    except ValidationError as error:
        raise RequestRefused(complaints_of(error)) from error
    except ClientError as error:
        raise RequestRefused([FieldError(path=error.field or "$", message=error.reason, code=error.code)]) from error
    return request


def _with_markdown(data: dict[str, Any], source: str) -> dict[str, Any]:
    """The request with its Markdown read; what it says itself wins over the front matter."""
    settings, source = front_matter.split(source)
    language, title = (settings.pop(name, "") for name in ("language", "title"))
    try:
        script = parse_script(source, language or "en", title).model_dump(mode="json", exclude_unset=True)
    except ValidationError as error:
        raise RequestRefused([_complaint(detail, "script") for detail in error.errors(include_url=False)]) from error
    return settings | data | {"script": script}


def _check_formulas(request: ExportRequest) -> None:
    for index, scene in enumerate(request.script.scenes if request.script else []):
        for place, block in enumerate(scene.blocks):
            if block.kind == "formula":
                try:
                    typst_math(block.latex)
                except FormulaError as error:
                    where = f"line {block.line}: " if block.line else ""
                    path = f"script.scenes[{index}].blocks[{place}].latex"
                    raise InvalidScript(f"{where}{error}", field=path) from error


def _complaint(detail: ErrorDetails, path: str = "") -> FieldError:
    for part in detail["loc"]:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    path = f"{path}.narration" if detail["type"] == "narration_missing" else path
    path = path.lstrip(".") or "$"
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        message = f"unknown field {path.rsplit('.', 1)[-1]!r}"
    code = InvalidScript.code if path.startswith("script") else InvalidRequest.code
    return FieldError(path=_shortened(path), message=_shortened(message), code=code)


def _shortened(text: str) -> str:
    """What a client has sent comes back in complaints: not all of it."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
