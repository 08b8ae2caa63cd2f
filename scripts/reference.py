"""Writes what the reference takes from the code: the field tables, one status, one event stream, the OpenAPI document.

python -m scripts.reference
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from api.app import create_app
from api.events import EventEncoder
from api.frames import connected_frame, frame, stamp
from api.watch import WatchedState
from picturelock.errors import WorkerLost
from picturelock.jobs.stages import CONTROL_QUEUE, EXPORTS_QUEUE, RENDER_QUEUE
from picturelock.jobs.status import assemble
from picturelock.models import (
    CachedResult,
    EarlierAttempt,
    ExportRequest,
    ExportResult,
    FilmFacts,
    Heartbeat,
    JobStatus,
    NamedArtifact,
    Observation,
    PendingActivity,
    StageName,
)
from workflows.job_record import JobRecord

DOCS: Final = Path(__file__).parents[1] / "docs"
PAGE: Final = DOCS / "http-api.md"
OPENAPI: Final = DOCS / "openapi.json"
STATUS: Final = DOCS / "examples" / "job-status.json"
EVENTS: Final = DOCS / "examples" / "events.txt"

_BEGAN: Final = datetime(2026, 3, 2, 9, 0, 0, tzinfo=UTC)
_JOB: Final = "5f0c7a52d9f94f3fb1f6c7a0f3b1f7d4"
_LIMITS: Final = {
    "minimum": "from {:g}",
    "exclusiveMinimum": "more than {:g}",
    "maximum": "up to {:,g}",
    "multipleOf": "a multiple of {:g}",
    "maxLength": "at most {:,} characters",
    "maxItems": "at most {:,}",
    "maxProperties": "at most {:,}",
}
_SHOWN: Final = ("id", "status", "progress", "stage", "message", "percent")
"""What the page shows of a status in a stream; the file has all of it."""


# Field tables.


def field_table(model: type[BaseModel], mode: Any) -> str:
    """A row for each field of a model and of the models in it: path, type, default, limits, what it is."""
    schema = model.model_json_schema(mode=mode)
    rows = ["| field | type | default | what it is |", "| --- | --- | --- | --- |"]
    for path, field in _fields(schema, schema.get("$defs", {}), ""):
        kind, limits = _type(field), _limits(field)
        text = " ".join(part for part in (field.get("description", ""), f"({limits})" if limits else "") if part)
        default = f"`{json.dumps(field['default'])}`" if field.get("default", None) not in (None, {}, []) else ""
        rows.append(f"| `{path}` | {kind} | {default} | {text} |")
    return "\n".join(rows) + "\n"


def _fields(schema: dict[str, Any], known: dict[str, Any], before: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, raw in schema["properties"].items():
        field = _resolved(raw, known)
        items = _resolved(field.get("items", {}), known)
        inner, path = (items, f"{before}{name}[]") if "properties" in items else (field, f"{before}{name}")
        yield path, {**field, "default": None if "properties" in inner else field.get("default")}
        if "properties" in inner:
            yield from _fields(inner, known, f"{path}.")


def _resolved(field: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """A field with its reference followed and its `null` left out; its own description comes first."""
    for one in field.get("anyOf", []):
        if one.get("type") != "null":
            return {**_resolved(one, known), **{key: value for key, value in field.items() if key != "anyOf"}}
    if "$ref" in field:
        return {**known[field["$ref"].rsplit("/", 1)[1]], **field}
    return field


def _type(field: dict[str, Any]) -> str:
    if "enum" in field:
        return ", ".join(f"`{one}`" for one in field["enum"])
    if field.get("format") == "date-time":
        return "time"
    if field.get("type") == "array":
        return f"list of {field['items'].get('type', 'object')}s" if "type" in field["items"] else "list"
    return str(field.get("type", "object"))


def _limits(field: dict[str, Any]) -> str:
    text = [words.format(field[key]) for key, words in _LIMITS.items() if key in field]
    return ", ".join(text)


# One export, as everybody sees it.


def observations() -> list[Observation]:
    """A job's second attempt, looked at eight times: no worker at first, then all the way to the film."""
    lost = WorkerLost("its worker was not heard of again").describe("render", 5)
    earlier = EarlierAttempt(attempt=1, status="failed", error=lost, completed_at=_BEGAN - timedelta(minutes=5))
    record, seen = JobRecord(attempt=2), list[Observation]()

    def look(seconds: float, *pending: PendingActivity, **more: object) -> None:
        fields: dict[str, Any] = {
            "job_id": _JOB, "now": _at(seconds), "run_status": "open", "created_at": _BEGAN, "started_at": _BEGAN,
            "correlation_id": "a1b2c3", "metadata": {"project": "42"}, "attempt": 2, "earlier": [earlier],
            "snapshot": record.snapshot(), "pending": list(pending),
            "live_queues": [EXPORTS_QUEUE, RENDER_QUEUE, CONTROL_QUEUE], "watched_since": _BEGAN,
            "temporal_ui": f"http://127.0.0.1:8233/namespaces/default/workflows/{_JOB}",
        }  # fmt: skip
        seen.append(Observation(**{**fields, **more}))

    look(12, live_queues=[])
    record.start("script", 1, 1, "Checking the script", _at(20))
    record.scheduled("script", "script", 1)
    record.finished("script", "script", CachedResult())
    record.complete("script", "The script has 2 scenes", _at(20.2))
    record.start("tts", 2, 2, "Speaking 2 scenes", _at(20.2))
    for number in range(2):
        record.scheduled("tts", f"tts-0{number}", 1)
    look(
        20.4,
        _pending("tts-00", "exports", "tts", _beat(0.4, 20.3, "Speaking scene 1"), 20.3),
    )
    for number in range(2):
        record.finished("tts", f"tts-0{number}", CachedResult(cached=number == 0))
    record.complete("tts", "7.1 s of speech", _at(22))
    record.start("composition", 1, 1, "Composing the film", _at(22))
    record.scheduled("composition", "composition", 1)
    record.finished("composition", "composition", CachedResult())
    record.complete("composition", "2 segments, 8.5 s", _at(23))
    record.start("render", 3, 255, "Rendering 2 segments", _at(23))
    for number, frames in enumerate((130, 125)):
        record.scheduled("render", f"render-00{number}", frames)
    record.scheduled("render", "sound", 0)
    beat = _beat(0.5, 25, "Rendering render-000", frames_done=65, frames_total=130, speed=1.9)
    waiting = _pending("render-001"), _pending("sound", "exports")
    look(25.1, _pending("render-000", heartbeat=beat, beat_at=25), *waiting)
    again = CachedResult(attempt=2, failures=["its worker was not heard of any more"])
    for name, made in (
        ("render-000", again),
        ("render-001", CachedResult()),
        ("sound", CachedResult()),
    ):
        record.finished("render", name, made)
    record.complete("render", "2 segments and the sound are ready", _at(29))
    record.start("finalize", 1, 100, "Joining and verifying the film", _at(29))
    record.scheduled("finalize", "finalize", 99)
    look(
        29.4,
        _pending("finalize", "exports", "finalize", _beat(0.4, 29.3, "Verifying the film"), 29.3),
    )
    record.finished("finalize", "finalize", CachedResult())
    record.complete("finalize", "The film is verified and published", _at(31))
    record.finish()
    look(31, run_status="completed", closed_at=_at(31), result=_result())
    return seen


