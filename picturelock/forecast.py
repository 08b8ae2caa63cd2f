"""What an export would be: found and missing things, length, size and time, by a look at the store alone.

It takes the way of `picturelock.pipeline` over a store that is only looked at: what is found there is used, and in the
place of what is missing stands an estimate. Segments depend on their own scenes alone, so those of scenes that are
there are known exactly, whatever else is missing.

    forecast = await foresee(request, Lookup(location, scratch), scratch, providers)
    print(forecast.segments.missing, "segments would be rendered")
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from picturelock.composition.compose import Composed, Composer
from picturelock.composition.layout import segment_spec
from picturelock.composition.pictures import VERSION as PICTURES_VERSION
from picturelock.composition.scenes.typesetter import VERSION as LAYOUT_VERSION
from picturelock.concurrency import gather_limited
from picturelock.errors import WriterUnavailable
from picturelock.ffmpeg.tools import tool_versions
from picturelock.finalize.publish import FinishedFilm, film_key
from picturelock.finalize.rates import read_rates
from picturelock.finalize.sound import find_sound
from picturelock.models import (
    SAMPLE_RATE,
    ArtifactRef,
    ExportRequest,
    Narration,
    RenderedSegment,
    Scene,
    Script,
    Sound,
)
from picturelock.models.forecast import Forecast, Need, SceneForecast
from picturelock.providers import Providers
from picturelock.render import encode
from picturelock.render.segment import find_segment
from picturelock.reporting import ignore
from picturelock.script.estimate import scene_seconds
from picturelock.script.plain import plain_text
from picturelock.script.spoken import headline_of, spoken_text
from picturelock.script.words import split_words
from picturelock.script.writers import BuiltInWriter
from picturelock.settings import settings
from picturelock.speech.narrate import narrate_scene
from picturelock.speech.timing import spread
from picturelock.store.lookup import Lookup, NotMade
from picturelock.store.store import LOOKUPS

_ESTIMATED: Final = "estimated"
_NOTHING: Final = ArtifactRef(sha256="0" * 64, size_bytes=0, media_type="audio/wav")
_OF_NO_KEY: Final = frozenset({"numpy", "temporalio"})
_FINISHING: Final = 0.02
"""Seconds of joining and verifying for each second of film, about."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What is there of a film."""

    narrations: Sequence[Narration]
    composed: Composed
    segments: dict[str, RenderedSegment]
    sound: Sound | None
    film: ArtifactRef | None


async def foresee(request: ExportRequest, store: Lookup, scratch: Path, providers: Providers) -> Forecast:
    """What an export of the request would be, now.

    Raises:
        WriterUnavailable: it is a brief that a language model would make a script of.
        PicturelockError: what the export itself would be refused for before anything is spoken, except for layouts
            that do not fit: those are drawn, and nothing is drawn here.
    """
    script = await script_of(request, providers)
    providers.check(request, script)
    narrations = await gather_limited(
        *(_narration(request, script, index, providers, store) for index in range(len(script.scenes))), limit=LOOKUPS
    )
    composer = Composer(
        request=request,
        script=script,
        narrations=narrations,
        store=store,
        scratch=scratch,
        sources=providers.pictures,
        max_asset_bytes=settings().max_asset_bytes,
    )
    composed = await composer.compose(ignore)
    segments = await _segments(composed, narrations, store)
    sound, film = await _finished(request, composed, narrations, segments, store)
    return await _told(script, _Known(narrations, composed, segments, sound, film), store)


async def script_of(request: ExportRequest, providers: Providers) -> Script:
    """The script that a request brings, or that its brief becomes without asking anybody. Raises WriterUnavailable."""
    if request.script is not None:
        return request.script
    if request.brief is None or not isinstance(providers.writer, BuiltInWriter):
        raise WriterUnavailable("what a language model will write is not known before it has; plan its script instead")
    return await providers.writer.write(request.brief)


async def _narration(
    request: ExportRequest, script: Script, index: int, providers: Providers, store: Lookup
) -> Narration:
    """A scene's narration, or about what it will be."""
    try:
        return await narrate_scene(request, script, index, providers.voices, store)
    except NotMade:
        return estimated_narration(request, script, index)


def estimated_narration(request: ExportRequest, script: Script, index: int) -> Narration:
    """About what a scene's narration will be; its sound is not there."""
    scene = script.scenes[index]
    seconds = max(0.5, scene_seconds(scene, (scene.voice or request.voice).speed) - 1.0)
    return Narration(
        scene_index=index,
        audio=_NOTHING,
        samples=round(seconds * SAMPLE_RATE),
        loudness_lufs=0.0,
        words=spread(split_words(spoken_text(scene)), 0.0, seconds),
        timing="proportional",
        engine=_ESTIMATED,
    )


def _unknown(composed: Composed, narrations: Sequence[Narration]) -> set[int]:
    """The places in the film of what cannot be known before it is made."""
    silent = {index for index, narration in enumerate(narrations) if narration.engine == _ESTIMATED}
    return {
        scene.index
        for scene in composed.plan.timeline.scenes
        if scene.index in composed.missing or scene.scene_index in silent
    }


