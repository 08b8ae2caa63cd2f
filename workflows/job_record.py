"""The workflow's own record of the job: steps, a numbered timeline, and what is being worked on."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from picturelock.jobs.progress import overall
from picturelock.jobs.stages import STAGES, WORK
from picturelock.models import (
    NOTE_LETTERS,
    NOTES_KEPT,
    CachedResult,
    JobWarning,
    Snapshot,
    Stage,
    StageName,
    StepRecord,
    StepState,
    TimelineEvent,
)

_ROWS: Final = 40
"""How many open activities the page in the Temporal UI names; the rest are counted."""


class JobRecord:
    """Takes notes of what happens; `snapshot` is what the query answers and the memo keeps."""

    def __init__(self, attempt: int) -> None:
        self._attempt = attempt
        self._stage: Stage = "queued"
        self._message = "Waiting for a worker"
        self._steps: dict[StageName, StepRecord] = {policy.name: StepRecord(name=policy.name) for policy in STAGES}
        self.timeline: list[TimelineEvent] = []
        """Every entry; the record has only the newest ones."""

        self._open: dict[StageName, dict[str, int]] = {}
        self._last_fractions: dict[str, float] = {}
        self._made: dict[str, CachedResult] = {}
        self._failed: set[str] = set()
        self._warnings: list[JobWarning] = []
        self.warnings_total = 0
        """How many warnings there have been."""

        self._paused = False
        self._paused_at: datetime | None = None
        self._paused_seconds = 0.0
        self.pauses = 0
        """How often a pause has been asked for."""
        self.notable = 0
        """Grows with what is worth a memo: every second finished activity, and all that is no activity."""

    @property
    def pause_requested(self) -> bool:
        """Whether a pause is asked for, in effect or not."""
        return self._paused_at is not None

    def start(self, step: StageName, activities: int, units: int, message: str, now: datetime) -> None:
        """A step begins; so many activities belong to it, and it will be done when so many units are."""
        self._stage, self._message = step, message
        self._change(
            step,
            state="running",
            planned=activities,
            units_total=units,
            started_at=now,
            paused_before=self._paused_seconds,
        )
        self._note(step, "running", message, now)

    def scheduled(self, step: StageName, activity_id: str, units: int) -> None:
        """An activity was scheduled. Not worth a memo of its own."""
        self._open.setdefault(step, {})[activity_id] = units
        self._change(step, scheduled=self._steps[step].scheduled + 1)

    def finished(self, step: StageName, activity_id: str, made: CachedResult) -> None:
        """An activity came to its good end."""
        record = self._steps[step]
        units = self._take_open(step, activity_id)
        self._made[activity_id] = made
        self._change(
            step,
            units_done=record.units_done + units,
            finished=record.finished + 1,
            attempt=max(record.attempt, made.attempt),
            cache_hits=record.cache_hits + made.hits,
            cache_misses=record.cache_misses + made.misses,
        )
        self._message = _progress_of(self._steps[step])
        self.notable += units == 0 or (record.finished + 1) % 2 == 0
        if made.attempt > 1:
            reasons = "; ".join(dict.fromkeys(made.failures))
            self.warn("RETRIED", step, [f"{WORK[step]} needed {made.attempt} attempts{reasons and f': {reasons}'}"])

    def made(self, activity_id: str) -> CachedResult | None:
        """The result of an activity that has come to its good end."""
        return self._made.get(activity_id)

    def fail(self, activity_id: str) -> None:
        """An activity has failed for good."""
        self._failed.add(activity_id)

    def has_failed(self, activity_id: str) -> bool:
        """Whether an activity has failed for good."""
        return activity_id in self._failed

    def withdraw(self, step: StageName, activity_id: str, fraction: float) -> None:
        """An activity is open no more and will be scheduled again. What it had reached stays shown."""
        units, record = self._take_open(step, activity_id), self._steps[step]
        shown = max(record.units_shown, record.units_done + int(units * fraction))
        self._change(step, scheduled=record.scheduled - 1, units_shown=shown)
        self.notable += 1

    def expect(self, step: StageName, activities: int) -> None:
        """So many more activities belong to a step than was thought."""
        self._change(step, planned=self._steps[step].planned + activities)
        self.notable += 1

    def restart_step(self, step: StageName, activities: int) -> None:
        """What a step has made is of no use: so many activities are done again. What was shown stays shown."""
        record = self._steps[step]
        running = self._open.pop(step, {})
        reached = record.units_done + sum(
            int(units * self._last_fractions.get(activity_id, 0)) for activity_id, units in running.items()
        )
        shown = max(record.units_shown, reached)
        self._change(step, planned=record.planned + activities, units_done=0, units_shown=shown)
        self.notable += 1

    def reached(self, activity_id: str, fraction: float) -> None:
        """How far an activity was that has failed: what was shown stays shown."""
        self._last_fractions[activity_id] = max(fraction, self._last_fractions.get(activity_id, 0.0))
        self._noted()

    def cancel(self, fractions: Mapping[str, float]) -> None:
        """All that is open is cancelled; this is how far each was. Of one that is not known, what is known stays."""
        self._last_fractions = {
            activity_id: max(fractions.get(activity_id, 0.0), self._last_fractions.get(activity_id, 0.0))
            for activity_ids in self._open.values()
            for activity_id in activity_ids
        }
        self._noted()

    def complete(self, step: StageName, message: str, now: datetime) -> None:
        """A step is done."""
        self._change(step, state="completed", completed_at=now, units_done=self._steps[step].units_total)
        self._note(step, "completed", message, now)

    def finish(self) -> None:
        """All is done."""
        self._stage, self._message = "complete", "The film is ready"
        self._noted()

    def stop(self, state: StepState, message: str, attempt: int, now: datetime) -> None:
        """The running step ends badly (`failed` or `cancelled`)."""
        self._message = message
        self._pass_pause(now)
        for record in list(self._steps.values()):
            if record.state == "running":
                self._change(record.name, state=state, completed_at=now, attempt=max(record.attempt, attempt))
                self._note(record.name, state, message, now)
        self._noted()

    def ask_pause(self, now: datetime) -> None:
        """Somebody asks for a pause; asking twice is fine."""
        if self.pause_requested:
            return
        self._paused_at = now
        self.pauses += 1
        self._note_where_we_are("running", "A pause was asked for: what runs is finished, nothing new begins", now)

    def pause(self, now: datetime) -> None:
        """The pause has taken effect."""
        self._paused = True
        self._note_where_we_are("paused", "Paused", now)

    def resume(self, now: datetime) -> None:
        """The pause is over."""
        if self.pause_requested:
            self._pass_pause(now)
            self._note_where_we_are("running", "Resumed", now)

    def warn(self, code: str, step: StageName, messages: list[str], total: int | None = None) -> None:
        """Things worth knowing that stop nothing; so many in all, where these are the newest of them."""
        added = [JobWarning(code=code, message=message[:NOTE_LETTERS], step=step) for message in messages]
        self._warnings = [*self._warnings, *added][-NOTES_KEPT:]
        self.warnings_total += len(messages) if total is None else total
        self.notable += bool(messages)

    def snapshot(self) -> Snapshot:
        """The record as it stands."""
        return Snapshot(
            stage=self._stage,
            message=self._message,
            steps=list(self._steps.values()),
            timeline=self.timeline[-NOTES_KEPT:],
            timeline_total=len(self.timeline),
            open_units={step: dict(activities) for step, activities in self._open.items()},
            warnings=self._warnings,
            warnings_total=self.warnings_total,
            pause_requested=self.pause_requested,
            paused=self._paused,
            paused_seconds=self._paused_seconds,
            last_fractions=self._last_fractions,
            attempt=self._attempt,
        )

    def markdown(self) -> str:
        """The record for a person who reads it in the Temporal UI."""
        records = list(self._steps.values())
        pause = " · **paused**" if self._paused else " · pause asked for" if self.pause_requested else ""
        steps = [
            f"| {record.name} | {record.state} | {record.finished} of {max(record.planned, record.scheduled)} "
            f"| {record.units_done} of {record.units_total} | {record.cache_hits} | {record.attempt} |"
            for record in records
        ]
        open_units = [item for activities in self._open.values() for item in activities.items()]
        open_ = [f"| {activity_id} | scheduled or running | {units} | |" for activity_id, units in open_units[:_ROWS]]
        made = [
            f"| {activity_id} | {'found' if made.cached else 'made'} | | {made.attempt} |"
            for activity_id, made in list(self._made.items())[-_ROWS:]
        ]
        hidden = max(0, len(open_units) - _ROWS) + max(0, len(self._made) - _ROWS)
        return "\n".join([
            f"**{self._stage}**, {overall(records):.1f} % in finished work{pause}: {self._message}",
            "",
            "| step | state | activities | units | found | attempt |",
            "| --- | --- | --- | --- | --- | --- |",
            *steps,
            "",
            "| activity | state | units | attempt |",
            "| --- | --- | --- | --- |",
            *open_,
            *made,
            *([f"| and {hidden} more | | | |"] if hidden else []),
            "",
            "How far running activities are is in their heartbeats, under *Pending Activities*.",
        ])  # fmt: skip

    def _take_open(self, step: StageName, activity_id: str) -> int:
        """An activity is open no more: its units."""
        activities = self._open.get(step, {})
        units = activities.pop(activity_id, 0)
        if not activities:
            self._open.pop(step, None)
        return units

    @property
    def running_step(self) -> StageName | None:
        """The step that is being worked on."""
        return next((step.name for step in self._steps.values() if step.state == "running"), None)

    def _pass_pause(self, now: datetime) -> None:
        if self._paused_at is not None:
            self._paused_seconds += (now - self._paused_at).total_seconds()
        self._paused, self._paused_at = False, None

    def _change(self, step: StageName, **update: object) -> None:
        self._steps[step] = self._steps[step].model_copy(update=update)

    def _note_where_we_are(self, state: StepState, message: str, now: datetime) -> None:
        """A note on the job as a whole, told of the step it is in."""
        self._message = message
        self._note(self.running_step or STAGES[0].name, state, message, now)
        self._noted()

    def _note(self, step: StageName, state: StepState, message: str, now: datetime) -> None:
        event = TimelineEvent(
            sequence=len(self.timeline) + 1,
            step=step,
            status=state,
            attempt=self._steps[step].attempt,
            message=message[:NOTE_LETTERS],
            timestamp=now,
        )
        self.timeline.append(event)
        self.notable += 1

    def _noted(self) -> None:
        self.notable += 1


def _progress_of(record: StepRecord) -> str:
    if record.name == "render":
        return f"Rendering: {record.units_done} of {record.units_total} frames are in finished segments"
    return f"{record.name}: {record.finished} of {record.planned}"
