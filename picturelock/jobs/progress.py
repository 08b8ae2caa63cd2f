"""How far a job is, from the workflow's record and what its activities report. Pure.

Progress is `sum(weight * fraction)` over the stage table; `render` counts frames. A finished activity wins over its
heartbeat, and one that is neither pending nor recorded has just finished. No percent is held back: the last unit of the
last step is the close of the execution itself, so an open job always lacks something and 100 comes with the end.
"""

import math
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from picturelock.jobs.stages import BY_NAME
from picturelock.models import Observation, PendingActivity, Snapshot, StepDetail, StepRecord

_ETA_GAINED: Final = 2.0
"""Percent that must have been gained before a rate is worth telling."""


def overall(records: Iterable[StepRecord], observation: Observation | None = None) -> float:
    """Percent, rounded down to a tenth, so that nothing reads 100 before it is."""
    total = sum(BY_NAME[record.name].weight * _fraction(record, observation) for record in records)
    return _percent(total)


def step_percent(record: StepRecord, observation: Observation) -> float:
    """Percent of one step."""
    return _percent(_fraction(record, observation))


def _percent(fraction: float) -> float:
    return math.floor(fraction * 1000 + 1e-6) / 10


def _fraction(record: StepRecord, observation: Observation | None) -> float:
    """How much of a step is done, 0 to 1."""
    if record.state == "completed":
        return 1.0
    if record.state == "pending" or record.units_total <= 0:
        return 0.0
    units = record.units_done + sum(units * share for units, share, _ in _unfinished(record, observation))
    return min(max(units, record.units_shown) / record.units_total, 1.0)


def frames_done(record: StepRecord, observation: Observation) -> int:
    """Frames in finished segments, and those that running ones have encoded."""
    done = record.units_done
    for units, share, running in _unfinished(record, observation):
        beat = running.heartbeat if running else None
        encoded = beat.frames_done if beat else None
        done += encoded if encoded is not None else math.floor(units * share)
    return done


def _unfinished(record: StepRecord, observation: Observation | None) -> list[tuple[int, float, PendingActivity | None]]:
    """The step's unfinished activities: units, the share of them that is done, and the activity if it is pending."""
    if observation is None or observation.snapshot is None:
        return []
    pending = {activity.id: activity for activity in observation.pending}
    return [
        (
            units,
            _share(activity_id, pending.get(activity_id), observation.snapshot, observation),
            pending.get(activity_id),
        )
        for activity_id, units in observation.snapshot.open_units.get(record.name, {}).items()
    ]


def _share(activity_id: str, running: PendingActivity | None, snapshot: Snapshot, observation: Observation) -> float:
    last = snapshot.last_fractions.get(activity_id)
    if running is not None:
        return max(running.heartbeat.fraction if running.heartbeat else 0.0, last or 0.0)
    if last is not None or observation.run_status != "open":
        return last or 0.0  # cancelled or failed work has not just finished
    # A query's answer is newer than describe: what it calls open and describe does not list was scheduled in between.
    return 1.0 if observation.snapshot_is_memo else 0.0


def detail_of(record: StepRecord, observation: Observation) -> StepDetail | None:
    """How far a step is, in frames (render) and in activities."""
    if record.scheduled == 0:
        return None
    frames = record.name == "render"
    return StepDetail(
        frames_done=(record.units_total if record.state == "completed" else frames_done(record, observation))
        if frames
        else None,
        frames_total=record.units_total if frames else None,
        items_done=record.finished,
        items_total=max(record.planned, record.scheduled),
    )


def _newest_stamp(observation: Observation) -> datetime:
    """The latest that the server has stamped on the job: its own clock's now, where anything goes on."""
    snapshot = observation.snapshot or Snapshot(steps=[])
    noted = [entry.timestamp for entry in snapshot.timeline]
    beats = [
        stamp
        for activity in observation.pending
        for stamp in (activity.heartbeat_at, activity.started_at, activity.scheduled_at)
        if stamp
    ]
    return max([observation.started_at, *noted, *beats])


def eta_seconds(progress: float, observation: Observation) -> float | None:
    """Seconds left at the rate of the present stretch: the rendering from its start on, else the whole job.

    None while nothing is known: before the first percents, while a pause is asked for, after its end.
    """
    snapshot = observation.snapshot
    if observation.run_status != "open" or snapshot is None or snapshot.pause_requested:
        return None
    begun = [record for record in snapshot.steps if record.started_at is not None]
    since = next((record for record in begun if record.name == "render"), begun[0] if begun else None)
    if since is None or since.started_at is None:
        return None
    names = [record.name for record in snapshot.steps]
    before = 100 * sum(BY_NAME[name].weight for name in names[: names.index(since.name)])
    gained = progress - before
    elapsed = (_newest_stamp(observation) - since.started_at).total_seconds() - (
        snapshot.paused_seconds - since.paused_before
    )
    if gained < _ETA_GAINED or elapsed <= 0:
        return None
    left = elapsed * (100 - progress) / gained
    return round(left, 1) if math.isfinite(left) else None
