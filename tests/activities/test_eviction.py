"""The activity of the eviction: what Temporal's clock says is compared with what this machine's says."""

import asyncio
import dataclasses
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from temporalio.testing import ActivityEnvironment, WorkflowEnvironment

from activities.eviction import evict_cache
from picturelock.store.eviction import Tombstone
from picturelock.store.store import default_store
from picturelock.temporal.contracts import NoTask
from picturelock.temporal.open_jobs import oldest_open
from tests.workflows.conftest import start

pytestmark = pytest.mark.usefixtures("no_leftovers")
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(("ahead", "kept"), [(timedelta(), False), (HOUR, True), (-HOUR, False)])
async def test_what_an_open_export_may_have_seen_stays_whatever_the_clocks_say(
    temporal: WorkflowEnvironment, ahead: timedelta, kept: bool
) -> None:
    """An export that Temporal's clock says began now began an hour ago by ours, where Temporal's is an hour ahead."""
    store, now = default_store(), datetime.now(UTC)
    ref = await store.put_bytes(f"{ahead} {kept}".encode(), "audio/mp4")
    old = (now - 24 * HOUR).timestamp()
    os.utime(Path(urlsplit(store.location).path) / "blobs" / ref.sha256[:2] / ref.sha256, (old, old))
    await store.remember_evicted("sound", "gone", Tombstone(at=now - HOUR / 2, files=[ref]))
    await start(temporal.client)
    async with asyncio.timeout(10):  # Temporal's list lags behind by a moment
        while await oldest_open(temporal.client) is None:
            await asyncio.sleep(0.02)
    environment = ActivityEnvironment(temporal.client)
    environment.info = dataclasses.replace(environment.info, started_time=now + ahead)
    await environment.run(evict_cache, NoTask())
    assert await store.has(ref) == kept
