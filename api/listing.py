"""Pages of jobs. Temporal knows what is open and how the rest ended; which open ones wait, run or pause, memos say.

A page is filled from as many of Temporal's pages as it takes: an empty one that others follow would be of no use.
"""

import asyncio
import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import structlog
from temporalio.client import WorkflowExecution

from api.context import Context
from api.problems import Problem
from picturelock.auth.tokens import Grant
from picturelock.jobs.status import assemble
from picturelock.models import JobMemo, JobStatus, Snapshot, Status
from picturelock.temporal.decoding import job_memo_of, listed_snapshot
from picturelock.temporal.errors import JobNotFound, translated
from picturelock.temporal.names import EXPORT_WORKFLOW, OWNER_ATTRIBUTE

log = structlog.get_logger()

LIST_SECONDS: Final = 5.0
_PAGE: Final = 200
_READ_AT_ONCE: Final = 10
_EXECUTION: Final[dict[Status, str]] = {
    "queued": "= 'Running'",
    "running": "= 'Running'",
    "paused": "= 'Running'",
    "completed": "= 'Completed'",
    "cancelled": "= 'Canceled'",
    "failed": "IN ('Failed', 'Terminated', 'TimedOut')",
}

_BY_MEMO: Final[frozenset[Status]] = frozenset({"queued", "running", "paused"})


@dataclass(frozen=True, slots=True)
class Filter:
    """Which jobs are listed. What is None or empty filters nothing."""

    status: Status | None = None
    text: str = ""
    """In the title, whatever its case."""

    metadata: tuple[tuple[str, str], ...] = ()
    since: datetime | None = None

    @property
    def name(self) -> str:
        """The filter as part of a cursor, which is good for this one alone."""
        wanted = json.dumps([self.status, self.text, self.metadata, self.since and self.since.isoformat()])
        return hashlib.sha256(wanted.encode()).hexdigest()[:32]

    @property
    def by_memo(self) -> bool:
        """Whether what Temporal lists has to be looked through."""
        return self.status in _BY_MEMO or bool(self.text or self.metadata)

    async def may_have(self, run: WorkflowExecution) -> bool:
        """Whether a listed run may be of a job that is wanted, by its memo."""
        if self.status in _BY_MEMO and not _may_be(self.status, await listed_snapshot(run)):
            return False
        if not self.text and not self.metadata:
            return True
        memo = await job_memo_of(run)
        return memo is not None and self._is_about(memo)

    def _is_about(self, memo: JobMemo) -> bool:
        titled = self.text.casefold() in memo.title.casefold()
        return titled and all(memo.metadata.get(key) == value for key, value in self.metadata)


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a list goes on: on one of Temporal's pages, after one of its runs."""

    token: bytes = b""
    after: str = ""

    @classmethod
    def parse(cls, text: str | None, wanted: Filter, shared: Context) -> "Cursor":
        """The cursor that a client sends back. Raises Problem (422) where it is none of this client's list."""
        if text is None:
            return cls()
        grant = shared.services.signer.read(text, "cursor", 0.0)
        if grant is None or (grant.owner, grant.name) != (shared.caller.owner, wanted.name):
            raise Problem(422, "INVALID_REQUEST", "cursor: not a cursor of this list")
        after, _, token = grant.text.partition(" ")
        return cls(base64.b64decode(token), after)

    def signed(self, wanted: Filter, shared: Context) -> str:
        """The cursor as a client gets it: good for this owner's list, with this filter."""
        text = f"{self.after} {base64.b64encode(self.token).decode()}"
        grant = Grant(purpose="cursor", owner=shared.caller.owner, name=wanted.name, text=text)
        return shared.services.signer.sign(grant)


@dataclass(frozen=True, slots=True)
class Page:
    """Some jobs, where the list goes on, and how many runs there are in all, about."""

    jobs: list[JobStatus]
    following: Cursor | None
    total: int


async def read_page(shared: Context, wanted: Filter, cursor: Cursor, limit: int) -> Page:
    """One page of the list.

    Raises:
        StateUnavailable: Temporal does not answer.
        StateRefused: the cursor is not Temporal's.
    """
    query = f"WorkflowType = '{EXPORT_WORKFLOW}'"
    if shared.caller.restricted_to is not None:
        query += f" AND {OWNER_ATTRIBUTE} = '{shared.caller.restricted_to}'"
    if wanted.status is not None:
        query += f" AND ExecutionStatus {_EXECUTION[wanted.status]}"
    if wanted.since is not None:
        query += f" AND StartTime >= '{wanted.since.astimezone(UTC).isoformat()}'"
    async with translated(LIST_SECONDS):
        total = (await shared.client.count_workflows(query)).count
    size = _PAGE if wanted.by_memo else limit
    jobs: list[JobStatus] = []
    deadline = asyncio.get_running_loop().time() + LIST_SECONDS
    while True:
        async with translated(LIST_SECONDS, cursor=cursor != Cursor()):
            listed = shared.client.list_workflows(query, page_size=size, next_page_token=cursor.token or None)
            await listed.fetch_next_page()
        runs = _after(listed.current_page or [], cursor.after)
        while runs and len(jobs) < limit:
            some, runs = await _some(runs, wanted, limit - len(jobs))
            read = [row for row in await _read(some, shared) if row is not None]
            jobs += [row for row in read if wanted.status in {None, row.status}]
            if some:
                cursor = Cursor(cursor.token, some[-1].run_id)
        _, runs = await _some(runs, wanted, 0)
        if runs:
            return Page(jobs, cursor, total)
        if not listed.next_page_token:
            return Page(jobs, None, total)
        cursor = Cursor(listed.next_page_token)
        if asyncio.get_running_loop().time() > deadline:
            return Page(jobs, cursor, total)


def _after(runs: Sequence[WorkflowExecution], run_id: str) -> list[WorkflowExecution]:
    """What follows a run on its page; all of it where the run has left the page meanwhile."""
    position = next((number for number, run in enumerate(runs, start=1) if run.run_id == run_id), 0)
    return list(runs[position:])


async def _some(
    runs: list[WorkflowExecution], wanted: Filter, count: int
) -> tuple[list[WorkflowExecution], list[WorkflowExecution]]:
    """The next runs that may be wanted, so many at the most, and what follows from the next such one on."""
    matching: list[WorkflowExecution] = []
    for number, run in enumerate(runs):
        if not await wanted.may_have(run):
            continue
        if len(matching) == count:
            return matching, runs[number:]
        matching.append(run)
    return matching, []


def _may_be(status: Status | None, kept: Snapshot | None) -> bool:
    """Whether an open job may be of a status by its memo, which is a moment older than the truth."""
    match status:
        case "queued":
            return kept is None or kept.stage == "queued"
        case "paused":
            return kept is not None and kept.pause_requested
    return kept is not None and not kept.paused


async def _read(runs: list[WorkflowExecution], shared: Context) -> list[JobStatus | None]:
    gate = asyncio.Semaphore(_READ_AT_ONCE)
    return await asyncio.gather(*(_row(run, shared, gate) for run in runs))


async def _row(run: WorkflowExecution, shared: Context, gate: asyncio.Semaphore) -> JobStatus | None:
    """A job, in the place of its newest run; None in the places of earlier ones, and for what is no job of ours."""
    async with gate:
        try:
            seen = await shared.jobs.observe(run.id)
        except JobNotFound:
            return None
        except (ValueError, TypeError):
            log.exception("a job cannot be read", job=run.id)
            return None
    return assemble(seen) if seen.run_id == run.run_id else None
