"""How often activities tell how far they are: often where few of a job's run, seldom where many do.

Every heartbeat is a write to the job's execution. A process knows how many of a job's activities it runs itself, and is
told how many processes there are to run others.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from picturelock.jobs.stages import HEARTBEAT_SECONDS

BEATS_PER_SECOND: Final = 30
"""What a job costs the server, about."""

SLOWEST_SECONDS: Final = 3.4
"""A third of the heartbeat timeout. It keeps 200 slots at 59 beats a second and what viewers see two seconds old."""


class Pace:
    """The pace of one process.

    Example:
        >>> pace = Pace()
        >>> pace.processes = 25
        >>> with pace.one_of("job"):
        ...     round(pace.seconds("job"), 2)
        0.83
    """

    def __init__(self) -> None:
        self._running: Counter[str] = Counter()
        self.processes = 1
        """How many processes are likely to run as many of the job's activities as this one does."""

    @contextmanager
    def one_of(self, job_id: str) -> Iterator[None]:
        """Counts one running activity of a job."""
        self._running[job_id] += 1
        try:
            yield
        finally:
            self._running[job_id] -= 1
            if not self._running[job_id]:
                del self._running[job_id]

    def seconds(self, job_id: str) -> float:
        """The seconds between two heartbeats of each of a job's activities."""
        running = self._running[job_id] * max(1, self.processes)
        return min(SLOWEST_SECONDS, max(HEARTBEAT_SECONDS, running / BEATS_PER_SECOND))


PACE: Final = Pace()
"""This process's own."""
