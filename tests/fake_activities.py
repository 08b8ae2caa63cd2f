"""Activities under the real names that do nothing but what a test tells them to."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from temporalio import activity

from activities.control import pause_activities, read_fractions, unpause_activities
from activities.post_export import archive_job, deliver_webhook
from picturelock.errors import PicturelockError
from picturelock.jobs.stages import Retries
from picturelock.models import (
    NOTES_KEPT,
    ArtifactRef,
    DraftSound,
    ExportResult,
    FilmFacts,
    Heartbeat,
    NamedArtifact,
    PlannedBatch,
    Sound,
)
from picturelock.temporal import contracts
from picturelock.temporal.failure_codec import encode_failure

REF = ArtifactRef(sha256="0" * 64, size_bytes=1, media_type="application/json")
FACTS = FilmFacts(
    size_bytes=1, duration_seconds=4, width=1280, height=720, fps=30, frames=120, video_codec="h264", audio_codec="aac",
    sha256="0" * 64, loudness_lufs=-16, true_peak_dbtp=-2,
)  # fmt: skip


def beat(fraction: float) -> Heartbeat:
    return Heartbeat(fraction=fraction, last_advance_at=datetime.now(UTC), stall_after_seconds=30)


@dataclass
class Studio:
    """The fake activities and what happened to them. A hook of an activity's name runs inside it."""

    scenes: int = 2
    segments: int = 3
    batches: list[PlannedBatch] | None = None
    warnings: list[str] = field(default_factory=list)
    hardware: contracts.ChosenEncoder | None = None
    headers: Callable[[contracts.BatchTask], str] = lambda _: "b"
    hooks: dict[str, Callable[[Any], Awaitable[None]]] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)

    async def _do(self, name: str, task: Any) -> None:
        activity_id = activity.info().activity_id
        self.ran.append(activity_id)
        try:
            for key in (activity_id, name):
                if key in self.hooks:
                    await self.hooks[key](task)
        except asyncio.CancelledError:
            self.cancelled.append(activity_id)
            raise
        except PicturelockError as error:
            again = error.retryable and activity.info().attempt < Retries().attempts
            raise encode_failure(error.describe(), retryable=again) from error

    @staticmethod
    def control_activities() -> list[Callable[..., Any]]:
        """The control queue's activities: they are about Temporal and the store, so they are the real ones."""
        return [pause_activities, unpause_activities, archive_job, deliver_webhook]

    def activities(self) -> list[Callable[..., Any]]:
        studio = self

        @activity.defn(name=contracts.WRITE_SCRIPT.name)
        async def write_script(task: contracts.ScriptTask) -> contracts.WrittenScript:
            await studio._do("write_script", task)
            return contracts.WrittenScript(request=REF, script=REF, scenes=studio.scenes)

        @activity.defn(name=contracts.SPEAK_SCENE.name)
        async def speak_scene(task: contracts.SpeechTask) -> contracts.SpokenScene:
            await studio._do("speak_scene", task)
            return contracts.SpokenScene(narration=REF, scene_index=task.scene_index, samples=96_000, cached=False)

        @activity.defn(name=contracts.COMPOSE.name)
        async def compose(task: contracts.CompositionTask) -> contracts.Composition:
            await studio._do("compose", task)
            planned = studio.batches or [
                PlannedBatch(id=f"render-{n:03d}", frames=40, segment_ids=[f"render-{n:03d}"])
                for n in range(studio.segments)
            ]
            frames = sum(one.frames for one in planned)
            return contracts.Composition(
                plan=REF, batches=planned, total_frames=frames, duration_seconds=frames / 30,
                hardware=studio.hardware is not None, warnings=studio.warnings[:NOTES_KEPT],
                warnings_total=len(studio.warnings),
            )  # fmt: skip

        @activity.defn(name=contracts.CHOOSE_ENCODER.name)
        async def choose_encoder(task: contracts.EncoderTask) -> contracts.ChosenEncoder:
            await studio._do("choose_encoder", task)
            return studio.hardware or contracts.ChosenEncoder()

        @activity.defn(name=contracts.RENDER_BATCH.name)
        async def render(task: contracts.BatchTask) -> contracts.RenderedBatch:
            await studio._do("render", task)
            return contracts.RenderedBatch(
                segments=REF, headers=[studio.headers(task)], segments_found=0, segments_made=len(task.segment_ids)
            )

        @activity.defn(name=contracts.MASTER_SOUND.name)
        async def sound(task: contracts.SoundTask) -> Sound:
            await studio._do("sound", task)
            return Sound(artifact=REF, duration_seconds=4, loudness_lufs=-16, true_peak_dbtp=-2)

        @activity.defn(name=contracts.DRAFT_SOUND.name)
        async def draft(task: contracts.SoundTask) -> DraftSound:
            await studio._do("draft", task)
            return DraftSound(artifact=REF, seconds=4)

        @activity.defn(name=contracts.FINALIZE.name)
        async def finalize(task: contracts.FinalizeTask) -> ExportResult:
            await studio._do("finalize", task)
            film = NamedArtifact(name="film.mp4", **REF.model_dump(by_alias=False))
            return ExportResult(film=film, facts=FACTS, artifacts=[])

        fakes: list[Callable[..., Any]] = [
            write_script,
            speak_scene,
            compose,
            choose_encoder,
            render,
            sound,
            draft,
            finalize,
        ]
        named = {activity._Definition.must_from_callable(fake).name for fake in fakes}
        wanted = {contract.name for contract in contracts.ACTIVITIES if contract.stage} - {
            contract.name for contract in (contracts.SPEAK_SAMPLE, contracts.FORESEE, contracts.DRAW_STILL)
        }
        assert named == wanted, "every activity of a stage needs a fake: an unknown one would be waited for without end"
        return [*fakes, read_fractions]
