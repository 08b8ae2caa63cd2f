"""Composition: pictures made ready, the timeline laid out, captions placed. The result is one stored plan."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from picturelock.composition import inserts
from picturelock.composition.captions import cues_of_scene
from picturelock.composition.inserts import InsertKind, ReadyInsert
from picturelock.composition.layout import Layout, Part, lay_out
from picturelock.composition.pictures import Notes, PictureMaker
from picturelock.composition.scenes.designer import SceneDesigner, headline
from picturelock.composition.scenes.reveals import Clock
from picturelock.composition.visuals.provide import PictureProvider
from picturelock.composition.visuals.source import VisualSource
from picturelock.concurrency import gather_limited
from picturelock.errors import AssetUnreadable, InvalidRequest
from picturelock.models import (
    SAMPLE_RATE,
    ArtifactRef,
    AudioPlan,
    Cue,
    ExportRequest,
    Insert,
    Narration,
    RenderPlan,
    Scene,
    ScenePicture,
    Script,
    SpeechCue,
    Timeline,
    TimelineScene,
    VideoFormat,
    Word,
)
from picturelock.models.film import TimelinePart
from picturelock.models.script import PictureSource
from picturelock.presets import resolve
from picturelock.reporting import Report
from picturelock.script.plain import plain_text
from picturelock.store.lookup import NotMade
from picturelock.store.store import Store
from picturelock.text.ass import CaptionLook, text_width
from picturelock.text.fonts import drawable_text

_AT_ONCE = os.cpu_count() or 1
"""Pictures that are decoded and scaled at once."""

_NOT_MADE = ScenePicture(
    source=ArtifactRef(sha256="0" * 64, size_bytes=0, media_type="application/x-npy"), motion="none", description=""
)
"""Stands for a picture that would have to be made, where a store is only looked at."""

_READING_SIZE = (1920, 1080)
"""Where there is no picture, captions are broken for this one."""


@dataclass(frozen=True, slots=True)
class Composed:
    """A film on paper, and how many of its pictures were found and how many made."""

    plan: RenderPlan
    pictures_found: int
    pictures_made: int
    missing: frozenset[int] = frozenset()
    """Places in the film of pictures that would have to be made, where the store was only looked at."""


@dataclass(frozen=True, slots=True)
class Composer:
    """Composes one film; see `compose`."""

    request: ExportRequest
    script: Script
    narrations: list[Narration]
    store: Store
    scratch: Path
    sources: Mapping[PictureSource, VisualSource]
    max_asset_bytes: int

    async def compose(self, report: Report) -> Composed:
        """The plan of the whole film. `report(share, message)` several times a scene.

        Raises:
            AssetMissing, AssetUnreadable: a picture that was asked for cannot be shown.
            NotOffered, PictureUnavailable, PictureFailed: a picture that was asked for cannot be found or made.
            GlyphMissing: a title or caption cannot be drawn.
            InvalidRequest: the film is longer than its preset allows.
        """
        self.scratch.mkdir(parents=True, exist_ok=True)
        video = resolve(self.request.video)
        await self._check_asset_kinds()
        intro = await self._insert("intro", self.request.intro, video, report)
        outro = await self._insert("outro", self.request.outro, video, report)
        inserted = [insert for insert in (intro, outro) if insert]
        layout = self._lay_out(intro, outro, video)
        self._check_length(layout, video)
        notes = Notes()
        provider = self._provider(video)
        pictures: list[ScenePicture] = []
        if video.has_picture:
            pictures = await self._pictures(layout, provider, video, notes, report)
            pictures = [*_picture_of(intro), *pictures, *_picture_of(outro)]
        notes.warnings += self._vague_times()
        cues = await asyncio.to_thread(self._cues, layout, video, pictures, notes.warnings)
        timeline = Timeline(
            fps=video.fps,
            width=video.width,
            height=video.height,
            total_frames=layout.total_frames,
            segments=layout.segments if video.has_picture else [],
            scenes=layout.scenes,
            cues=cues,
            audio=self._audio(layout, inserted, video),
        )
        warnings = {*notes.warnings, *provider.warnings, *(insert.warning for insert in inserted if insert.warning)}
        plan = RenderPlan(
            format=video,
            timeline=timeline,
            pictures=pictures,
            transition=self.request.transition.kind,
            captions=self.request.captions.drawn(),
            watermark=self.request.watermark,
            title=plain_text(self.script.title) or headline(self.script.scenes[0]),
            language=self.script.language,
            attributions=provider.attributions,
            warnings=sorted(warnings),
        )
        return Composed(plan, notes.found, notes.made, frozenset(notes.missing))

    def _provider(self, video: VideoFormat) -> PictureProvider:
        return PictureProvider(
            available=self.sources,
            pictures=self.request.pictures,
            size=(video.width, video.height),
            store=self.store,
            scratch=self.scratch,
            max_bytes=self.max_asset_bytes,
        )

    async def _insert(
        self, kind: InsertKind, insert: Insert | None, video: VideoFormat, report: Report
    ) -> ReadyInsert | None:
        def advance(share: float) -> None:
            report(0.0, f"Preparing the {kind} ({share:.0%})")

        return await inserts.prepare(kind, insert, video, self.store, self.scratch, advance) if insert else None

    def _lay_out(self, intro: ReadyInsert | None, outro: ReadyInsert | None, video: VideoFormat) -> Layout:
        parts = [
            Part(speech_samples=narration.samples, title=scene.title)
            for narration, scene in zip(self.narrations, self.script.scenes, strict=True)
        ]
        if self.request.opening and video.has_picture:
            parts.insert(0, Part(kind="opening"))
        if intro:
            parts.insert(0, Part(kind="intro", frames=intro.frames))
        if self.request.ending and video.has_picture:
            parts.append(Part(kind="ending"))
        if outro:
            parts.append(Part(kind="outro", frames=outro.frames))
        transition = self.request.transition
        seconds = transition.duration_seconds if transition.kind != "none" and len(parts) > 1 else 0.0
        return lay_out(parts, video.fps, seconds)

    async def _pictures(
        self, layout: Layout, provider: PictureProvider, video: VideoFormat, notes: Notes, report: Report
    ) -> list[ScenePicture]:
        total = len(self.script.scenes)
        script = await provider.fill(self.script, lambda share, message: report(0.3 * share, message))
        designer = SceneDesigner.of(self.request, script, video, self.store)
        maker = PictureMaker(designer, video, self.store, self.scratch, notes)
        shares = [0.0] * total

        def advance(index: int, share: float) -> None:
            if share <= shares[index]:
                return  # only what advances is told: several at once would hide one that stands still
            shares[index] = share
            report(0.3 + 0.7 * sum(shares) / total, f"Preparing picture {index + 1} of {total}")

        async def make(index: int, scene: Scene, place: TimelineScene) -> ScenePicture:
            speech_start = place.speech_start_frame - place.start_frame
            clock = Clock(self.narrations[index].words, speech_start, place.frames, video.fps)
            try:
                if index in provider.missing:
                    raise NotMade("visual")
                return await maker.make(index, scene, clock, partial(advance, index), opening=place.index == 0)
            except NotMade:
                clip = scene.visual is not None and scene.visual.kind == "clip"
                notes.made += int(not clip)  # a clip itself is used as it is
                notes.missing.add(place.index)
                return _NOT_MADE
            finally:
                advance(index, 1.0)

        pairs = enumerate(zip(script.scenes, _spoken(layout), strict=True))
        made = await gather_limited(*(make(index, scene, place) for index, (scene, place) in pairs), limit=_AT_ONCE)
        return [*await self._cards("opening", layout, maker), *made, *await self._cards("ending", layout, maker)]

    async def _cards(self, kind: TimelinePart, layout: Layout, maker: PictureMaker) -> list[ScenePicture]:
        """The card before or after the scenes, where there is one."""
        brand = self.request.brand.name if self.request.brand else ""
        logo = self.request.brand.logo_asset_id if self.request.brand else None
        title = plain_text(self.script.title) or headline(self.script.scenes[0])
        text, below = (title, brand) if kind == "opening" else (brand or title, "")
        places = [place for place in layout.scenes if place.part == kind]
        cards = []
        for place in places:
            try:
                cards.append(await maker.card(text, below, Clock((), 0, place.frames, maker.video.fps), logo))
            except NotMade:
                maker.notes.missing.add(place.index)
                cards.append(_NOT_MADE)
        return cards

    def _vague_times(self) -> list[str]:
        """A warning for every recording in which the script's words were not found, and where nobody could look."""
        unclear = [
            f"scene {narration.scene_index + 1}: the recording does not clearly say the script's words; "
            "its captions are spread evenly over it"
            for narration in self.narrations
            if narration.engine == "recording" and narration.unaligned == "not-found"
        ]
        if any(narration.unaligned == "not-installed" for narration in self.narrations):
            unclear.append(
                "the worker has no forced alignment (pocketsphinx is not installed): captions without times of their "
                "own are spread evenly over their narration"
            )
        return unclear

    def _check_length(self, layout: Layout, video: VideoFormat) -> None:
        seconds = layout.total_frames / video.fps
        longest = video.max_duration_seconds
        if longest is not None and seconds > longest:
            preset = self.request.video.preset
            text = f"the film would last {seconds:.1f} s; {preset!r} allows {longest:.0f} s"
            raise InvalidRequest(text, field="video.preset", limit=longest)

    async def _check_asset_kinds(self) -> None:
        for path, asset_id in self.request.asset_ids().items():
            asset, _ = await self.store.asset(asset_id)
            clip = path in self.request.clip_paths()
            wanted = "audio" if path.startswith("music") or "narration" in path else "clip" if clip else "image"
            if asset.kind != wanted:
                raise AssetUnreadable(f"the asset is of kind {asset.kind!r}; {wanted!r} is needed", field=path)

    def _cues(self, layout: Layout, video: VideoFormat, pictures: list[ScenePicture], warnings: list[str]) -> list[Cue]:
        look = CaptionLook.of(*((video.width, video.height) if video.has_picture else _READING_SIZE))
        cues: list[Cue] = []
        for scene, narration in zip(_spoken(layout), self.narrations, strict=True):
            last = scene.index == len(layout.scenes) - 1
            limit = layout.total_frames if last else layout.scenes[scene.index + 1].start_frame
            words = [_drawable_word(word, warnings) for word in narration.words]
            bright = bool(pictures) and pictures[scene.index].bright
            placed = cues_of_scene(
                words,
                narration.scene_index,
                scene.speech_start_frame,
                limit,
                video.fps,
                lambda text: text_width(text, look.em) / look.max_width,
                language=self.script.language,
            )
            cues += [cue.model_copy(update={"bright": True}) for cue in placed] if bright else placed
        return cues

    def _audio(self, layout: Layout, inserted: list[ReadyInsert], video: VideoFormat) -> AudioPlan:
        speech = [
            SpeechCue(
                scene_index=narration.scene_index,
                audio=narration.audio,
                start_sample=scene.speech_start_frame * SAMPLE_RATE // video.fps,
                samples=narration.samples,
                gain_db=round(video.loudness_lufs - narration.loudness_lufs, 2),
            )
            for scene, narration in zip(_spoken(layout), self.narrations, strict=True)
        ]
        starts = {scene.part: scene.start_frame for scene in layout.scenes}
        cues = [insert.cue(starts[insert.kind], video.fps) for insert in inserted]
        return AudioPlan(
            total_samples=layout.total_frames * SAMPLE_RATE // video.fps,
            target_lufs=video.loudness_lufs,
            speech=speech,
            inserts=[cue for cue in cues if cue],
            music=self.request.music,
        )


def _spoken(layout: Layout) -> list[TimelineScene]:
    """The places of the script's scenes."""
    return [scene for scene in layout.scenes if scene.part == "scene"]


def _picture_of(insert: ReadyInsert | None) -> list[ScenePicture]:
    return [insert.picture] if insert else []


def _drawable_word(word: Word, warnings: list[str]) -> Word:
    text, replaced = drawable_text(word.text)
    warnings += replaced
    return word if text == word.text else word.model_copy(update={"text": text})
