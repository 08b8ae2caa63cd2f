"""Intro and outro: clips of one's own before and after the scenes, with their own sound at the film's loudness."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from picturelock.composition.clips import cut_clip
from picturelock.errors import InvalidRequest
from picturelock.ffmpeg import loudness
from picturelock.ffmpeg.probe import probe
from picturelock.ffmpeg.samples import extract_stereo
from picturelock.models import SAMPLE_RATE, ArtifactRef, Insert, ScenePicture, SoundCue, VideoFormat, Visual
from picturelock.store.scratch import workspace
from picturelock.store.store import Store

MAX_SECONDS: Final = 120.0
MAX_GAIN_DB: Final = 24.0
"""More would turn a microphone's noise into the loudest part of the film."""

QUIET_LUFS: Final = -50.0
InsertKind = Literal["intro", "outro"]


@dataclass(frozen=True, slots=True)
class ReadyInsert:
    """An insert as it will be shown (`frames` of the film) and heard (None: it is silent)."""

    kind: InsertKind
    picture: ScenePicture
    frames: int
    warning: str = ""
    sound: ArtifactRef | None = None
    gain_db: float = 0.0

    def cue(self, start_frame: int, fps: int) -> SoundCue | None:
        """Its sound in the film, from the first of its frames on."""
        if self.sound is None:
            return None
        return SoundCue(
            audio=self.sound,
            start_sample=start_frame * SAMPLE_RATE // fps,
            samples=self.frames * SAMPLE_RATE // fps,
            gain_db=self.gain_db,
        )


async def prepare(
    kind: InsertKind,
    insert: Insert,
    video: VideoFormat,
    store: Store,
    scratch: Path,
    advance: Callable[[float], None],
) -> ReadyInsert:
    """Cuts an insert and takes out its sound.

    Raises:
        AssetMissing, AssetUnreadable: the clip cannot be used.
        InvalidRequest: it is longer than an insert may be.
    """
    visual = Visual(
        kind="clip",
        asset_id=insert.asset_id,
        fit=insert.fit,
        start_seconds=insert.start_seconds,
        end_seconds=insert.end_seconds,
        when_short="freeze",
    )
    most = round(MAX_SECONDS * video.fps)
    ref, cut = await cut_clip(visual, kind, most + 1, video.fps, store, advance)
    if cut.frames > most:
        text = f"the clip lasts longer than {MAX_SECONDS:.0f} s; cut it with endSeconds"
        raise InvalidRequest(text, field=kind, limit=MAX_SECONDS)
    picture = ScenePicture(source=ref, clip=cut, motion="none", description=kind)
    ready = ReadyInsert(kind=kind, picture=picture, frames=cut.frames)
    path = await store.local(ref)
    probed = await probe(path)
    if probed.first("audio") is None:
        return ready
    with workspace(scratch, kind) as folder:
        sound = folder / "sound.wav"
        await extract_stereo(path, probed.demuxer, cut.first / video.fps, cut.frames * SAMPLE_RATE // video.fps, sound)
        level = await loudness.measure(sound, repeats=2)
        if level.integrated < QUIET_LUFS:
            silent = level.integrated <= loudness.SILENCE_LUFS
            text = f"{kind}: its sound is next to silence ({level.integrated:.0f} LUFS) and was left out"
            return ready if silent else replace(ready, warning=text)
        audio = await store.put_file(sound, "audio/wav")
        await store.remember("insert", audio.sha256, audio)
    gain = round(video.loudness_lufs - level.integrated, 2)
    most_gain = min(gain, MAX_GAIN_DB)
    text = f"{kind}: its sound is very quiet ({level.integrated:.0f} LUFS) and was raised by {most_gain:.0f} dB only"
    return replace(ready, sound=audio, gain_db=most_gain, warning=text if gain > MAX_GAIN_DB else "")
