"""The documents are complete: a setting, a route, an event, a code or a target that is not described fails here."""

import ast
import json
import re
import shlex
from http import HTTPStatus
from pathlib import Path
from typing import Any

import typer

from api.app import create_app
from picturelock import errors
from picturelock.cli.main import app
from picturelock.client import Client
from picturelock.errors import all_errors
from picturelock.models import ExportRequest, JobStatus
from picturelock.script.intake import read_request
from scripts import reference
from scripts.settings_table import README, with_table

ROOT = Path(__file__).parents[2]
HTTP_API = (ROOT / "docs" / "http-api.md").read_text()
EVENTS = reference.EVENTS.read_text()
PACKAGES = ("picturelock", "activities", "workflows", "api")
CODE = re.compile(r"[A-Z]{2,}(_[A-Z]+)*")
STATUS_PHRASES = {status.name for status in HTTPStatus}
"""Codes of what the routing itself refuses."""

INTERNAL_CODES = {"STILL_OPEN"}
"""Between activities and Temporal alone: nobody else sees it."""

ONLY_WHEN_FAILED = {
    "error", "errorMessage", "etaSeconds", *(f"error.{name}" for name in
    ("code", "stage", "message", "remediation", "retryable", "attempt", "detail", "field")),
    "earlierAttempts[].error.detail", "earlierAttempts[].error.field",
}  # fmt: skip
"""What a finished job does not have."""


def test_the_readme_lists_every_setting() -> None:
    assert README.read_text() == with_table(README.read_text()), "run: python -m scripts.settings_table"


def test_every_route_is_described() -> None:
    for path, operations in create_app().openapi()["paths"].items():
        for method in operations:
            assert f"`{method.upper()} {path}`" in HTTP_API


def test_every_error_code_is_described_with_its_remedy() -> None:
    rows = HTTP_API.split("<!-- codes -->")[1].split("<!-- /codes -->")[0]
    assert re.findall(r"^\| `([A-Z_]+)`", rows, re.MULTILINE) == [error.code for error in all_errors()]
    for error in all_errors():
        assert error.remediation in rows
        assert error.__name__ in (errors.__doc__ or "")


def test_every_code_of_every_package_is_described_and_no_other() -> None:
    sources = {code for folder in PACKAGES for path in (ROOT / folder).rglob("*.py") for code in codes_in(path)}
    text = HTTP_API + (ROOT / "docs" / "operations.md").read_text()
    described = {
        one for one in re.findall(r"`([A-Z]{2,}(?:_[A-Z]+)*)`", HTTP_API) if not one.startswith(("PICTURELOCK", "POST"))
    }
    assert sources - set(re.findall(r"`([A-Z_]+)`", text)) == INTERNAL_CODES
    assert described <= sources | {error.code for error in all_errors()} | STATUS_PHRASES


def codes_in(path: Path) -> set[str]:
    """The codes that a module gives out: to problems, warnings, complaints, failures."""
    found = set[str]()
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        given = [one.value for one in node.keywords if one.arg in {"code", "type"}]
        if name in {"Problem", "warn", "_away"}:
            given += node.args[:2]
        found |= {str(one.value) for one in given if isinstance(one, ast.Constant) and CODE.fullmatch(str(one.value))}
    return found


def test_the_reference_is_what_the_code_says() -> None:
    for path, today in (
        (reference.PAGE, reference.page(reference.PAGE.read_text())),
        (reference.STATUS, reference.example_status()),
        (reference.EVENTS, reference.example_events().decode()),
        (reference.OPENAPI, reference.openapi()),
    ):
        assert path.read_text() == today, "run: python -m scripts.reference"


def test_every_field_of_request_and_status_has_words() -> None:
    for model in (ExportRequest, JobStatus):
        rows = [
            [cell.strip() for cell in line.split(" | ")]
            for line in reference.field_table(model, "serialization").splitlines()[2:]
        ]
        assert len(rows) > 60
        assert [row[0] for row in rows if not row[3].strip("| ")] == []


def test_the_example_status_has_every_field() -> None:
    status = json.loads(reference.STATUS.read_text())
    assert JobStatus.model_validate(status).model_dump(mode="json") == status
    told = [status, *(json.loads(data) for data in re.findall(r"^data: (.*)$", EVENTS, re.MULTILINE))]
    table = reference.field_table(JobStatus, "serialization")
    for path in re.findall(r"^\| `([^`]+)`", table, re.MULTILINE):
        if path not in ONLY_WHEN_FAILED:
            assert any(filled(one, path.replace("[]", "").split(".")) for one in told), path


