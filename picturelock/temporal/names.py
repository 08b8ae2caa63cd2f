"""The names under which the workflow and its readers know each other."""

from typing import Final

EXPORT_WORKFLOW: Final = "ExportWorkflow"
POST_EXPORT_WORKFLOW: Final = "PostExportWorkflow"
EVICTION_WORKFLOW: Final = "EvictionWorkflow"
EVICTION_SCHEDULE: Final = "picturelock-eviction"
FORECAST_WORKFLOW: Final = "ForecastWorkflow"
STILL_WORKFLOW: Final = "StillWorkflow"
VOICE_SAMPLE_WORKFLOW: Final = "VoiceSampleWorkflow"
STATUS_QUERY: Final = "status"
TIMELINE_QUERY: Final = "timeline"
FILM_QUERY: Final = "film"
PAUSE_SIGNAL: Final = "pause"
RESUME_SIGNAL: Final = "resume"
CORRELATION_HEADER: Final = "correlation-id"
OWNER_HEADER: Final = "owner"
OWNER_ATTRIBUTE: Final = "PicturelockOwner"
"""The search attribute by which an owner's jobs are listed; there only where keys are asked for."""

JOB_MEMO: Final = "job"
SNAPSHOT_MEMO: Final = "snapshot"
WARNINGS_MEMO: Final = "warnings"
DELIVERIES_MEMO: Final = "deliveries"


def post_export_id(job_id: str, attempt: int) -> str:
    """The id of the workflow that follows an attempt's end. Its dots keep it apart from every job id."""
    return f"{job_id}.post-export.{attempt}"


def look_id(what: str, digest: str) -> str:
    """The id of the workflow that looks at an export which is not asked for yet."""
    return f"look.{what}.{digest}"


def voice_sample_id(engine: str, voice: str) -> str:
    """The id of the workflow that speaks a voice's sample; whoever asks meanwhile waits for the same one."""
    return f"voice-sample.{engine}.{voice}"
