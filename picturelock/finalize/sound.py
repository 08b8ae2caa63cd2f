"""The film's sound: narrations and inserts placed to the sample, music ducked under them, mastered and encoded.

Mastering is a static gain and a limiter at four times the sample rate, measured on the encoded file and corrected. A
dynamic loudnorm would undo the duck and leak peaks.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import ffmpeg
import numpy as np

from picturelock.errors import AssetUnreadable, OutputInvalid, RenderFailed
from picturelock.ffmpeg import confinement, loudness, runner
from picturelock.ffmpeg.foreign import ForeignFile
from picturelock.ffmpeg.loudness import SILENCE_LUFS, Loudness
from picturelock.ffmpeg.probe import probe
from picturelock.ffmpeg.samples import read_stereo
from picturelock.ffmpeg.tools import tool_versions
from picturelock.finalize import beds
from picturelock.models import SAMPLE_RATE, AudioPlan, DraftSound, RenderPlan, Sound, SoundCue, VideoFormat
from picturelock.models.request import Music
from picturelock.reporting import Report, ignore
from picturelock.store.hashing import cache_key
from picturelock.store.scratch import workspace
from picturelock.store.store import Store

TOLERANCE_LU: Final = 0.5
PEAK_LIMIT_DBTP: Final = -1.0
VERSION: Final = "3"
_AIM_LU: Final = 0.2
_CEILING_DB: Final = -2.0
_PASSES: Final = 4
_USUAL_PASSES: Final = 3
_FAST_CODER_KBPS: Final = 160
"""From here on ffmpeg's fast AAC coder is at least as close to its input as `twoloop`, in 0.4 of the time (ADR 10)."""

_NICE: Final = 5
"""Segments are what a film waits for; its sound is ready long before them, or fills the cores at the end."""

_DRAFT_SECONDS: Final = 60
_CHUNK: Final = SAMPLE_RATE
_MUSIC_FADE_SECONDS: Final = 1.5


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
    if (known := await find_sound(plan, store)) is not None:
        return known
    audio = plan.timeline.audio
    webm = plan.format.container == "webm"
    with workspace(scratch, "sound") as folder:
        files = {cue.audio.sha256: await store.local(cue.audio, folder) for cue in placed(audio)}
        music = await _music(audio.music, store, folder) if audio.music else None
        output = folder / ("sound.webm" if webm else "sound.m4a")
        job = SoundJob(audio, plan.format, files, music, stall_seconds, on_progress)
        level = await job.master(output)
        artifact = await store.put_file(output, "audio/webm" if webm else "audio/mp4")
    mastered = Sound(
        artifact=artifact,
        duration_seconds=audio.total_samples / SAMPLE_RATE,
        loudness_lufs=level.integrated,
        true_peak_dbtp=level.true_peak,
    )
    await store.remember("sound", sound_key(plan), mastered)
    return mastered


def sound_key(plan: RenderPlan) -> str:
    """The cache key of a film's sound."""
    audio = plan.timeline.audio
    kind = f"{plan.format.container} {plan.format.audio_bitrate_kbps}"
    bed = [beds.VERSION] if audio.music and audio.music.mood else []
    return cache_key(VERSION, tool_versions()["ffmpeg"], kind, audio.model_dump_json(), *bed)


async def find_sound(plan: RenderPlan, store: Store) -> Sound | None:
    """The sound that was mastered before, or None."""
    known = await store.recall("sound", sound_key(plan), Sound)
    there = known is not None and await store.has(known.artifact)
    return known.model_copy(update={"cached": True}) if known is not None and there else None


