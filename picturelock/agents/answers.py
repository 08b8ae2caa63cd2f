"""What the tools answer: a few plain lines, with what to do next."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from picturelock.models import JobStatus
from picturelock.models.forecast import Forecast

_LINES: Final = 40
_DETAIL: Final = 400


def of_plan(plan: Forecast) -> str:
    """What an export would be."""
    length = f"{'' if plan.exact else 'about '}{plan.duration_seconds:.1f} s"
    size = f"{plan.width}x{plan.height}" if plan.width else "sound alone"
    head = f"{plan.title}: {len(plan.scenes)} scenes, {length}, {size}."
    todo = "The film is there already." if plan.film.found else (
        f"To make: {plan.narrations.missing} narrations, {plan.pictures.missing} pictures, "
        f"{plan.segments.missing} of {plan.segments.missing + plan.segments.found} segments"
        f"{'' if plan.eta_seconds is None else f'; about {plan.eta_seconds:.0f} s'}."
    )  # fmt: skip
    scenes = [
        f"{number}. {scene.title or scene.spoken} ({scene.shown}, {scene.seconds:.1f} s"
        f"{'' if scene.narration_found and scene.picture_found else ', new'})"
        for number, scene in enumerate(plan.scenes, 1)
    ]
    return "\n".join([head, todo, *_few(scenes), *(f"! {warning}" for warning in _few(plan.warnings))])


def of_job(job: JobStatus) -> str:
    """How a job stands, and what to do about it."""
    if job.status == "completed" and job.output is not None:
        film = job.output
        size = f"{film.width}x{film.height}, " if film.width else ""
        files = ", ".join(file.name for file in job.artifacts)
        return f"{job.id} completed: {film.duration_seconds:.1f} s, {size}{film.path}\nfiles: {files}"
    if job.status == "failed":
        return why(job)
    left = "" if job.eta_seconds is None else f", about {job.eta_seconds:.0f} s left"
    notes = [f"! {warning.code}: {warning.message}" for warning in job.warnings[-3:]]
    return "\n".join([f"{job.id} {job.status} {job.progress:.0f} %: {job.message}{left}", *notes])


def why(job: JobStatus) -> str:
    """Why a job has failed: code, place, remedy."""
    if job.error is None:
        return f"{job.id} is {job.status}; it has not failed."
    error = job.error
    lines = [f"{job.id} failed in {error.stage or 'no stage'}: {error.code}: {error.message}", error.remediation]
    if error.field:
        lines.append(f"field: {error.field}")
    if error.detail:
        lines.append(error.detail[-_DETAIL:])
    lines.append("retry(job) tries it again." if error.retryable else "The same request would fail again: change it.")
    return "\n".join(lines)


def of_voices(voices: Iterable[Mapping[str, Any]]) -> str:
    """Voices by language."""
    by_language: dict[str, list[str]] = {}
    for voice in voices:
        for language in voice["languages"]:
            by_language.setdefault(language, []).append(f"{voice['engine']}/{voice['voice']}")
    return "\n".join(f"{language}: {', '.join(names[:3])}" for language, names in sorted(by_language.items()))


def of_themes(themes: Iterable[Mapping[str, Any]]) -> str:
    """Themes with what tells them apart."""
    return "\n".join(f"{one['name']}: {'dark' if one['dark'] else 'light'}, {one['accent']}" for one in themes)


def _few(lines: list[str]) -> list[str]:
    return lines if len(lines) <= _LINES else [*lines[:_LINES], f"… and {len(lines) - _LINES} more"]
