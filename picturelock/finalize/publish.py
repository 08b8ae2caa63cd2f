"""The last stage: the film joined, verified and published, with everything that belongs to it."""

import asyncio
import hashlib
import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import cv2

from picturelock import __version__
from picturelock.composition.captions import to_srt, to_vtt
from picturelock.errors import ArtifactLost, OutputInvalid
from picturelock.ffmpeg import runner
from picturelock.ffmpeg.concat import SegmentFile
from picturelock.ffmpeg.tools import tool_versions
from picturelock.finalize.chapters import Chapter, ChaptersAndSubtitles
from picturelock.finalize.gate import Gate
from picturelock.finalize.manifest import Manifest, pretty
from picturelock.finalize.mux import mux
from picturelock.finalize.rates import note_rates
from picturelock.finalize.transcript import as_html, as_text
from picturelock.models import (
    ArtifactRef,
    Check,
    Container,
    ExportRequest,
    ExportResult,
    FilmFacts,
    Model,
    NamedArtifact,
    Narration,
    RenderedSegment,
    RenderPlan,
    Script,
    Sound,
)
from picturelock.render import i420
from picturelock.reporting import Report, ignore
from picturelock.script.plain import plain_text
from picturelock.store.hashing import cache_key
from picturelock.store.references import References, output_holder
from picturelock.store.scratch import workspace
from picturelock.store.store import Store

_VERSION: Final = "2"
_MEDIA_TYPES: Final[dict[Container, str]] = {"mp4": "video/mp4", "webm": "video/webm", "m4a": "audio/mp4"}


