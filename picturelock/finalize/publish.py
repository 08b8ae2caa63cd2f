"""The last stretch: the sound of a film, and the film itself joined, verified and published."""

import asyncio
import json
import math
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import cv2

from picturelock import __version__
from picturelock.composition.captions import to_srt, to_vtt
from picturelock.errors import ArtifactLost, OutputInvalid
from picturelock.ffmpeg import runner
from picturelock.ffmpeg.tools import tool_versions
from picturelock.finalize import mux, sound
from picturelock.finalize.chapters import Chapter, Extras
from picturelock.finalize.gate import Gate
from picturelock.models import (
    SAMPLE_RATE,
    ArtifactRef,
    Attribution,
    Check,
    Container,
    ExportRequest,
    ExportResult,
    FilmFacts,
    NamedArtifact,
    Narration,
    RenderedSegment,
    RenderPlan,
    Script,
    Sound,
)
from picturelock.models.base import Model
from picturelock.render import i420
from picturelock.script.markdown import plain_text
from picturelock.store.hashing import cache_key
from picturelock.store.scratch import workspace
from picturelock.store.store import Store

Report = Callable[[float, str], None]
_VERSION: Final = "2"
_MEDIA_TYPES: Final[dict[Container, str]] = {"mp4": "video/mp4", "webm": "video/webm", "m4a": "audio/mp4"}


async def master_sound(
    plan: RenderPlan,
    store: Store,
    scratch: Path,
    stall_seconds: float,
    on_progress: Report,
) -> Sound:
    """Mixes and masters (or finds) the film's sound.

    Raises:
        OutputInvalid: loudness or peak missed the target.
        RenderFailed, RenderStalled, DiskFull, StoreUnavailable, AssetMissing.
    """
    audio = plan.timeline.audio
    kind = f"{plan.format.container} {plan.format.audio_bitrate_kbps}"
    key = cache_key(sound.VERSION, tool_versions()["ffmpeg"], kind, audio.model_dump_json())
    known = await store.recall("sound", key, Sound)
    if known is not None and await store.has(known.artifact):
        return known.model_copy(update={"cached": True})
    webm = plan.format.container == "webm"
    with workspace(scratch, "sound") as folder:
        files = {cue.audio.sha256: await store.local(cue.audio, folder) for cue in sound.placed(audio)}
        music = await store.local((await store.asset(audio.music.asset_id))[1], folder) if audio.music else None
        output = folder / ("sound.webm" if webm else "sound.m4a")
        job = sound.SoundJob(audio, plan.format, files, music, stall_seconds, on_progress)
        level = await job.master(output)
        artifact = await store.put_file(output, "audio/webm" if webm else "audio/mp4")
    mastered = Sound(
        artifact=artifact,
        duration_seconds=audio.total_samples / SAMPLE_RATE,
        loudness_lufs=level.integrated,
        true_peak_dbtp=level.true_peak,
    )
    await store.remember("sound", key, mastered)
    return mastered


class Manifest(Model):
    """How a film came to be: enough to trust it, and to make it again."""

    job_id: str
    attempt: int
    correlation_id: str
    created_at: datetime
    completed_at: datetime
    picturelock: str
    tools: dict[str, str]
    request: ExportRequest
    film: NamedArtifact
    facts: FilmFacts
    checks: list[Check]
    attributions: list[Attribution]
    warnings: list[str]
    artifacts: list[NamedArtifact]
    narrations: list[Narration]
    segments: list[RenderedSegment]
    sound: Sound
    metadata: dict[str, str]


class _FinishedFilm(Model):
    """A film that has passed the gate, with what was measured."""

    film: ArtifactRef
    facts: FilmFacts
    checks: list[Check]
    poster: ArtifactRef | None


