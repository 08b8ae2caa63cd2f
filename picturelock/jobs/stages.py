"""The one table of stages: weights, queues, limits and retry policies. Nothing else states these numbers.

It stands in the domain because three layers read it: progress (weights), activities (stall thresholds) and the
workflow (time limits and retries). See docs/adr/0001-stage-table.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from picturelock.models.job import StageName

EXPORTS_QUEUE: Final = "exports"
RENDER_QUEUE: Final = "render"
CONTROL_QUEUE: Final = "control"
"""Short activities that must not wait behind films: pausing and unpausing, and what follows a job's end."""

HEARTBEAT_SECONDS: Final = 0.25
"""How often a running activity reports, and how often ffmpeg does."""

OUTAGE_PAUSE_SECONDS: Final = 30.0
"""The longest pause between two attempts while a store or a provider is away."""

OUTAGE_ATTEMPTS: Final = 720
"""How many attempts one activity may lose to outages: six hours of them."""

DELIVERY_SECONDS: Final = 20.0
"""How long one delivery of a webhook may take, from the look-up of the name to the answer."""

DELIVERY_WAITS_SECONDS: Final = (0, 5, 30, 300, 1_800, 7_200, 14_400, 21_600, 39_600)
"""When the next delivery is tried, counted from the last: at once, then with back-off for a day."""

CANCEL_GRACE_SECONDS: Final = 1.5
"""How long a cancelled workflow waits for its activities before it closes."""


USUAL_PRIORITY: Final = 3
"""Of a job's activities, between Temporal's 1 (first) and 5 (last)."""


def job_priority(open_jobs: int | None) -> int:
    """The priority of a new job whose owner has so many open ones: whoever asks for little does not wait for others.

    >>> job_priority(0), job_priority(10), job_priority(200)
    (2, 3, 4)
    """
    if open_jobs is None:  # there are no owners
        return USUAL_PRIORITY
    return 2 if open_jobs < 3 else USUAL_PRIORITY if open_jobs < 20 else 4


WORK: Final[Mapping[StageName | None, str]] = {
    "script": "the script",
    "tts": "a scene's narration",
    "composition": "a part of the composition",
    "render": "a part of the rendering",
    "finalize": "the end of the film",
    None: "a part of the work",
}
"""How an activity of a stage is called where people read of it. Its id is in Temporal's UI, the logs and the strip."""


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and when an activity is tried again (seconds). Attempts that met an outage do not count."""

    attempts: int = 5
    initial_seconds: float = 1.0
    backoff: float = 2.0
    maximum_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class StagePolicy:
    """What governs one stage.

    `weight` is its share of the overall progress (`make bench-stream` measures it); they sum to 1. An attempt may take
    `fixed_seconds + per_media_second * seconds of film`; it stalls after `stall_seconds` without an advance;
    its worker counts as gone after `heartbeat_seconds` of silence. With `urgency` its activities go
    before those of other stages: what is nearly done is finished before anything new begins.
    """

    name: StageName
    weight: float
    queue: str
    fixed_seconds: float
    per_media_second: float
    stall_seconds: float
    heartbeat_seconds: float = 10.0
    urgency: int = 0
    retries: Retries = Retries()

    def start_to_close_seconds(self, media_seconds: float) -> float:
        """The longest one attempt may take for so much film."""
        return self.fixed_seconds + self.per_media_second * media_seconds


STAGES: Final[tuple[StagePolicy, ...]] = (
    StagePolicy("script", 0.005, EXPORTS_QUEUE, fixed_seconds=300, per_media_second=0, stall_seconds=240),
    StagePolicy("tts", 0.06, EXPORTS_QUEUE, fixed_seconds=300, per_media_second=0, stall_seconds=120),
    StagePolicy("composition", 0.07, EXPORTS_QUEUE, fixed_seconds=1_800, per_media_second=1, stall_seconds=120),
    StagePolicy("render", 0.81, RENDER_QUEUE, fixed_seconds=600, per_media_second=120, stall_seconds=30),
    StagePolicy("finalize", 0.055, EXPORTS_QUEUE, fixed_seconds=600, per_media_second=5, stall_seconds=120, urgency=1),
)

BY_NAME: Final[dict[StageName, StagePolicy]] = {stage.name: stage for stage in STAGES}