async def draft_sound(plan: RenderPlan, store: Store, scratch: Path, stall_seconds: float) -> DraftSound:
    """The narrations of the film's first minute in their places, at about their loudness, without music: at once.

    Raises:
        RenderFailed, RenderStalled, DiskFull, StoreUnavailable.
    """
    cues = [cue for cue in placed(plan.timeline.audio) if cue.start_sample < _DRAFT_SECONDS * SAMPLE_RATE]
    end = max((cue.start_sample + cue.samples for cue in cues), default=0)
    audio = AudioPlan(total_samples=end, target_lufs=plan.timeline.audio.target_lufs, speech=[], inserts=cues)
    with workspace(scratch, "draft") as folder:
        files = {cue.audio.sha256: await store.local(cue.audio, folder) for cue in cues}
        output = folder / "draft.m4a"
        await SoundJob(audio, plan.format, files, None, stall_seconds).draft(output)
        return DraftSound(artifact=await store.put_file(output, "audio/mp4"), seconds=end / SAMPLE_RATE)


async def _music(music: Music, store: Store, folder: Path) -> ForeignFile:
    if music.mood:
        path = folder / "bed.wav"
        await asyncio.to_thread(lambda mood: path.write_bytes(beds.bed(mood)), music.mood)
        return ForeignFile(path, "wav")
    _, ref = await store.asset(music.asset_id or "")
    path = await store.local(ref, folder)
    return ForeignFile(path, (await probe(path)).demuxer)


