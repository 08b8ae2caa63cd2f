"""How far an attempt of an activity is, told to Temporal at its pace whether or not the work advances.

A cancellation is delivered with a heartbeat, and silence means that the worker is gone and nothing else. Stalls are
judged here, from the last advance.
"""

import asyncio
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from temporalio import activity

from activities.pace import PACE
from picturelock.errors import RenderStalled
from picturelock.jobs.stages import HEARTBEAT_SECONDS, StagePolicy
from picturelock.models import Heartbeat

_DRAWING = 0.25
"""The share of a segment's work that drawing its frames is; measured about 0.3 at 1080p."""


_REASONS = 3
"""So many failures, the newest, are handed to the next attempt."""

_REASON_LETTERS = 150


class HeartbeatReporter:
    """How far this attempt is. The work calls `advance`; `send` reports it to Temporal."""

    def __init__(self, policy: StagePolicy) -> None:
        self.policy = policy
        self._started = time.monotonic()
        self._advanced = time.monotonic()
        self._raw = 0.0
        self._waiting = False
        last = _last_attempt()
        self.state = Heartbeat(
            fraction=last.fraction if last else 0.0,
            frames_done=last.frames_done if last else None,
            frames_total=last.frames_total if last else None,
            begun=1 + (last.begun if last else 0),
            failed=last.begun if last else 0,
            failures=_failures(last) if last else [],
            waited=last.waited if last else 0,
            last_advance_at=datetime.now(UTC),
            stall_after_seconds=policy.stall_seconds,
        )

    @property
    def spent(self) -> int:
        """The attempts that count: those that were begun, but for those that met an outage.

        Temporal counts more: what a frozen worker was given and never began, what a worker of another version refused.
        """
        return self.state.begun - self.state.waited

    def note_failure(self, reason: str, *, outage: bool = False) -> None:
        """Notes, for the next attempt to know, why this one ends, and whether it met an outage."""
        self.state = self.state.model_copy(
            update={
                "failed": self.state.begun,
                "failures": [*self.state.failures, reason[:_REASON_LETTERS]][-_REASONS:],
                "waited": self.state.waited + outage,
            }
        )
        activity.heartbeat(self.state)

    @property
    def stall_seconds(self) -> float:
        """How long the work may stand still."""
        return self.policy.stall_seconds

    def advance(self, fraction: float, message: str, *, done: int | None = None, total: int | None = None) -> None:
        """Notes how far the work is. Only a change counts as an advance; what viewers see never goes back."""
        fraction = min(1.0, max(self._raw, fraction))
        if fraction == self._raw and message == self.state.message:
            return
        self._raw = fraction
        self._advanced = time.monotonic()
        elapsed = max(1e-3, self._advanced - self._started)
        self.state = self.state.model_copy(
            update={
                "fraction": max(self.state.fraction, fraction),
                "message": message,
                "frames_done": done if done is None else max(done, self.state.frames_done or 0),
                "frames_total": total,
                "speed": round(done / elapsed, 2) if done is not None else None,
                "last_advance_at": datetime.now(UTC),
            }
        )

    def frames(self, total: int, message: str, *, before: int = 0) -> Callable[[int, int], None]:
        """A listener for frames, `before` of which are done: drawing them is a part of the work, encoding the rest."""

        def listen(drawn: int, encoded: int) -> None:
            drawn, encoded = min(before + drawn, total), min(before + encoded, total)
            share = (_DRAWING * drawn + (1 - _DRAWING) * encoded) / total
            if share:
                self.advance(share, message, done=encoded, total=total)

        return listen

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """While the work waits for its turn in this process, it stands still and is not stalled."""
        self._waiting = True
        try:
            yield
        finally:
            self._waiting = False
            self._note_advance()

    def _note_advance(self) -> None:
        self._advanced = time.monotonic()
        self.state = self.state.model_copy(update={"last_advance_at": datetime.now(UTC)})

    async def send(self) -> None:
        """Sends heartbeats until cancelled; raises RenderStalled when nothing advanced for too long."""
        job_id = activity.info().workflow_id or ""
        with PACE.one_of(job_id):
            await self._send(job_id)

    async def _send(self, job_id: str) -> None:
        due = float("-inf")
        # Activities that begin together would all beat, and be told, in the same moment.
        phase = zlib.crc32(activity.info().activity_id.encode()) / 2**32
        while True:
            if self._waiting:
                self._note_advance()
            quiet = time.monotonic() - self._advanced
            if time.monotonic() >= due:
                self.state = self.state.model_copy(update={"quiet_seconds": round(quiet, 2)})
                activity.heartbeat(self.state)
                due = time.monotonic() + PACE.seconds(job_id) * phase - HEARTBEAT_SECONDS / 2
                phase = 1.0
            # ffmpeg has a watchdog of its own with the same threshold; this one is for everything else.
            if quiet > self.policy.stall_seconds + 2:
                raise RenderStalled(f"{self.state.message or self.policy.name} did not advance for {quiet:.0f} s")
            await asyncio.sleep(HEARTBEAT_SECONDS)


def _failures(last: Heartbeat) -> list[str]:
    """Why earlier attempts ended; one that has not said so has lost its worker."""
    lost = ["its worker was not heard of any more"] if last.failed < last.begun else []
    return [*last.failures, *lost][-_REASONS:]


def _last_attempt() -> Heartbeat | None:
    """How far an earlier attempt of this activity had told that it was: viewers see no step back."""
    if not activity.in_activity() or not (details := activity.info().heartbeat_details):
        return None
    try:
        return Heartbeat.model_validate(details[0])
    except ValueError:
        return None
