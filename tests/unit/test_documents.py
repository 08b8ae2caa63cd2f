"""The documents are complete: a setting, a route, an event, a code or a target that is not described fails here."""

import json
import re
from pathlib import Path

from api.app import create_app
from picturelock import errors
from picturelock.errors import all_errors
from picturelock.scripting.intake import read_request
from scripts.settings_table import README, with_table

ROOT = Path(__file__).parents[2]
HTTP_API = (ROOT / "docs" / "http-api.md").read_text()


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


def test_every_code_in_the_sources_is_described() -> None:
    for folder in ("api", "picturelock"):
        for path in (ROOT / folder).rglob("*.py"):
            for code in re.findall(r'(?:Problem\(\s*\d+,\s*|code=)"([A-Z_]+)"', path.read_text()):
                assert f"`{code}`" in HTTP_API, f"{code} in {path.name}"


def test_every_event_is_described() -> None:
    source = "".join((ROOT / "api" / name).read_text() for name in ("events.py", "stream.py", "frames.py"))
    for name in set(re.findall(r'frame\(\s*"([a-z-]+)"', source)) | {"job-completed", "job-failed", "job-cancelled"}:
        assert f"`{name}`" in HTTP_API


def test_the_documented_requests_are_valid() -> None:
    blocks = re.findall(r"```json\n(.*?)```", HTTP_API, re.DOTALL)
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
    for name in re.findall(r"^picturelock ([a-z]+)", README.read_text(), re.MULTILINE):
        assert f"def {name}(" in (ROOT / "cli" / "main.py").read_text()


def test_lock_files_name_no_index_and_pin_everything() -> None:
    for path in (ROOT / "requirements").glob("*.lock"):
        text = path.read_text()
        assert "http:" not in text
        assert "https:" not in text
        assert "index" not in text
        for line in text.splitlines():
            assert line.startswith(("    --hash=sha256:", "#")) or "==" in line


def test_no_module_is_long_without_a_reason() -> None:
    for folder in ("picturelock", "jobstate", "activities", "workflows", "api", "cli"):
        for path in (ROOT / folder).rglob("*.py"):
            assert len(path.read_text().splitlines()) <= 320, path.name