@dataclass(frozen=True, slots=True)
class SoundJob:
    """One film's sound, with its files at hand: `files` of everything that is placed, by the hash of each."""

    plan: AudioPlan
    video: VideoFormat
    files: dict[str, Path]
    music: ForeignFile | None
    stall_seconds: float
    report: Report = ignore
    _runs: list[int] = field(default_factory=list)
    """How many passes over the film have begun."""

    async def master(self, output: Path) -> Loudness:
        """Mixes, masters and encodes into `output`; returns what the encoded file measures.

        Raises:
            OutputInvalid: the target was not reached.
        """
        music_gain = await self._music_gain()
        mixed = await self._measure_mix(music_gain)
        gain = self.plan.target_lufs - mixed.integrated
        level = Loudness(SILENCE_LUFS, SILENCE_LUFS)
        # The limiter and the codec change what was measured before them, so the encoded file is measured and corrected.
        for _ in range(_PASSES):
            await self._encode(output, music_gain, gain)
            level = await loudness.measure(output)
            off = self.plan.target_lufs - level.integrated
            if abs(off) <= _AIM_LU and level.true_peak <= PEAK_LIMIT_DBTP:
                return level
            gain += off
        if abs(self.plan.target_lufs - level.integrated) > TOLERANCE_LU or level.true_peak > PEAK_LIMIT_DBTP:
            raise OutputInvalid(
                f"the sound measures {level.integrated:.1f} LUFS and {level.true_peak:.1f} dBTP after {_PASSES} passes"
            )
        return level

    async def draft(self, output: Path) -> None:
        """Encodes what is placed as it is, in one pass."""
        ceiling = 10 ** (_CEILING_DB / 20)
        stream = self._mix(0.0).filter("alimiter", limit=f"{ceiling:.5f}", level="false", latency="true")
        await self._run(stream.output(str(output), ar=SAMPLE_RATE, ac=2, **self._codec()), nice=0)

    async def _music_gain(self) -> float:
        if self.music is None or self.plan.music is None:
            return 0.0
        try:
            measured = await loudness.measure(self.music.path, repeats=9, demuxer=self.music.demuxer)
        except RenderFailed as error:
            raise AssetUnreadable("cannot be decoded", field="music.assetId", detail=error.detail) from error
        if measured.integrated <= SILENCE_LUFS:
            raise AssetUnreadable("the music is silent", field="music.assetId")
        return self.plan.target_lufs + self.plan.music.gain_db - measured.integrated

    async def _measure_mix(self, music_gain: float) -> Loudness:
        stream = self._mix(music_gain).filter("ebur128", framelog="quiet")
        done = await self._run(stream.output("-", format="null"))
        return loudness.parse(done.stderr)

    async def _encode(self, output: Path, music_gain: float, gain: float) -> None:
        ceiling = 10 ** (_CEILING_DB / 20)
        stream = (
            self._mix(music_gain)
            .filter("volume", f"{gain:.3f}dB")
            .filter("aresample", 4 * SAMPLE_RATE)
            .filter("alimiter", limit=f"{ceiling:.5f}", level="false", attack=5, release=60, latency="true")
            .filter("aresample", SAMPLE_RATE)
            .filter("atrim", end_sample=self.plan.total_samples)
        )
        await self._run(stream.output(str(output), ar=SAMPLE_RATE, ac=2, **self._codec()))

    def _codec(self) -> dict[str, str]:
        rate = self.video.audio_bitrate_kbps
        if self.video.container == "webm":
            return {"format": "webm", "c:a": "libopus", "b:a": f"{rate}k"}
        coder = "fast" if rate >= _FAST_CODER_KBPS else "twoloop"
        return {"format": "mp4", "c:a": "aac", "aac_coder": coder, "b:a": f"{rate}k"}

    def _mix(self, music_gain: float) -> ffmpeg.nodes.FilterableStream:
        speech = ffmpeg.input("pipe:0", format="f32le", ar=SAMPLE_RATE, ac=2)
        if self.music is None or self.plan.music is None:
            return speech
        seconds = self.plan.total_samples / SAMPLE_RATE
        fade = min(_MUSIC_FADE_SECONDS, seconds / 4)
        music = (
            ffmpeg.input(f"file:{self.music.path}", stream_loop=-1, **self.music.options)
            .audio.filter("aresample", SAMPLE_RATE)
            .filter("aformat", channel_layouts="stereo")
            .filter("atrim", end_sample=self.plan.total_samples)
            .filter("asetpts", "N/SR/TB")
            .filter("volume", f"{music_gain:.3f}dB")
            .filter("afade", t="in", d=fade)
            .filter("afade", t="out", st=seconds - fade, d=fade)
        )
        if self.plan.music.duck:
            split = speech.filter_multi_output("asplit", 2)
            speech = split.stream(0)
            ducked = {"threshold": 0.015, "ratio": 3, "attack": 25, "release": 450, "knee": 4}
            music = ffmpeg.filter([music, split.stream(1)], "sidechaincompress", **ducked)
        return ffmpeg.filter([speech, music], "amix", inputs=2, normalize=0, duration="first")

    async def _run(self, target: ffmpeg.nodes.OutputStream, nice: int = _NICE) -> runner.Completed:
        self._runs.append(1)
        passes, seconds = len(self._runs), self.plan.total_samples / SAMPLE_RATE

        def listen(progress: runner.Progress) -> None:
            # How many passes it takes is known at the end; each is told apart by its time.
            done = (passes - 1 + min(1.0, progress.seconds / seconds)) / _USUAL_PASSES
            position = f"pass {passes}, {min(progress.seconds, seconds):.1f} s"
            self.report(min(0.99, done), f"Mastering the sound ({position})")

        return await runner.run(
            ["-v", "info", *target.get_args()],
            stall_seconds=self.stall_seconds,
            feed=self._write_speech,
            on_progress=listen,
            nice=nice,
            limits=confinement.DECODER if self.music else None,
        )

    def _write_speech(self, descriptor: int) -> None:
        """Writes all that is placed in the film, in stereo, silence between it, a second at a time."""
        with open(descriptor, "wb", closefd=False) as pipe:
            position = 0
            for cue in placed(self.plan):
                position += _write_silence(pipe.write, cue.start_sample - position)
                gain = np.float32(10 ** (cue.gain_db / 20))
                for chunk in read_stereo(self.files[cue.audio.sha256]):
                    pipe.write((chunk * gain).astype("<f4").tobytes())
                    position += len(chunk)
            _write_silence(pipe.write, self.plan.total_samples - position)


def placed(plan: AudioPlan) -> list[SoundCue]:
    """Narrations and inserts in the order in which they are heard; no two at once."""
    return sorted([*plan.speech, *plan.inserts], key=lambda cue: cue.start_sample)


def _write_silence(write: Callable[[bytes], int], samples: int) -> int:
    left = samples
    while left > 0:
        count = min(left, _CHUNK)
        write(bytes(8 * count))
        left -= count
    return max(0, samples)