@dataclass(frozen=True, slots=True)
class Finisher:
    """Everything the last stage works on; see `finish`."""

    job_id: str
    attempt: int
    correlation_id: str
    created_at: datetime
    request: ExportRequest
    script: Script
    plan: RenderPlan
    narrations: list[Narration]
    segments: list[RenderedSegment]
    sound: Sound
    store: Store
    scratch: Path
    report: Report = field(default=lambda _fraction, _message: None)

    async def finish(self) -> ExportResult:
        """Joins, verifies and publishes. The manifest is written last: without it nothing is published.

        Raises:
            OutputInvalid: the film did not pass the gate.
            RenderFailed, DiskFull, StoreUnavailable.
        """
        key = self._key()
        known = await self.store.recall("film", key, _FinishedFilm)
        found = known is not None and await self._is_there(known)
        done = known if known is not None and found else await self._made()
        if not found:
            await self.store.remember("film", key, done)
        name = f"{file_stem(self.plan.title)}.{self.plan.format.container}"
        film = NamedArtifact(name=name, **done.film.model_dump(by_alias=False))
        self.report(0.9, "Publishing")
        artifacts = await self._artifacts(done.poster)
        manifest = await self._manifest(film, done, artifacts)
        self.report(1.0, "Published")
        return ExportResult(film=film, facts=done.facts, artifacts=[*artifacts, manifest], cached=found)

    def _key(self) -> str:
        """Everything that determines the film's bytes, and what it was measured against."""
        plan = self.plan.model_dump_json(exclude={"warnings", "attributions"})
        made_of = [*(one.packets_sha256 for one in self.segments), self.sound.artifact.sha256]
        return cache_key(_VERSION, tool_versions()["ffmpeg"], plan, str(self.request.captions.track), *made_of)

    async def _is_there(self, known: "_FinishedFilm") -> bool:
        """Whether a film that was made before is there, byte for byte: it is published without another look."""
        try:
            with workspace(self.scratch, "found") as folder:
                await self.store.local(known.film, folder)
        except ArtifactLost:
            return False
        return known.poster is None or await self.store.has(known.poster)

    async def _made(self) -> "_FinishedFilm":
        """The film, joined, verified and stored."""
        with workspace(self.scratch, "film") as folder:
            path = folder / f"film.{self.plan.format.container}"
            self.report(0.05, "Joining the segments" if self.segments else "Writing the file")
            await self._join(path)
            self.report(0.3, "Verifying the film")
            gate = Gate(path, self.plan, self.segments, lambda share, text: self.report(0.3 + 0.5 * share, text))
            drawing = asyncio.create_task(self._poster(path)) if self.plan.format.has_picture else None
            try:
                facts = await gate.verify()
                self.report(0.8, "Storing the film")
                poster = await drawing if drawing else None
            finally:
                if drawing:
                    drawing.cancel()
                    await asyncio.gather(drawing, return_exceptions=True)
            stored = await self.store.put_file(path, _MEDIA_TYPES[self.plan.format.container])
        if stored.sha256 != facts.sha256:
            raise OutputInvalid("the film changed between verification and publication")
        return _FinishedFilm(film=stored, facts=facts, checks=gate.checks, poster=poster)

    async def _join(self, path: Path) -> None:
        pieces = [mux.Piece(await self.store.local(one.artifact, path.parent), one.frames) for one in self.segments]
        audio = await self.store.local(self.sound.artifact, path.parent)
        plan = self.plan
        await mux.join(pieces, audio, plan.format, plan.title, plan.language, self._extras(), path)

    def _extras(self) -> Extras:
        """A chapter for each titled scene, up to the next one; and the captions as a track, if they are wanted."""
        timeline = self.plan.timeline
        titled = [(scene.start_frame, plain_text(scene.title)) for scene in timeline.scenes if scene.title]
        if titled and titled[0][0] > 0:
            titled.insert(0, (0, self.plan.title))
        ends = [*(start for start, _ in titled[1:]), timeline.total_frames]
        chapters = [Chapter(title, start, end) for (start, title), end in zip(titled, ends, strict=False)]
        track = self.request.captions.track and bool(timeline.cues)
        return Extras(chapters if len(chapters) > 1 else [], to_srt(timeline.cues) if track else None)

    async def _poster(self, film: Path) -> ArtifactRef:
        """A frame of the first scene, as JPEG (full-range, converted)."""
        # Rounded down: a frame is shown from its own time on, and what lies a millionth before it is not.
        at = math.floor(poster_frame(self.plan) / self.plan.timeline.fps * 1e6) / 1e6
        done = await runner.run(
            ["-v", "error", "-ss", f"{at:.6f}", "-i", str(film), "-frames:v", "1", "-f", "rawvideo",
             "-pix_fmt", "rgb24", "-vf", "scale=in_color_matrix=bt709:in_range=tv:out_range=pc", "pipe:1"],
            stall_seconds=120,
            read_stdout=True,
        )  # fmt: skip
        picture = i420.rgb_of_bytes(done.stdout, self.plan.format.width, self.plan.format.height)
        encoded = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
        return await self.store.put_bytes(await asyncio.to_thread(bytes, encoded), "image/jpeg")

    async def _artifacts(self, poster: ArtifactRef | None) -> list[NamedArtifact]:
        timeline = self.plan.timeline
        files = [
            ("captions.srt", to_srt(timeline.cues).encode(), "application/x-subrip"),
            ("captions.vtt", to_vtt(timeline.cues).encode(), "text/vtt"),
            ("script.json", _pretty(self.script), "application/json"),
            ("timeline.json", _pretty(timeline), "application/json"),
        ]
        stored = [await self._store(name, data, media_type) for name, data, media_type in files]
        pictures = [NamedArtifact(name="poster.jpg", **poster.model_dump(by_alias=False))] if poster else []
        return [*stored[:2], *pictures, *stored[2:]]

    async def _manifest(
        self, film: NamedArtifact, done: "_FinishedFilm", artifacts: list[NamedArtifact]
    ) -> NamedArtifact:
        manifest = Manifest(
            job_id=self.job_id,
            attempt=self.attempt,
            correlation_id=self.correlation_id,
            created_at=self.created_at,
            completed_at=datetime.now(UTC),
            picturelock=__version__,
            tools=tool_versions(),
            request=self.request,
            film=film,
            facts=done.facts,
            checks=done.checks,
            attributions=self.plan.attributions,
            warnings=self.plan.warnings,
            artifacts=artifacts,
            narrations=self.narrations,
            segments=self.segments,
            sound=self.sound,
            metadata=self.request.metadata,
        )
        data = _pretty(manifest)
        named = await self._store("manifest.json", data, "application/json")
        await self.store.put_job_file(self.job_id, "manifest.json", data)
        return named

    async def _store(self, name: str, data: bytes, media_type: str) -> NamedArtifact:
        ref = await self.store.put_bytes(data, media_type)
        return NamedArtifact(name=name, **ref.model_dump(by_alias=False))


def poster_frame(plan: RenderPlan) -> int:
    """The first frame of the first scene's body, which is a key frame; of a clip, which may fade in, a later one."""
    scene = next(one for one in plan.timeline.scenes if one.part == "scene")
    if plan.pictures[scene.index].clip:
        return scene.start_frame + scene.frames // 3
    return next(one.start_frame for one in plan.timeline.segments if one.scene_indexes == [scene.index])


def file_stem(title: str) -> str:
    """A title as the beginning of a file name: letters, digits, spaces and hyphens of any script."""
    kept = "".join(sign if unicodedata.category(sign)[0] in "LNM" or sign in " -_" else " " for sign in title)
    return " ".join(kept.split())[:80].strip() or "film"


def _pretty(model: Model) -> bytes:
    return (json.dumps(model.model_dump(mode="json"), ensure_ascii=False, indent=2) + "\n").encode()
