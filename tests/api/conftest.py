"""The API on a real socket, with a real Temporal server and a worker whose activities are a fake studio."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
import uvicorn
from temporalio.testing import WorkflowEnvironment

from api.app import create_app
from api.server import Server
from picturelock.cli.ports import any_free
from picturelock.settings import Settings
from tests.fake_activities import Studio
from tests.workflows.conftest import studio_open


@pytest_asyncio.fixture(scope="session")
async def api_url(temporal: WorkflowEnvironment, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The address of a running API."""
    patch = pytest.MonkeyPatch()
    patch.setenv("TEMPORAL_ADDRESS", temporal.client.service_client.config.target_host)
    data: Path = tmp_path_factory.mktemp("api")
    configured = Settings(data_dir=data, max_request_bytes=200_000, max_asset_bytes=2_000_000)
    port = any_free()
    server = Server(uvicorn.Config(create_app(configured), port=port, log_config=None, lifespan="on"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await task
    patch.undo()


@pytest_asyncio.fixture
async def http(api_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=api_url, timeout=30) as client:
        yield client


@pytest_asyncio.fixture
async def studio(temporal: WorkflowEnvironment) -> AsyncIterator[Callable[[Studio], AsyncExitStack]]:
    """Opens workers with the studio's activities until the test ends."""
    async with AsyncExitStack() as stack:

        async def open_studio(fake: Studio) -> None:
            await stack.enter_async_context(studio_open(temporal.client, fake))

        yield open_studio  # type: ignore[misc]
