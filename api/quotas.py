"""Fair use: how much one owner may ask for, in requests, open exports, pixels and bytes.

Where no keys are asked for there are no owners, and no quotas. Rates are counted by each replica for itself; open
exports and bytes are counted where they are, in Temporal and in the store.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from temporalio.client import Client

from api.context import Context
from api.problems import Problem
from picturelock.auth.caller import Caller
from picturelock.settings import Settings
from picturelock.store.partial_uploads import PartialUploads
from picturelock.temporal.decoding import job_memo_of
from picturelock.temporal.errors import translated
from picturelock.temporal.names import EXPORT_WORKFLOW, OWNER_ATTRIBUTE

_LIST_SECONDS: Final = 3.0
_LAG_SECONDS: Final = 15.0
"""How long an export that has just been started may be missing from Temporal's list."""

_FRESH_SECONDS: Final = 2.0
_RETRY_AFTER: Final = 30
_STANDARD_MINUTE: Final = 1920 * 1080 * 30 * 60
"""Pixels of a minute of film at 1080p and 30 frames a second."""


@dataclass(slots=True)
class Quotas:
    """The quotas of one API process."""

    settings: Settings
    _limiter: MovingWindowRateLimiter = field(default_factory=lambda: MovingWindowRateLimiter(MemoryStorage()))
    _started: dict[str, "OrderedDict[str, tuple[float, int]]"] = field(default_factory=dict)
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)
    _coming: dict[str, int] = field(default_factory=dict)
    _lists: dict[str, tuple[float, dict[str, int]]] = field(default_factory=dict)

    def admit(self, caller: Caller) -> None:
        """Counts a request. Raises Problem (429)."""
        allowed = self.settings.max_requests_per_minute
        if caller.restricted_to and allowed:
            # Those whom a film is shared with do not use up what its owner may ask for.
            who = f"job {caller.only_job}" if caller.only_job else f"owner {caller.owner}"
            self._hit(RateLimitItemPerMinute(allowed), who, "requestsPerMinute", allowed)

    def admit_failure(self, address: str) -> None:
        """Counts a key that was none. Raises Problem (429) where there are too many of them."""
        allowed = self.settings.max_failed_keys_per_minute
        if allowed:
            self._hit(RateLimitItemPerMinute(allowed), f"failures {address}", "failedKeysPerMinute", allowed)

    async def admit_job(self, shared: Context, job_id: str, pixels: int) -> int | None:
        """Counts a job that is about to be started; how many its owner has open, where there are owners.

        Raises:
            Problem: 429.
            StateUnavailable: Temporal does not answer.
        """
        owner = shared.caller.restricted_to
        if owner is None or not (self.settings.max_open_jobs or self.settings.max_open_minutes):
            return None
        async with self._locks.setdefault(owner, asyncio.Lock()):
            opened = {**await self._listed(shared.client, owner), **self._lately(owner)}
            opened.pop(job_id, None)
            if self.settings.max_open_jobs and len(opened) >= self.settings.max_open_jobs:
                raise _exceeded("openJobs", self.settings.max_open_jobs, "open exports", _RETRY_AFTER)
            minutes = self.settings.max_open_minutes
            if minutes and sum(opened.values()) + pixels > minutes * _STANDARD_MINUTE and (opened or pixels > 0):
                text = "minutes of film (at 1080p, 30 frames a second) in open exports"
                raise _exceeded("openMinutes", minutes, text, _RETRY_AFTER)
            self._started.setdefault(owner, OrderedDict())[job_id] = (time.monotonic(), pixels)
            return len(opened)

    @asynccontextmanager
    async def upload(self, shared: Context, size: int) -> AsyncIterator[None]:
        """Counts an upload of at most `size` bytes for as long as it is being taken.

        Raises:
            Problem: 429.
            StoreUnavailable: what is there cannot be counted.
        """
        owner, allowed = shared.caller.restricted_to, self.settings.max_owner_bytes
        if owner is None or not allowed:
            yield
            return
        used = await shared.services.assets.bytes_of(owner) + await PartialUploads(shared.store).bytes_of(owner)
        if used + self._coming.get(owner, 0) + size > allowed:
            raise _exceeded("uploadedBytes", allowed, "bytes of uploads: delete some", _RETRY_AFTER)
        self._coming[owner] = self._coming.get(owner, 0) + size
        try:
            yield
        finally:
            self._coming[owner] -= size

    def _hit(self, item: RateLimitItem, who: str, name: str, allowed: int) -> None:
        if not self._limiter.hit(item, who):
            reset = self._limiter.get_window_stats(item, who).reset_time
            raise _exceeded(name, allowed, "a minute", max(1, round(reset - time.time())))

    async def _listed(self, client: Client, owner: str) -> dict[str, int]:
        """An owner's open exports as Temporal lists them; read every two seconds at the most, for it lags anyhow."""
        read_at, listed = self._lists.get(owner, (float("-inf"), {}))
        if time.monotonic() - read_at > _FRESH_SECONDS:
            listed = await _open_jobs(client, owner, self.settings.max_open_jobs)
            self._lists[owner] = (time.monotonic(), listed)
        return listed

    def _lately(self, owner: str) -> dict[str, int]:
        """What was started here and may not be in Temporal's list yet."""
        started = self._started.get(owner, OrderedDict())
        while started and time.monotonic() - next(iter(started.values()))[0] > _LAG_SECONDS:
            started.popitem(last=False)
        return {job_id: pixels for job_id, (_, pixels) in started.items()}


async def _open_jobs(client: Client, owner: str, most: int) -> dict[str, int]:
    """An owner's open exports, with the pixels of each; no more of them than decide."""
    query = f"WorkflowType = '{EXPORT_WORKFLOW}' AND ExecutionStatus = 'Running' AND {OWNER_ATTRIBUTE} = '{owner}'"
    async with translated(_LIST_SECONDS):
        listed = client.list_workflows(query, limit=max(1, most) if most else 1_000)
        return {run.id: memo.pixels async for run in listed if (memo := await job_memo_of(run)) is not None}


def _exceeded(name: str, allowed: int, what: str, seconds: int) -> Problem:
    return Problem(
        429, "QUOTA_EXCEEDED", f"at most {allowed} {what}", headers={"Retry-After": str(seconds)},
        limit=name, allowed=allowed,
    )  # fmt: skip