class FinishedFilm(Model):
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
    report: Report = ignore

    async def finish(self) -> ExportResult:
        """Joins, verifies and publishes. The manifest is written last: without it nothing is published.

        Raises:
            OutputInvalid: the film did not pass the gate.
            RenderFailed, DiskFull, StoreUnavailable.
        """
        key = film_key(self.plan, self.segments, self.sound, track=self.request.captions.track)
        known = await self.store.recall("film", key, FinishedFilm)
        if known is not None:
            await self._need(known.film.sha256)
        reusable = known is not None and await self._is_there(known)
        done = known if known is not None and reusable else await self._made()
        if not reusable:
            await self.store.remember("film", key, done)
            await note_rates(self.plan.format, self.segments, self.narrations, self.store)
        if done.poster is not None:
            await self._need(done.poster.sha256)
        name = f"{file_stem(self.plan.title)}.{self.plan.format.container}"
        film = NamedArtifact(name=name, **done.film.model_dump(by_alias=False))
        self.report(0.9, "Publishing")
        artifacts = await self._artifacts(done.poster)
        manifest = await self._manifest(film, done, artifacts)
        self.report(1.0, "Published")
        return ExportResult(film=film, facts=done.facts, artifacts=[*artifacts, manifest], cached=reusable)

    async def _is_there(self, known: "FinishedFilm") -> bool:
        """Whether a film that was made before is there, byte for byte: it is published without another look."""
        try:
            with workspace(self.scratch, "found") as folder:
                await self.store.local(known.film, folder)
        except ArtifactLost:
            return False
        return known.poster is None or await self.store.has(known.poster)

    async def _made(self) -> "FinishedFilm":
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
            await self._need(facts.sha256)
            stored = await self.store.put_file(path, _MEDIA_TYPES[self.plan.format.container])
        if stored.sha256 != facts.sha256:
            raise OutputInvalid("the film changed between verification and publication")
        return FinishedFilm(film=stored, facts=facts, checks=gate.checks, poster=poster)

    async def _join(self, path: Path) -> None:
        pieces = [
            SegmentFile(await self.store.local(segment.artifact, path.parent), segment.frames)
            for segment in self.segments
        ]
        audio = await self.store.local(self.sound.artifact, path.parent)
        plan = self.plan
        await mux(pieces, audio, plan.format, plan.title, plan.language, self._chapters_and_subtitles(), path)

    def _chapters_and_subtitles(self) -> ChaptersAndSubtitles:
        """A chapter for each titled scene, up to the next one; and the captions as a track, if they are wanted."""
        timeline = self.plan.timeline
        titled = [(scene.start_frame, plain_text(scene.title)) for scene in timeline.scenes if scene.title]
        if titled and titled[0][0] > 0:
            titled.insert(0, (0, self.plan.title))
        ends = [*(start for start, _ in titled[1:]), timeline.total_frames]
        chapters = [Chapter(title, start, end) for (start, title), end in zip(titled, ends, strict=False)]
        track = self.request.captions.track and bool(timeline.cues)
        return ChaptersAndSubtitles(chapters if len(chapters) > 1 else [], to_srt(timeline.cues) if track else None)

    async def _poster(self, film: Path) -> ArtifactRef:
        """A frame of the first scene, as JPEG (full-range, converted)."""
        # Rounded down: a frame is shown from its own time on, and what lies a millionth before it is not.
        seconds = math.floor(poster_frame(self.plan) / self.plan.timeline.fps * 1e6) / 1e6
        done = await runner.run(
            ["-v", "error", "-ss", f"{seconds:.6f}", "-i", str(film), "-frames:v", "1", "-f", "rawvideo",
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
            ("transcript.txt", as_text(self.script, self.plan.title).encode(), "text/plain; charset=utf-8"),
            ("transcript.html", as_html(self.script, self.plan.title).encode(), "text/html; charset=utf-8"),
            ("script.json", pretty(self.script), "application/json"),
            ("timeline.json", pretty(timeline), "application/json"),
        ]
        stored = [await self._store(name, data, media_type) for name, data, media_type in files]
        pictures = [NamedArtifact(name="poster.jpg", **poster.model_dump(by_alias=False))] if poster else []
        return [*stored[:2], *pictures, *stored[2:]]

    async def _manifest(
        self, film: NamedArtifact, done: "FinishedFilm", artifacts: list[NamedArtifact]
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
        data = pretty(manifest)
        named = await self._store("manifest.json", data, "application/json")
        await self.store.put_job_file(self.job_id, "manifest.json", data)
        return named

    async def _need(self, sha256: str) -> None:
        """Has the job need a file, before it is looked for or put: from then on it stays."""
        await References(self.store).add(output_holder(self.job_id), [sha256])

    async def _store(self, name: str, data: bytes, media_type: str) -> NamedArtifact:
        await self._need(hashlib.sha256(data).hexdigest())
        ref = await self.store.put_bytes(data, media_type)
        return NamedArtifact(name=name, **ref.model_dump(by_alias=False))


def film_key(plan: RenderPlan, segments: Sequence[RenderedSegment], sound: Sound, *, track: bool) -> str:
    """The cache key of a film: everything that determines its bytes, and what it was measured against."""
    text = plan.model_dump_json(exclude={"warnings", "attributions"})
    made_of = [*(segment.packets_sha256 for segment in segments), sound.artifact.sha256]
    return cache_key(_VERSION, tool_versions()["ffmpeg"], text, str(track), *made_of)


def poster_frame(plan: RenderPlan) -> int:
    """The first frame of the first scene's body, which is a key frame; of a clip, which may fade in, a later one."""
    scene = next(scene for scene in plan.timeline.scenes if scene.part == "scene")
    if plan.pictures[scene.index].clip:
        return scene.start_frame + scene.frames // 3
    return next(segment.start_frame for segment in plan.timeline.segments if segment.scene_indexes == [scene.index])


def file_stem(title: str) -> str:
    """A title as the beginning of a file name: letters, digits, spaces and hyphens of any script."""
    kept = "".join(
        character if unicodedata.category(character)[0] in "LNM" or character in " -_" else " " for character in title
    )
    return " ".join(kept.split())[:80].strip() or "film"
