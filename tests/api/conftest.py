"""The API on a real socket, with a real Temporal server and a worker whose activities are a fake studio.

It asks for keys, and every test has two owners: whatever the first one does, the second one sees nothing of it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr
from temporalio.testing import WorkflowEnvironment

from api.app import create_app
from api.server import Server, configuration
from picturelock.auth.caller import SCOPES, Scope
from picturelock.auth.keyring import Keyring
from picturelock.auth.keys import new_key
from picturelock.cli.ports import any_free
from picturelock.settings import Settings
from picturelock.store.store import Store
from tests.fake_activities import Studio
from tests.workflows.conftest import studio_open


@dataclass(frozen=True)
class Installation:
    """A running API that asks for keys."""

    url: str
    settings: Settings

    @property
    def store(self) -> Store:
        return Store(self.settings.store_location, self.settings.scratch)

    async def key(self, owner: str, *scopes: Scope) -> str:
        """The text of a new key; it opens everything unless scopes are named."""
        key, text = new_key(owner, scopes or SCOPES)
        await Keyring(self.store).add(key)
        return text

    async def client(self, owner: str, *scopes: Scope) -> httpx.AsyncClient:
        """A client with a key of an owner's."""
        headers = {"Authorization": f"Bearer {await self.key(owner, *scopes)}"}
        return httpx.AsyncClient(base_url=self.url, timeout=30, headers=headers)


@asynccontextmanager
async def installed(temporal: WorkflowEnvironment, folder: Path, **chosen: Any) -> AsyncIterator[Installation]:
    """An installation on the tests' Temporal, with the settings that are chosen."""
    patch = pytest.MonkeyPatch()
    patch.setenv("TEMPORAL_ADDRESS", temporal.client.service_client.config.target_host)
    secret = SecretStr("a secret of this test session's own")
    configured = Settings(data_dir=folder, authentication="keys", server_secret=secret, **chosen)
    port = any_free()
    server = Server(configuration(create_app(configured), port=port))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield Installation(f"http://127.0.0.1:{port}", configured)
    server.should_exit = True
    await task
    patch.undo()


@pytest_asyncio.fixture(scope="session")
async def installation(
    temporal: WorkflowEnvironment, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    """A running API, whose quotas are in nobody's way."""
    async with installed(
        temporal,
        tmp_path_factory.mktemp("api"),
        max_request_bytes=200_000,
        max_asset_bytes=2_000_000,
        webhook_secret=SecretStr("whsec_" + "A" * 32),
        max_requests_per_minute=0,
        max_failed_keys_per_minute=0,
        max_open_jobs=0,
        max_open_minutes=0,
    ) as running:
        yield running


@pytest.fixture(scope="session")
def api_url(installation: Installation) -> str:
    """The address of a running API."""
    return installation.url


@pytest_asyncio.fixture
async def http(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """The first owner's client; his key is the command's, too. In the end the second one has seen none of his jobs."""
    made: list[str] = []

    async def note(response: httpx.Response) -> None:
        if response.request.method == "POST" and response.request.url.path == "/api/jobs" and response.is_success:
            await response.aread()
            made.append(response.json()["jobId"])

    async with await installation.client("first") as client:
        monkeypatch.setenv("PICTURELOCK_API_KEY", client.headers["authorization"].removeprefix("Bearer "))
        client.event_hooks = {"response": [note]}
        yield client
    async with await installation.client("second", "read") as other:
        listed = {job["id"] for job in (await other.get("/api/jobs", params={"limit": 100})).json()["jobs"]}
        for job_id in made[:20]:
            assert (await other.get(f"/api/jobs/{job_id}")).status_code == 404
        assert not listed & set(made)


@pytest_asyncio.fixture
async def studio(temporal: WorkflowEnvironment) -> AsyncIterator[Callable[[Studio], AsyncExitStack]]:
    """Opens workers with the studio's activities until the test ends."""
    async with AsyncExitStack() as stack:

        async def open_studio(fake: Studio) -> None:
            await stack.enter_async_context(studio_open(temporal.client, fake))

        yield open_studio  # type: ignore[misc]
