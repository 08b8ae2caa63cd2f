"""The verification gate: nothing is published that did not pass every check.

A probe alone is blind: a film cut to 70 % still probes at full length, and a bit-flipped one decodes with exit code 0.
So the film's packets are compared with the segments' packets, its key frames and sound are decoded strictly, and
picture and sound are compared with what was planned.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from picturelock.errors import OutputInvalid, RenderFailed
from picturelock.media import ffmpeg as runner
from picturelock.media import loudness
from picturelock.media.loudness import Loudness
from picturelock.media.packets import VideoPackets, read_packets
from picturelock.media.probe import Probe, probe
from picturelock.media.sound import PEAK_LIMIT_DBTP, TOLERANCE_LU
from picturelock.models import SAMPLE_RATE, Check, FilmFacts, RenderedSegment, RenderPlan
from picturelock.storage import sha256_of

_LUMA_TOLERANCE: Final = 16.0
_SILENCE_DB: Final = -50.0
_AUDIO_RATE: Final = 8_000
_AUDIO_SLACK_SECONDS: Final = 0.06
_KEYFRAME: Final = re.compile(r"pts_time:([\d.]+)\s*\n[^\n]*YAVG=([\d.]+)")
_CODECS: Final = {"h264": "h264", "h265": "hevc", "vp9": "vp9", "av1": "av1"}


@dataclass(slots=True)
class Gate:
    """Checks one film against its plan and its segments."""

    film: Path
    plan: RenderPlan
    segments: list[RenderedSegment]
    report: Callable[[float, str], None] = field(default=lambda _share, _message: None)
    checks: list[Check] = field(default_factory=list)
    _shares: dict[str, float] = field(default_factory=dict)

    async def verify(self) -> FilmFacts:
        """Runs every check and returns the facts.

        Raises:
            OutputInvalid: with the checks that failed.
        """
        try:
            probed = await probe(self.film, count_packets=True)
            self._check_streams(probed)
            self.report(0.05, "Verifying the film")
            level = await self._readings()
        except RenderFailed as error:
            self._note("decodes without an error", passed=False, measured=error.message, limit="no error")
            raise self._invalid(error.detail) from error
        if not all(check.passed for check in self.checks):
            raise self._invalid(None)
        return self._facts(probed, level)

    async def _readings(self) -> Loudness:
        """The four readings of the whole file, side by side."""
        try:
            async with asyncio.TaskGroup() as group:
                packets = group.create_task(read_packets(self.film))
                luma = group.create_task(self._keyframe_luma(self._listener("key frames")))
                level = group.create_task(loudness.measure(self.film, self._listener("loudness")))
                sound = group.create_task(self._sound(self._listener("sound")))
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None
        self._check_packets(packets.result())
        self._check_keyframes(*luma.result())
        self._check_loudness(level.result())
        self._check_speech(*sound.result())
        return level.result()

    def _listener(self, name: str) -> Callable[[runner.Progress], None]:
        """Turns one reading's progress into a share of them all."""
        seconds = self.plan.timeline.duration_seconds
        self._shares[name] = 0.0

        def listen(progress: runner.Progress) -> None:
            self._shares[name] = min(1.0, progress.seconds / seconds)
            share = sum(self._shares.values()) / len(self._shares)
            self.report(0.05 + 0.95 * share, "Verifying the film")

        return listen

    def _note(self, name: str, *, passed: bool, measured: str, limit: str) -> None:
        self.checks.append(Check(name=name, passed=passed, measured=measured, limit=limit))

    def _invalid(self, detail: str | None) -> OutputInvalid:
        failed = [f"{one.name}: {one.measured} (wanted: {one.limit})" for one in self.checks if not one.passed]
        return OutputInvalid("the film did not pass the gate: " + "; ".join(failed), detail=detail)

    def _check_streams(self, probed: Probe) -> None:
        timeline, video_format = self.plan.timeline, self.plan.format
        video, audio = probed.first("video"), probed.first("audio")
        if video is None or audio is None:
            self._note("picture and sound", passed=False, measured=f"{len(probed.streams)} streams", limit="both")
            return
        size = f"{video.width}x{video.height} {video.codec_name} {video.frame_rate:g} fps {video.pix_fmt}"
        wanted = f"{timeline.width}x{timeline.height} {_CODECS[video_format.codec]} {timeline.fps:g} fps yuv420p"
        self._note("picture format", passed=size == wanted, measured=size, limit=wanted)
        tags = "/".join(
            str(tag) for tag in (video.color_space, video.color_primaries, video.color_transfer, video.color_range)
        )
        self._note("colour tags", passed=tags == "bt709/bt709/bt709/tv", measured=tags, limit="bt709/bt709/bt709/tv")
        planned, frame = timeline.duration_seconds, 1 / timeline.fps
        measured = video.duration or probed.format.duration or 0.0
        self._note(
            "picture duration",
            passed=abs(measured - planned) <= frame,
            measured=f"{measured:.3f} s",
            limit=f"{planned:.3f} s ± 1 frame",
        )
        heard = audio.duration or probed.format.duration or 0.0
        self._note(
            "sound duration",
            passed=abs(heard - planned) <= frame + _AUDIO_SLACK_SECONDS,
            measured=f"{heard:.3f} s",
            limit=f"{planned:.3f} s",
        )
        packets = video.nb_read_packets or 0
        self._note(
            "frames",
            passed=packets == timeline.total_frames,
            measured=str(packets),
            limit=str(timeline.total_frames),
        )
        sound = f"{audio.sample_rate} Hz, {audio.channels} channels"
        self._note(
            "sound format",
            passed=sound == "48000 Hz, 2 channels",
            measured=sound,
            limit="48000 Hz, 2 channels",
        )

    def _check_packets(self, packets: VideoPackets) -> None:
        at, wrong = 0, []
        for segment in self.segments:
            if packets.combined(at, segment.frames) != segment.packets_sha256:
                wrong.append(segment.id)
            at += segment.frames
        if at != len(packets.digests):
            wrong.append(f"{len(packets.digests)} packets, {at} planned")
        self._note(
            "packets are the segments'",
            passed=not wrong,
            measured=", ".join(wrong[:5]) or "all equal",
            limit="all equal",
        )
        headers = {packets.extradata, *(segment.extradata_sha256 for segment in self.segments)}
        self._note("one set of headers", passed=len(headers) == 1, measured=str(len(headers)), limit="1")

    async def _keyframe_luma(self, listen: Callable[[runner.Progress], None]) -> tuple[dict[int, float], str]:
        """Decodes the key frames strictly: mean luma by frame number, and what ffmpeg said."""
        graph = "signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-"
        done = await runner.run(
            ["-v", "error", "-xerror", "-skip_frame", "nokey", "-i", str(self.film), "-map", "0:v:0", "-vf", graph,
             "-fps_mode", "passthrough", "-f", "null", "-"],
            stall_seconds=300,
            on_progress=listen,
            read_stdout=True,
        )  # fmt: skip
        fps = self.plan.timeline.fps
        found = _KEYFRAME.findall(done.stdout.decode())
        return {round(float(time) * fps): float(value) for time, value in found}, done.stderr.strip()

    def _check_keyframes(self, luma: dict[int, float], stderr: str) -> None:
        """Compares the first frame of every segment with what was drawn."""
        self._note("key frames decode", passed=not stderr, measured=stderr[:200] or "clean", limit="clean")
        at, wrong = 0, []
        for segment in self.segments:
            seen = luma.get(at)
            if seen is None or abs(seen - segment.first_luma) > _LUMA_TOLERANCE:
                wrong.append(f"{segment.id}: {'none' if seen is None else f'{seen:.0f}'} for {segment.first_luma:.0f}")
            at += segment.frames
        self._note(
            "brightness as drawn",
            passed=not wrong,
            measured=", ".join(wrong[:5]) or "all",
            limit=f"± {_LUMA_TOLERANCE:.0f}",
        )

    def _check_loudness(self, level: Loudness) -> None:
        target = self.plan.format.loudness_lufs
        self._note(
            "loudness",
            passed=abs(level.integrated - target) <= TOLERANCE_LU,
            measured=f"{level.integrated:.1f} LUFS",
            limit=f"{target:.1f} ± {TOLERANCE_LU} LUFS",
        )
        self._note(
            "true peak",
            passed=level.true_peak <= PEAK_LIMIT_DBTP,
            measured=f"{level.true_peak:.1f} dBTP",
            limit=f"<= {PEAK_LIMIT_DBTP:.0f} dBTP",
        )

    async def _sound(self, listen: Callable[[runner.Progress], None]) -> tuple[bytes, str]:
        """Decodes all of the sound strictly: 16-bit mono samples at 8 kHz, and what ffmpeg said."""
        target = ["-map", "0:a:0", "-ac", "1", "-ar", str(_AUDIO_RATE), "-f", "s16le", "pipe:1"]
        done = await runner.run(
            ["-v", "error", "-xerror", "-i", str(self.film), *target],
            stall_seconds=300,
            on_progress=listen,
            read_stdout=True,
        )
        return done.stdout, done.stderr.strip()

    def _check_speech(self, data: bytes, stderr: str) -> None:
        """Looks for a voice wherever one was planned."""
        self._note("sound decodes", passed=not stderr, measured=stderr[:200] or "clean", limit="clean")
        samples = np.frombuffer(data, "<i2").astype(np.float32) / 32768
        silent = []
        for cue in self.plan.timeline.audio.speech:
            start = cue.start_sample * _AUDIO_RATE // SAMPLE_RATE
            part = samples[start : start + max(1, cue.samples * _AUDIO_RATE // SAMPLE_RATE)]
            level = 20 * np.log10(max(1e-9, float(np.sqrt(np.mean(part**2))))) if len(part) else -180.0
            if level < _SILENCE_DB:
                silent.append(f"scene {cue.scene_index + 1}: {level:.0f} dB")
        self._note(
            "speech in every scene",
            passed=not silent,
            measured=", ".join(silent[:5]) or "all",
            limit=f"> {_SILENCE_DB:.0f} dBFS",
        )

    def _facts(self, probed: Probe, level: Loudness) -> FilmFacts:
        video, audio = probed.first("video"), probed.first("audio")
        if video is None or audio is None:
            raise OutputInvalid("the film lacks a stream")
        return FilmFacts(
            size_bytes=self.film.stat().st_size,
            duration_seconds=round(video.duration or probed.format.duration or 0.0, 3),
            width=video.width or 0,
            height=video.height or 0,
            fps=video.frame_rate,
            frames=video.nb_read_packets or 0,
            video_codec=video.codec_name,
            audio_codec=audio.codec_name,
            sha256=sha256_of(self.film),
            loudness_lufs=round(level.integrated, 1),
            true_peak_dbtp=round(level.true_peak, 1),
        )


async def check_segment(path: Path, frames: int) -> VideoPackets:
    """The packets of a segment from a software encoder; raises OutputInvalid unless there is one for each frame."""
    packets = await read_packets(path)
    if len(packets.digests) != frames:
        raise OutputInvalid(f"the segment has {len(packets.digests)} frames; {frames} were drawn")
    return packets
