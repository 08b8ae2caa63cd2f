"""One real stack for all tests of a run, and a client of its API."""

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from tests.faults.s3 import seaweedfs
from tests.faults.stack import Up, start_up, stop


@pytest_asyncio.fixture(scope="session")
async def up(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Up]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PICTURELOCK_WEBHOOK_ALLOW_PRIVATE", "true")  # receivers of these tests are on this machine
        started = await start_up(tmp_path_factory.mktemp("stack"))
    yield started
    if started.process.returncode is None:
        await stop(started)


@pytest_asyncio.fixture
async def http(up: Up) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=up.api, timeout=30) as client:
        yield client


@pytest_asyncio.fixture(scope="module")
async def s3(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The endpoint of a running SeaweedFS with a bucket named media."""
    async with seaweedfs(tmp_path_factory.mktemp("weed")) as endpoint:
        yield endpoint
