"""Everything the OpenAPI document allows is asked; nothing undocumented and no 5xx may come back."""

import asyncio
import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create_app
from picturelock.settings import Settings
from tests.api.conftest import Installation

ROOT = Path(__file__).parents[2]
EXCLUDED = (
    "/api/uploads/{upload_id}",  # schemathesis cannot send application/offset+octet-stream: test_uploads.py does
    "/api/voices/{engine}/{voice}/sample", "/api/plan", "/api/stills", "/api/sheet", "/api/events",
)  # fmt: skip
"""What says 503 here, where no worker is there to speak or to look, and the stream that has no end."""

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def document() -> dict[str, Any]:
    return create_app(Settings()).openapi()


def test_every_operation_has_a_short_name_of_its_own() -> None:
    names = [operation["operationId"] for path in document()["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names)) > 45
    assert {"createJob", "streamEvents", "downloadOutput", "createUpload"} <= set(names)
    assert max(map(len, names)) <= 20
    assert all(re.fullmatch("[a-z][A-Za-z]+", name) for name in names)


def test_everything_that_is_named_is_there_and_every_property_is_described() -> None:
    whole = document()
    schemas = whole["components"]["schemas"]
    named = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(whole)))
    assert named == set(schemas)
    assert "$defs" not in json.dumps(whole)
    silent = [
        f"{name}.{field}"
        for name, schema in schemas.items()
        for field, said in schema.get("properties", {}).items()
        if not said.get("description") and name != "JobEnded"
    ]
    assert silent == []


def test_every_answer_says_what_it_is() -> None:
    whole = document()
    for path, operations in whole["paths"].items():
        for method, operation in operations.items():
            for answer in operation["responses"].values():
                for media_type, content in answer.get("content", {}).items():
                    assert content.get("schema"), (method, path, media_type)
    film = whole["paths"]["/api/jobs/{job_id}/output"]["get"]["responses"]["200"]["content"]["video/mp4"]
    assert film["schema"] == {"type": "string", "format": "binary"}
    events = whole["paths"]["/api/jobs/{job_id}/events"]["get"]["responses"]["200"]["content"]["text/event-stream"]
    assert events["x-events"]["job-completed"] == {"$ref": "#/components/schemas/JobStatus"}
    assert set(whole["paths"]["/api/jobs"]["post"]["responses"]["202"]["headers"]) == {"Location"}
    assert whole["webhooks"]["jobEnded"]["post"]["requestBody"]["required"]


def test_every_event_of_the_reference_is_what_the_document_says() -> None:
    whole = document()
    said = whole["paths"]["/api/jobs/{job_id}/events"]["get"]["responses"]["200"]["content"]["text/event-stream"]
    stream = (ROOT / "docs" / "examples" / "events.txt").read_text()
    told = re.findall(r"^event: (\S+)\ndata: (.+)$", stream, re.MULTILINE)
    assert {name for name, _ in told} >= {"connected", "job-progress", "step-status", "warning", "heartbeat"}
    for name, text in told:
        schema = whole["components"]["schemas"][said["x-events"][name]["$ref"].rpartition("/")[2]]
        data = json.loads(text)
        assert set(data) <= set(schema["properties"]), name
        assert set(schema.get("required", [])) <= set(data), name


def test_what_people_read_names_no_inner_ids() -> None:
    stream = (ROOT / "docs" / "examples" / "events.txt").read_text()
    texts = re.findall(r'"message":"([^"]*)"', stream)
    assert any("a part of the rendering" in text for text in texts)
    assert [text for text in texts if re.search(r"\w+-\d{2,3}\b", text)] == []


async def test_the_examples_are_taken(http: httpx.AsyncClient) -> None:
    body = document()["paths"]["/api/jobs"]["post"]["requestBody"]["content"]["application/json"]
    for name, example in body["examples"].items():
        answer = await http.post("/api/jobs", json=example["value"])
        assert answer.status_code == 202, (name, answer.text)
        assert answer.headers["location"] == f"/api/jobs/{answer.json()['jobId']}"
        await http.post(f"/api/jobs/{answer.json()['jobId']}/cancel")


@pytest.mark.slow
@pytest.mark.usefixtures("no_leftovers")
async def test_no_answer_is_undocumented_and_none_is_a_server_error(installation: Installation, tmp_path: Path) -> None:
    key = await installation.key("schema")
    program = shutil.which("schemathesis", path=str(Path(sys.executable).parent)) or "schemathesis"
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    process = await asyncio.create_subprocess_exec(
        program, "--no-color", "run", f"{installation.url}/openapi.json", "-H", f"Authorization: Bearer {key}",
        "--checks", CHECKS, "--phases", "coverage,fuzzing",
        "--max-examples", "4", "--generation-deterministic", "--request-timeout", "10",
        *(word for path in EXCLUDED for word in ("--exclude-path", path)),
        cwd=tmp_path, env=unmeasured, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 140)  # 31 s alone; a guard against a hang, no bar
    assert process.returncode == 0, output.decode()
    assert "passed" in output.decode()