def filled(value: Any, names: list[str]) -> bool:
    """Whether something stands at a path, in any item of the lists on the way."""
    if isinstance(value, list):
        return any(filled(one, names) for one in value)
    if not names:
        return value is not None
    return isinstance(value, dict) and names[0] in value and filled(value[names[0]], names[1:])


async def test_the_example_stream_is_one_that_a_client_reads() -> None:
    blocks = [dict(line.split(": ", 1) for line in one.split("\n")) for one in EVENTS.split("\n\n")[:-1]]
    names = [one["event"] for one in blocks]
    assert (names[0], names[-1]) == ("connected", "job-completed")
    assert set(names) == {"connected", "job-progress", "step-status", "warning", "heartbeat", "job-completed"}
    percents = [json.loads(one["data"])["percent"] for one in blocks if one["event"].startswith("job-")]
    assert percents == sorted(percents)
    ids = [tuple(map(int, one["id"].split("."))) for one in blocks if "id" in one]
    assert ids == sorted(ids)
    for one in blocks:
        if one["event"].startswith("job-"):
            JobStatus.model_validate_json(one["data"])


def test_every_event_is_described() -> None:
    source = "".join((ROOT / "api" / name).read_text() for name in ("events.py", "stream.py", "frames.py"))
    for name in set(re.findall(r'frame\(\s*"([a-z-]+)"', source)) | {"job-completed", "job-failed", "job-cancelled"}:
        assert f"`{name}`" in HTTP_API


def test_the_documented_requests_are_valid() -> None:
    blocks = re.findall(r"```json\n(.*?)```", HTTP_API.split("## JobStatus")[0], re.DOTALL)
    assert blocks
    for block in blocks:
        read_request(block.encode())
    body = re.search(r"-d '(\{.*?\})'\n", README.read_text())
    assert body is not None
    read_request(body.group(1).encode())
    topic = re.search(r'`(\{"brief".*?\}\})`', README.read_text())
    assert topic is not None
    assert json.loads(topic.group(1))
    read_request(topic.group(1).encode())


def test_the_readmes_commands_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(
        r"^make ([a-z-]+)", README.read_text() + (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE
    ):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    there = {command.callback.__name__ for command in app.registered_commands if command.callback}
    assert set(re.findall(r"^picturelock ([a-z]+)", README.read_text(), re.MULTILINE)) <= there


def test_lock_files_name_no_index_and_pin_everything() -> None:
    for path in (ROOT / "requirements").glob("*.lock"):
        text = path.read_text()
        assert "http:" not in text
        assert "https:" not in text
        assert "index" not in text
        for line in text.splitlines():
            assert line.startswith(("    --hash=sha256:", "#")) or "==" in line


def test_no_module_is_long_without_a_reason() -> None:
    for folder in ("picturelock", "activities", "workflows", "api"):
        for path in (ROOT / folder).rglob("*.py"):
            assert len(path.read_text().splitlines()) <= 320, path.name


def shell_lines() -> list[list[str]]:
    """The words of every command in the documents."""
    texts = [path.read_text() for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))]
    blocks = [
        block for text in texts for block in re.findall(r"^```(?:bash|sh)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    ]
    joined = "\n".join(re.sub(r"<<'END'.*?^END$", "", block, flags=re.MULTILINE | re.DOTALL) for block in blocks)
    lines = joined.replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True) for line in lines if line.strip()]


def parsed(command: Any, words: list[str], parent: Any = None) -> None:
    """Parses words as the command would; nothing runs."""
    if hasattr(command, "commands"):
        name, *rest = words
        parsed(command.commands[name], rest, command.make_context(name, [name], parent=parent))
    else:
        command.make_context(command.name, list(words), parent=parent)


def test_every_command_of_the_documents_is_one() -> None:
    commands = [words[1:] for words in shell_lines() if words and words[0] == "picturelock"]
    assert len(commands) > 20
    for words in commands:
        if not words[0].startswith("--"):
            parsed(typer.main.get_command(app), words)


def test_every_address_of_the_documents_is_one() -> None:
    paths = create_app().openapi()["paths"]
    shapes = {re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))): set(paths[path]) for path in paths}
    asked = [words for words in shell_lines() if words and words[0] == "curl"]
    assert len(asked) > 6
    for words in asked:
        address = next(word for word in words if word.startswith("localhost:8080/")).removeprefix("localhost:8080")
        sends = any(word in {"-d", "--data-binary"} for word in words) or "POST" in words
        methods = next((methods for shape, methods in shapes.items() if shape.fullmatch(address)), set())
        assert ("post" if sends else "get") in methods, address


def test_the_python_of_the_readme_names_calls_that_are_there() -> None:
    [block] = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    calls = {
        node.func.attr
        for node in ast.walk(ast.parse(block))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert calls >= {"create", "wait", "download"}
    assert all(hasattr(Client, name) for name in calls)