def _pending(
    activity_id: str,
    queue: str = "render",
    stage: StageName = "render",
    heartbeat: Heartbeat | None = None,
    beat_at: float | None = None,
) -> PendingActivity:
    heartbeat_at = None if beat_at is None else _at(beat_at)
    return PendingActivity(
        id=activity_id, stage=stage, queue=queue, started=True, heartbeat=heartbeat, heartbeat_at=heartbeat_at
    )


def _at(seconds: float) -> datetime:
    return _BEGAN + timedelta(seconds=seconds)


def _beat(fraction: float, at: float, message: str, **more: Any) -> Heartbeat:
    return Heartbeat(fraction=fraction, message=message, last_advance_at=_at(at), stall_after_seconds=30, **more)


def _result() -> ExportResult:
    def named(name: str, media_type: str, size: int) -> NamedArtifact:
        return NamedArtifact(name=name, sha256=f"{size:064x}", size_bytes=size, media_type=media_type)

    facts = FilmFacts(
        size_bytes=2_345_678, duration_seconds=8.5, width=1920, height=1080, fps=30, frames=255, video_codec="h264",
        audio_codec="aac", sha256=f"{2_345_678:064x}", loudness_lufs=-16.0, true_peak_dbtp=-2.1,
    )  # fmt: skip
    files = [
        named("captions.srt", "application/x-subrip", 612),
        named("captions.vtt", "text/vtt", 598),
        named("poster.jpg", "image/jpeg", 181_204),
        named("transcript.txt", "text/plain; charset=utf-8", 342),
        named("transcript.html", "text/html; charset=utf-8", 1_128),
        named("script.json", "application/json", 740),
        named("timeline.json", "application/json", 5_120),
        named("manifest.json", "application/json", 9_830),
    ]
    return ExportResult(film=named("tides.mp4", "video/mp4", facts.size_bytes), facts=facts, artifacts=files)


def example_status() -> str:
    """The status of the finished job."""
    status = assemble(observations()[-1])
    return json.dumps(status.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"


def example_events() -> bytes:
    """The whole event stream of the job, as a client that was there from the beginning gets it."""
    hello = {"jobId": _JOB, "message": "Connected", "timestamp": stamp(_at(11.9)), "correlationId": "d4e5f6"}
    encoder, told = EventEncoder(None), [connected_frame(hello)]
    for version, seen in enumerate(observations(), start=1):
        told.append(encoder.frames_for(WatchedState(version, seen, at=seen.now)))
        if version == 1:
            told.append(frame("heartbeat", {"timestamp": stamp(_at(17)), "status": "alive"}))
    return b"".join(told)


def shortened_events() -> str:
    """The stream with the statuses in it cut to what a glance needs."""
    lines = []
    for line in example_events().decode().splitlines():
        if line.startswith("data: "):
            data = json.loads(line.removeprefix("data: "))
            if "links" in data:
                shown = ", ".join(f"{json.dumps(key)}: {json.dumps(data[key])}" for key in _SHOWN)
                line = f"data: {{{shown}, …}}"  # noqa: PLW2901 - the line as it is shown
        lines.append(line)
    return "\n".join(lines).strip() + "\n"


def openapi() -> str:
    """The OpenAPI document, as the API serves it."""
    return json.dumps(create_app().openapi(), indent=2, ensure_ascii=False) + "\n"


def page(text: str) -> str:
    """The page with everything of today between its markers."""
    parts = {
        "request fields": field_table(ExportRequest, "validation"),
        "status fields": field_table(JobStatus, "serialization"),
        "status example": f"```json\n{example_status()}```\n",
        "events example": f"```text\n{shortened_events()}```\n",
    }
    for name, content in parts.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, rest = text.split(begin, 1)
        text = before + begin + content + end + rest.split(end, 1)[1]
    return text


if __name__ == "__main__":
    STATUS.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(PAGE.read_text()))
    STATUS.write_text(example_status())
    EVENTS.write_bytes(example_events())
    OPENAPI.write_text(openapi())
