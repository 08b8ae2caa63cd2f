"""Everything that crosses a process boundary, as frozen pydantic models."""

from picturelock.models.aftermath import (
    AftermathInput,
    ArchivedJob,
    Delivery,
    DeliveryLog,
    DeliveryOutcome,
    DeliveryState,
    Message,
)
from picturelock.models.artifacts import ArtifactRef, Asset, NamedArtifact
from picturelock.models.base import Input, Made, Model
from picturelock.models.film import (
    SAMPLE_RATE,
    AudioPlan,
    Check,
    Cue,
    ExportResult,
    FilmFacts,
    Narration,
    RenderedSegment,
    RenderPlan,
    ScenePicture,
    Segment,
    SegmentLayer,
    SegmentSpec,
    Sound,
    SpeechCue,
    TextLayer,
    Timeline,
    TimelineScene,
    VideoFormat,
    Word,
)
from picturelock.models.job import (
    TERMINAL,
    ArtifactLink,
    EarlierAttempt,
    ExportInput,
    Heartbeat,
    JobError,
    JobId,
    JobMemo,
    JobStatus,
    Links,
    Observation,
    Output,
    PendingActivity,
    RunStatus,
    Snapshot,
    Stage,
    StageName,
    Status,
    StepDetail,
    StepRecord,
    StepState,
    StepStatus,
    TimelineEvent,
    Warn,
)
from picturelock.models.request import (
    CaptionOptions,
    ExportRequest,
    Music,
    Transition,
    VideoOptions,
    Watermark,
    Webhook,
)
from picturelock.models.script import Brief, Motion, Scene, Script, Visual, Voice

__all__ = [
    "SAMPLE_RATE", "TERMINAL", "AftermathInput", "ArchivedJob", "ArtifactLink", "ArtifactRef", "Asset", "AudioPlan",
    "Brief", "CaptionOptions", "Check", "Cue", "Delivery", "DeliveryLog", "DeliveryOutcome", "DeliveryState",
    "EarlierAttempt", "ExportInput", "ExportRequest", "ExportResult", "FilmFacts", "Heartbeat", "Input", "JobError",
    "JobId", "JobMemo", "JobStatus", "Links", "Made", "Message", "Model", "Motion", "Music", "NamedArtifact",
    "Narration", "Observation", "Output", "PendingActivity", "RenderPlan", "RenderedSegment", "RunStatus", "Scene",
    "ScenePicture", "Script", "Segment", "SegmentLayer", "SegmentSpec", "Snapshot", "Sound", "SpeechCue", "Stage",
    "StageName", "Status", "StepDetail", "StepRecord", "StepState", "StepStatus", "TextLayer", "Timeline",
    "TimelineEvent", "TimelineScene", "Transition", "VideoFormat", "VideoOptions", "Visual", "Voice", "Warn",
    "Watermark", "Webhook", "Word",
]  # fmt: skip