async def _segments(composed: Composed, narrations: Sequence[Narration], store: Lookup) -> dict[str, RenderedSegment]:
    """The segments that are there, by id."""
    plan = composed.plan
    if plan.format.encoder == "hardware":  # which one passes its trial is not known
        return {}
    unknown = _unknown(composed, narrations)
    known = [segment for segment in plan.timeline.segments if not unknown & set(segment.scene_indexes)]
    found = await gather_limited(
        *(find_segment(segment_spec(plan, segment), store) for segment in known), limit=LOOKUPS
    )
    return {segment.id: there for segment, there in zip(known, found, strict=True) if there is not None}


async def _finished(
    request: ExportRequest,
    composed: Composed,
    narrations: Sequence[Narration],
    segments: dict[str, RenderedSegment],
    store: Lookup,
) -> tuple[Sound | None, ArtifactRef | None]:
    """The sound and the film, where they are there."""
    plan = composed.plan
    if any(narration.engine == _ESTIMATED for narration in narrations):
        return None, None
    sound = await find_sound(plan, store)
    if sound is None or len(segments) < len(plan.timeline.segments):
        return sound, None
    ordered = [segments[segment.id] for segment in plan.timeline.segments]
    key = film_key(plan, ordered, sound, track=request.captions.track)
    film = await store.recall("film", key, FinishedFilm)
    return sound, film.film if film is not None and await store.has(film.film) else None


async def _told(script: Script, known: _Known, store: Lookup) -> Forecast:
    plan, narrations = known.composed.plan, known.narrations
    video, timeline = plan.format, plan.timeline
    begun: dict[int, list[str]] = {}
    for segment in timeline.segments:
        begun.setdefault(segment.scene_indexes[0], []).append(segment.id)
    places = {scene.scene_index: scene for scene in timeline.scenes if scene.scene_index is not None}
    spoken = [narration.engine != _ESTIMATED for narration in narrations]
    scenes = []
    for index, scene in enumerate(script.scenes):
        place = places[index]
        own = begun.get(place.index, [])
        scenes.append(
            SceneForecast(
                title=plain_text(scene.title or ""),
                spoken=headline_of(spoken_text(scene)),
                shown=_shown(scene),
                seconds=round(place.frames / timeline.fps, 2),
                narration_found=spoken[index],
                picture_found=place.index not in known.composed.missing,
                segments=_need(len(own), sum(segment_id in known.segments for segment_id in own)),
            )
        )
    size, eta = await _estimates(known, store)
    return Forecast(
        title=plan.title,
        scenes=scenes,
        duration_seconds=round(timeline.duration_seconds, 3),
        exact=all(spoken),
        width=video.width,
        height=video.height,
        fps=video.fps,
        container=video.container,
        narrations=_need(len(spoken), sum(spoken)),
        pictures=Need(found=known.composed.pictures_found, missing=known.composed.pictures_made),
        segments=_need(len(timeline.segments), len(known.segments)),
        sound=_need(1, int(known.sound is not None)),
        film=_need(1, int(known.film is not None)),
        sha256=known.film.sha256 if known.film else None,
        size_bytes=size,
        eta_seconds=eta,
        warnings=plan.warnings,
    )


def _need(total: int, found: int) -> Need:
    return Need(found=found, missing=total - found)


def _shown(scene: Scene) -> str:
    kinds = list(dict.fromkeys(block.kind for block in scene.blocks if block.kind != "text"))
    return ", ".join(kinds) or (scene.visual.kind if scene.visual else "card")


async def _estimates(known: _Known, store: Lookup) -> tuple[int | None, float | None]:
    """About how large the film will be and how long it takes, by what this installation has made before."""
    if known.film is not None:
        return known.film.size_bytes, 0.0
    plan = known.composed.plan
    rates = await read_rates(plan.format, store)
    frames = sum(segment.frames for segment in plan.timeline.segments if segment.id not in known.segments)
    speech = sum(one.samples for one in known.narrations if one.engine == _ESTIMATED) / SAMPLE_RATE
    sound = plan.timeline.duration_seconds * plan.format.audio_bitrate_kbps * 125
    there = sum(segment.artifact.size_bytes for segment in known.segments.values())
    size = None if frames and rates.bytes_per_frame is None else there + frames * (rates.bytes_per_frame or 0) + sound
    lacking = (frames and rates.frame_seconds is None) or (speech and rates.speech_seconds is None)
    work = frames * (rates.frame_seconds or 0.0) + speech * (rates.speech_seconds or 0.0)
    slots = settings().slots
    finishing = _FINISHING * plan.timeline.duration_seconds
    return None if size is None else round(size), None if lacking else round(work / slots + finishing, 1)


def made_with() -> dict[str, str]:
    """The versions that are part of the keys of what is made: with others, what is there is not found."""
    tools = {name: version for name, version in tool_versions().items() if name not in _OF_NO_KEY}
    return {**tools, "segments": encode.VERSION, "pictures": PICTURES_VERSION, "layouts": LAYOUT_VERSION}
