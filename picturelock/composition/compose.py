"""Composition: pictures made ready, the timeline laid out, captions placed. The result is one stored plan."""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2

from picturelock.composition import cards
from picturelock.composition.captions import cues_of_scene
from picturelock.composition.clips import cut_clip
from picturelock.composition.layout import Layout, lay_out
from picturelock.errors import AssetUnreadable, InvalidRequest
from picturelock.media import motion, planes, stills
from picturelock.media.fonts import drawable_text
from picturelock.media.text import CaptionLook, draw_mask, text_width
from picturelock.models import (
    SAMPLE_RATE,
    ArtifactRef,
    AudioPlan,
    Cue,
    ExportRequest,
    Model,
    Motion,
    Narration,
    RenderPlan,
    Scene,
    ScenePicture,
    Script,
    SpeechCue,
    TextLayer,
    Timeline,
    VideoFormat,
    Visual,
    Word,
)
from picturelock.presets import resolve
from picturelock.scripting.markdown import plain_text
from picturelock.storage import Store, cache_key

_VERSION = "3"
Report = Callable[[float, str], None]


class _StoredPicture(Model):
    picture: ScenePicture


@dataclass(frozen=True, slots=True)
class Composer:
    """Composes one film; see `compose`."""

    request: ExportRequest
    script: Script
    narrations: list[Narration]
    store: Store
    scratch: Path

    async def compose(self, report: Report) -> RenderPlan:
        """The plan of the whole film. `report(share, message)` several times a scene.

        Raises:
            AssetMissing, AssetUnreadable: a picture that was asked for cannot be shown.
            GlyphMissing: a title or caption cannot be drawn.
            InvalidRequest: the film is longer than its preset allows.
        """
        self.scratch.mkdir(parents=True, exist_ok=True)
        video = resolve(self.request.video)
        transition = self.request.transition
        seconds = transition.duration_seconds if transition.kind != "none" and len(self.script.scenes) > 1 else 0.0
        samples = [narration.samples for narration in self.narrations]
        titles = [scene.title for scene in self.script.scenes]
        layout = lay_out(samples, titles, video.fps, seconds)
        self._check_length(layout, video)
        await self._check_asset_kinds()
        warnings: list[str] = []
        pictures: list[ScenePicture] = []
        for index, scene in enumerate(self.script.scenes):
            advance = partial(self._advance, report, index)
            advance(0.0)
            frames = layout.scenes[index].frames
            pictures.append(await self._picture(index, scene, frames, video, warnings, advance))
        cues = await asyncio.to_thread(self._cues, layout, video, warnings)
        timeline = Timeline(
            fps=video.fps,
            width=video.width,
            height=video.height,
            total_frames=layout.total_frames,
            segments=layout.segments,
            scenes=layout.scenes,
            cues=cues,
            audio=self._audio(layout, video),
        )
        return RenderPlan(
            format=video,
            timeline=timeline,
            pictures=pictures,
            transition=transition.kind,
            captions=self.request.captions.style if self.request.captions.burn_in else None,
            watermark=self.request.watermark,
            title=plain_text(self.script.title) or cards.headline(self.script.scenes[0]),
            language=self.script.language,
            warnings=list(dict.fromkeys(warnings)),
        )

    def _advance(self, report: Report, index: int, share: float) -> None:
        total = len(self.script.scenes)
        report((index + share) / total, f"Preparing picture {index + 1} of {total}")

    def _check_length(self, layout: Layout, video: VideoFormat) -> None:
        seconds = layout.total_frames / video.fps
        longest = video.max_duration_seconds
        if longest is not None and seconds > longest:
            raise InvalidRequest(
                f"video.preset: the film would last {seconds:.1f} s; "
                f"{self.request.video.preset!r} allows {longest:.0f} s"
            )

    async def _check_asset_kinds(self) -> None:
        for path, asset_id in self.request.asset_ids().items():
            asset, _ = await self.store.asset(asset_id)
            clip = path in self.request.clip_paths()
            wanted = "audio" if path.startswith("music") or "narration" in path else "clip" if clip else "image"
            if asset.kind != wanted:
                raise AssetUnreadable(f"{path}: the asset is of kind {asset.kind!r}; {wanted!r} is needed")

    async def _picture(
        self,
        index: int,
        scene: Scene,
        frames: int,
        video: VideoFormat,
        warnings: list[str],
        advance: Callable[[float], None],
    ) -> ScenePicture:
        visual = scene.visual or Visual()
        if visual.kind == "clip":
            how = motion.chosen(visual.motion, index, moves_itself=True)
            ref, cut = await cut_clip(visual, index, frames, video.fps, self.store, advance)
            return ScenePicture(source=ref, clip=cut, motion=how, description="clip")
        title, kicker = "", ""
        if visual.kind == "card":
            title, replaced = drawable_text(cards.headline(scene))
            kicker, more = drawable_text(plain_text(self.script.title))
            warnings += [*replaced, *more]
        how = motion.chosen("zoom-in" if visual.kind == "card" and visual.motion == "auto" else visual.motion, index)
        if visual.kind == "color":
            how = "none"
        colors = self._colors(visual, index)
        size = f"{video.width}x{video.height} {self.script.language}"
        key = cache_key(_VERSION, visual.model_dump_json(), title, kicker, how, size, str(colors), str(index))
        stored = await self.store.recall("picture", key, _StoredPicture)
        if stored is not None and await self._complete(stored.picture):
            return stored.picture
        source = await self._still(visual, how, colors, index, video)
        advance(0.5)
        layers = await self._text_layers(title, kicker, video, advance) if title else []
        description = f"{visual.kind} {title!r}" if title else visual.kind
        picture = ScenePicture(source=source, motion=how, layers=layers, description=description)
        await self.store.remember("picture", key, _StoredPicture(picture=picture))
        return picture

    async def _complete(self, picture: ScenePicture) -> bool:
        refs = [picture.source, *(layer.mask for layer in picture.layers)]
        return all([await self.store.has(ref) for ref in refs])

    def _colors(self, visual: Visual, index: int) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
        given = [tuple(int(color[at : at + 2], 16) for at in (1, 3, 5)) for color in visual.colors]
        own = cards.palette(self.script, index)
        first = (given[0][0], given[0][1], given[0][2]) if given else own[0]
        second = (given[-1][0], given[-1][1], given[-1][2]) if given else own[1]
        return first, second

    async def _still(
        self,
        visual: Visual,
        how: Motion,
        colors: tuple[tuple[int, int, int], tuple[int, int, int]],
        index: int,
        video: VideoFormat,
    ) -> ArtifactRef:
        width, height = motion.still_size(video.width, video.height, how)
        if visual.kind == "image":
            _, ref = await self.store.asset(visual.asset_id or "")
            data = await self.store.read(ref)
            draw = partial(_prepare_image, data, width, height, visual.fit, how)
        else:
            lights = visual.kind == "card"
            draw = partial(_prepare_gradient, colors, width, height, seed=index, lights=lights)
        return await self.store.put_bytes(await asyncio.to_thread(draw), "application/x-npy")

    async def _text_layers(
        self, title: str, kicker: str, video: VideoFormat, advance: Callable[[float], None]
    ) -> list[TextLayer]:
        layers: list[TextLayer] = []
        placed = cards.layout_text(title, kicker, self.script.language, (video.width, video.height))
        for text in placed:
            mask = await draw_mask(text.block, self.scratch)
            png = bytes(cv2.imencode(".png", mask)[1])
            ref = await self.store.put_bytes(png, "image/png")
            x, y = text.x // 2 * 2, text.y // 2 * 2
            layers.append(TextLayer(mask=ref, x=x, y=y, color=text.color, opacity=text.opacity))
            advance(0.5 + 0.5 * len(layers) / len(placed))
        return layers

    def _cues(self, layout: Layout, video: VideoFormat, warnings: list[str]) -> list[Cue]:
        look = CaptionLook.of(video.width, video.height)
        cues: list[Cue] = []
        for scene, narration in zip(layout.scenes, self.narrations, strict=True):
            last = scene.index == len(layout.scenes) - 1
            leaving = 0 if last else layout.scenes[scene.index + 1].start_frame
            limit = layout.total_frames if last else leaving
            words = [_drawable_word(word, warnings) for word in narration.words]
            cues += cues_of_scene(
                words,
                scene.index,
                scene.speech_start_frame,
                limit,
                video.fps,
                lambda text: text_width(text, look.em) / look.max_width,
            )
        return cues

    def _audio(self, layout: Layout, video: VideoFormat) -> AudioPlan:
        speech = [
            SpeechCue(
                scene_index=scene.index,
                audio=narration.audio,
                start_sample=scene.speech_start_frame * SAMPLE_RATE // video.fps,
                samples=narration.samples,
                gain_db=round(video.loudness_lufs - narration.loudness_lufs, 2),
            )
            for scene, narration in zip(layout.scenes, self.narrations, strict=True)
        ]
        total = layout.total_frames * SAMPLE_RATE // video.fps
        return AudioPlan(total_samples=total, target_lufs=video.loudness_lufs, speech=speech, music=self.request.music)


def _drawable_word(word: Word, warnings: list[str]) -> Word:
    text, replaced = drawable_text(word.text)
    warnings += replaced
    return word if text == word.text else word.model_copy(update={"text": text})


def _prepare_image(data: bytes, width: int, height: int, how: str, how_it_moves: Motion) -> bytes:
    picture = stills.load_rgb(data, (width, height))
    fitted = stills.fit(picture, width, height, how, inset=motion.contained_inset(how_it_moves))
    return planes.pack(planes.from_rgb(fitted))


def _prepare_gradient(
    colors: tuple[tuple[int, int, int], tuple[int, int, int]],
    width: int,
    height: int,
    *,
    seed: int,
    lights: bool,
) -> bytes:
    digest = hashlib.sha256(repr((colors, seed)).encode()).digest()
    picture = cards.gradient(*colors, width, height, seed=int.from_bytes(digest[:4], "big"), lights=lights)
    return planes.pack(planes.from_rgb(picture))
