"""Clients that others have written, or that programs make of the OpenAPI document, against a real API."""

import asyncio
import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest
from PIL import Image
from temporalio.testing import WorkflowEnvironment

from tests.api.conftest import Installation, installed
from tests.api.test_jobs import OpenStudio
from tests.api.test_uploads import picture
from tests.fake_activities import Studio

ROOT = Path(__file__).parents[2]
NODE = ROOT / "tests" / "node"
PYTHON_TOOLS = ROOT / ".openapi-venv" / "bin"
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_leftovers")]
needs_node = pytest.mark.skipif(
    not (NODE / "node_modules").is_dir() or shutil.which("node") is None,
    reason="there is no Node: scripts/install-node",
)
needs_generator = pytest.mark.skipif(not PYTHON_TOOLS.is_dir(), reason="make .openapi-venv/.installed")

BY_PYTHON = """
import sys
import time

from client import AuthenticatedClient
from client.api.jobs import create_job, read_job
from client.models import ExportRequest, JobAccepted, JobStatus, ProblemDocument, VideoOptions

base, key = sys.argv[1:]
api = AuthenticatedClient(base_url=base, token=key)
script = "# Tides\\n\\n## The sea breathes\\n\\nTwice a day the sea breathes in."
request = ExportRequest(script=script, video=VideoOptions(preset="preview"))
accepted = create_job.sync(client=api, body=request)
assert isinstance(accepted, JobAccepted), accepted
while True:
    job = read_job.sync(accepted.job_id, client=api, wait=5.0)
    assert isinstance(job, JobStatus), job
    if job.status in ("completed", "failed", "cancelled"):
        break
refused = create_job.sync(client=api, body=ExportRequest(script=""))
assert isinstance(refused, ProblemDocument), refused
print(job.job_id, job.status, job.title, refused.code)
"""


async def run(*command: str | Path, folder: Path) -> str:
    """What a program has written. It must end well."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, said.decode()
    return said.decode()


def key_of(http: httpx.AsyncClient) -> str:
    return http.headers["authorization"].removeprefix("Bearer ")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of somebody else's, with the packages of npm that it needs."""
    (tmp_path / "node_modules").symlink_to(NODE / "node_modules")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    return tmp_path


@needs_node
async def test_a_client_for_typescript_compiles_and_makes_the_film_of_the_readme(
    http: httpx.AsyncClient, installation: Installation, studio: OpenStudio, project: Path
) -> None:
    await studio(Studio())
    for name in ("generated.ts", "tsconfig.json"):
        shutil.copy(NODE / name, project)
    document = ROOT / "docs" / "openapi.json"
    tools = NODE / "node_modules" / ".bin"
    await run(tools / "openapi-typescript", document, "-o", project / "schema.d.ts", folder=project)
    await run(tools / "tsc", "-p", project, folder=project)
    said = json.loads(await run("node", "generated.js", installation.url, key_of(http), "small", folder=project))
    assert said == {
        "job": said["job"], "status": "completed", "film": said["film"], "title": "Tides", "code": "INVALID_SCRIPT",
    }  # fmt: skip
    assert said["film"] > 0


@needs_generator
async def test_a_client_for_python_makes_the_film_of_the_readme(
    http: httpx.AsyncClient, installation: Installation, studio: OpenStudio, tmp_path: Path
) -> None:
    await studio(Studio())
    document = ROOT / "docs" / "openapi.json"
    words = ("generate", "--path", document, "--output-path", tmp_path / "client", "--meta", "none")
    await run(PYTHON_TOOLS / "openapi-python-client", *words, folder=tmp_path)
    (tmp_path / "film.py").write_text(BY_PYTHON)
    said = await run(PYTHON_TOOLS / "python", "film.py", installation.url, key_of(http), folder=tmp_path)
    assert said.split()[1:] == ["completed", "Tides", "INVALID_SCRIPT"]


@needs_node
async def test_a_client_of_tus_goes_on_where_it_broke_off(
    http: httpx.AsyncClient, installation: Installation, project: Path
) -> None:
    file = project / "noise.png"
    file.write_bytes(picture(256))
    shutil.copy(NODE / "tus.mjs", project)
    said = json.loads(await run("node", "tus.mjs", installation.url, key_of(http), file, "20000", folder=project))
    assert said["assetId"] == f"sha256-{hashlib.sha256(file.read_bytes()).hexdigest()}"
    assert said["wentOnAt"] >= 20_000


@needs_node
async def test_our_client_sends_large_files_in_pieces_over_a_line_that_breaks(
    temporal: WorkflowEnvironment, project: Path
) -> None:
    Image.effect_noise((3_200, 3_200), 80).save(project / "large.png")
    size = (project / "large.png").stat().st_size
    assert size > 8 * 1024**2
    async with installed(temporal, project / "data") as installation:
        client = ROOT / "clients" / "js" / "picturelock.js"
        words = (client, installation.url, await installation.key("sender"), project / "large.png")
        said = json.loads(await run("node", NODE / "upload.mjs", *words, folder=project))
    digest = hashlib.sha256((project / "large.png").read_bytes()).hexdigest()
    assert said["assetId"] == said["again"] == f"sha256-{digest}"
    assert said["offsets"] == [0, 8 * 1024**2, 8 * 1024**2]
    assert said["shares"][0] == 0
    assert said["shares"][-1] == 1
    assert said["small"] == "ASSET_UNREADABLE"
