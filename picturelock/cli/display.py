"""How a job looks in a terminal: a bar for each step on a screen, a line a second in a log."""

import time
from collections.abc import Iterable
from typing import Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from picturelock.client.asynchronous import AsyncClient
from picturelock.models import JobStatus, Output
from picturelock.models.job import StepState

_MARKS: Final[dict[StepState, str]] = {
    "pending": "·",
    "running": "▸",
    "paused": "‖",
    "completed": "✓",
    "failed": "✗",
    "cancelled": "–",
}
_COLORS: Final[dict[StepState, str]] = {
    "pending": "dim",
    "running": "cyan",
    "paused": "yellow",
    "completed": "green",
    "failed": "red",
    "cancelled": "yellow",
}
_LINE_SECONDS: Final = 1.0
FAILED: Final = 1
"""The exit code of a command whose job has not become a film."""


class JobDisplay:
    """Shows one job while it runs."""

    def __init__(self, console: Console, name: str) -> None:
        self._console = console
        self._name = name
        self._live = Live(console=console, refresh_per_second=8, transient=False) if console.is_terminal else None
        self._said: tuple[str, str] = ("", "")
        self._said_at = 0.0

    def __enter__(self) -> Self:
        """Begins to draw."""
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leaves the last picture standing."""
        if self._live:
            self._live.stop()

    def show(self, job: JobStatus) -> None:
        """Draws a state."""
        if self._live:
            self._live.update(self._picture(job))
        else:
            self._line(job)

    def _line(self, job: JobStatus) -> None:
        said = (job.status, job.stage)
        if said == self._said and time.monotonic() - self._said_at < _LINE_SECONDS:
            return
        self._said, self._said_at = said, time.monotonic()
        eta = f", {job.eta_seconds:.0f} s left" if job.eta_seconds else ""
        self._console.print(f"{job.progress:5.1f} %  {job.stage:<11} {job.message}{eta}", highlight=False)

    def _picture(self, job: JobStatus) -> RenderableType:
        table = Table.grid(padding=(0, 1))
        for step in job.steps:
            color = _COLORS[step.status]
            bar = ProgressBar(total=100, completed=step.progress, width=32)
            table.add_row(
                Text(_MARKS[step.status], style=color),
                Text(step.name, style=color),
                bar,
                f"{step.progress:5.1f} %",
            )
        eta = f" · about {job.eta_seconds:.0f} s left" if job.eta_seconds else ""
        head = Text.assemble((self._name, "bold"), f"  {job.progress:.1f} %{eta}")
        notes: Iterable[Text] = [Text(f"! {warning.message}", style="yellow") for warning in job.warnings]
        if (more := job.warnings_total - len(job.warnings)) > 0:
            notes = [Text(f"! and {more} more", style="yellow"), *notes]
        return Group(head, table, Text(job.message, style="dim"), *notes)


_SUFFIXES: Final = {None: ".m4a", "vp9": ".webm"}
"""Of the files that are no MP4 film, by the codec of their pictures; a podcast has none."""


def suffix_of(film: Output) -> str:
    """How the name of a film's file ends."""
    return _SUFFIXES.get(film.video_codec, ".mp4")


def film_facts(film: Output) -> str:
    """A finished film in a line: its length, picture, sound and size."""
    picture = f"{film.width}x{film.height}, {film.fps:g} fps, {film.video_codec} + " if film.video_codec else ""
    return (
        f"{film.duration_seconds:.1f} s, {picture}{film.audio_codec}, "
        f"{film.loudness_lufs} LUFS, {film.size_bytes / 1e6:.1f} MB"
    )


async def follow(client: AsyncClient, console: Console, job_id: str, name: str) -> JobStatus | None:
    """Shows a job until it ends; its last state."""
    job: JobStatus | None = None
    with JobDisplay(console, name) as display:
        async for job in client.watch(job_id):
            display.show(job)
    return job


def report_end(console: Console, job: JobStatus | None) -> int:
    """Says why a job has failed; the exit code: 0 for a finished film, 1 for none."""
    if job is None or job.status == "completed":
        return 0 if job else FAILED
    if job.error is None:
        console.print(job.message, style="yellow")
        return FAILED
    console.print(f"{job.error.code}: {job.error.message}", style="red", highlight=False, markup=False)
    console.print(job.error.remediation, highlight=False)
    if job.error.detail:
        console.print(job.error.detail, style="dim", highlight=False, markup=False)
    return FAILED
