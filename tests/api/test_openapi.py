"""Everything the OpenAPI document allows is asked; nothing undocumented and no 5xx may come back."""

import asyncio
import shutil
import sys
from pathlib import Path

import pytest

from tests.api.conftest import Installation

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_leftovers")]
EXCLUDED = ("/api/voices/{engine}/{voice}/sample", "/api/plan", "/api/stills", "/api/sheet", "/api/events")
"""What says 503 here, where no worker is there to speak or to look, and the stream that has no end."""

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


async def test_no_answer_is_undocumented_and_none_is_a_server_error(installation: Installation, tmp_path: Path) -> None:
    key = await installation.key("schema")
    program = shutil.which("schemathesis", path=str(Path(sys.executable).parent)) or "schemathesis"
    process = await asyncio.create_subprocess_exec(
        program, "--no-color", "run", f"{installation.url}/openapi.json", "-H", f"Authorization: Bearer {key}",
        "--checks", CHECKS, "--phases", "coverage,fuzzing",
        "--max-examples", "4", "--generation-deterministic", "--request-timeout", "10",
        *(word for path in EXCLUDED for word in ("--exclude-path", path)),
        cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 140)  # 31 s alone; a guard against a hang, no bar
    assert process.returncode == 0, output.decode()
    assert "passed" in output.decode()
