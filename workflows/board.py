"""The workflow's own record of the job: steps, a numbered timeline, and what is being worked on."""

from datetime import datetime

from picturelock.models import Made, Snapshot, Stage, StageName, StepRecord, StepState, TimelineEvent, Warn
from picturelock.stages import STAGES


class Board:
    """Takes notes of what happens; `snapshot` is what the query answers and the memo keeps."""

    def __init__(self, attempt: int) -> None:
        self._attempt = attempt
        self._stage: Stage = "queued"
        self._message = "Waiting for a worker"
        self._steps: dict[StageName, StepRecord] = {policy.name: StepRecord(name=policy.name) for policy in STAGES}
        self._timeline: list[TimelineEvent] = []
        self._open: dict[str, int] = {}
        self._warnings: list[Warn] = []
        self.version = 0
        """Grows with every note."""

    def start(self, step: StageName, units: int, message: str, now: datetime) -> None:
        """A step begins; it will be done when so many units are."""
        self._stage, self._message = step, message
        self._change(step, state="running", units_total=units, started_at=now)
        self._note(step, "running", message, now)

    def scheduled(self, step: StageName, activity_id: str, units: int) -> None:
        """An activity was scheduled. Not worth a memo of its own."""
        self._open[activity_id] = units
        self._change(step, scheduled=self._steps[step].scheduled + 1)

    def finished(self, step: StageName, activity_id: str, message: str, made: Made) -> None:
        """An activity came to its good end."""
        record = self._steps[step]
        units = self._open.pop(activity_id, 0)
        self._change(
            step,
            units_done=record.units_done + units,
            finished=record.finished + 1,
            attempt=max(record.attempt, made.attempt),
            cache_hits=record.cache_hits + made.cached,
            cache_misses=record.cache_misses + (not made.cached),
        )
        self._message = message
        if made.attempt > 1:
            self.warn("RETRIED", step, [f"{activity_id} needed {made.attempt} attempts"])

    def complete(self, step: StageName, message: str, now: datetime) -> None:
        """A step is done."""
        self._change(step, state="completed", completed_at=now, units_done=self._steps[step].units_total)
        self._note(step, "completed", message, now)

    def finish(self) -> None:
        """All is done."""
        self._stage, self._message = "complete", "The film is ready"
        self.version += 1

    def stop(self, state: StepState, message: str, attempt: int, now: datetime) -> None:
        """The running step ends badly (`failed` or `cancelled`)."""
        self._message = message
        self._open = {}
        for record in list(self._steps.values()):
            if record.state == "running":
                self._change(record.name, state=state, completed_at=now, attempt=max(record.attempt, attempt))
                self._note(record.name, state, message, now)
        self.version += 1

    def warn(self, code: str, step: StageName, messages: list[str]) -> None:
        """Things worth knowing that stop nothing."""
        self._warnings += [Warn(code=code, message=message, step=step) for message in messages]

    def snapshot(self) -> Snapshot:
        """The record as it stands."""
        return Snapshot(
            stage=self._stage,
            message=self._message,
            steps=list(self._steps.values()),
            timeline=self._timeline,
            open_units=self._open,
            warnings=self._warnings,
            attempt=self._attempt,
        )

    def markdown(self) -> str:
        """The record for a person who reads it in the Temporal UI."""
        rows = "\n".join(
            f"| {one.name} | {one.state} | {one.finished} of {one.scheduled} | {one.units_done} of {one.units_total} |"
            for one in self._steps.values()
        )
        head = f"**{self._stage}**: {self._message}\n\n| step | state | activities | units |\n"
        return f"{head}| --- | --- | --- | --- |\n{rows}"

    @property
    def running_step(self) -> StageName | None:
        """The step that is being worked on."""
        return next((one.name for one in self._steps.values() if one.state == "running"), None)

    def _change(self, step: StageName, **update: object) -> None:
        self._steps[step] = self._steps[step].model_copy(update=update)
        self.version += 1

    def _note(self, step: StageName, state: StepState, message: str, now: datetime) -> None:
        event = TimelineEvent(
            sequence=len(self._timeline) + 1,
            step=step,
            status=state,
            attempt=self._steps[step].attempt,
            message=message,
            timestamp=now,
        )
        self._timeline.append(event)
