"""A stack that asks for keys, and an API on a socket with two owners."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from picturelock.auth.caller import SCOPES
from picturelock.auth.keyring import Keyring
from picturelock.auth.keys import new_key
from picturelock.store.store import Store
from tests.api.conftest import api_url, http, installation, studio
from tests.faults.stack import Up, start_up, stop

__all__ = ["api_url", "http", "installation", "studio"]


@dataclass(frozen=True)
class Guarded:
    """A running stack, with the key of an owner and that of another one."""

    up: Up
    http: httpx.AsyncClient
    other: httpx.AsyncClient

    @property
    def store(self) -> Store:
        """The stack's own store: what somebody has smuggled into it."""
        return Store((self.up.data / "store").as_uri(), self.up.data / "smuggler")


@pytest_asyncio.fixture(scope="session")
async def guarded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Guarded]:
    """One stack for all attacks: it has to survive them."""
    data: Path = tmp_path_factory.mktemp("guarded")
    keyring = Keyring(Store((data / "store").as_uri(), data / "smuggler"))
    texts = []
    for owner in ("victim", "other"):
        key, text = new_key(owner, SCOPES)
        await keyring.add(key)
        texts.append(text)
    up = await start_up(data, "--no-ui", environment={
        "PICTURELOCK_AUTHENTICATION": "keys",
        "PICTURELOCK_MAX_ASSET_BYTES": "60000000",
        "PICTURELOCK_LLM_API_KEY": "a-secret-of-the-installation",
        "PICTURELOCK_MAX_REQUESTS_PER_MINUTE": "100000",
    })  # fmt: skip
    clients = [
        httpx.AsyncClient(base_url=up.api, timeout=40, headers={"Authorization": f"Bearer {text}"}) for text in texts
    ]
    yield Guarded(up, *clients)
    for client in clients:
        await client.aclose()
    await stop(up)
