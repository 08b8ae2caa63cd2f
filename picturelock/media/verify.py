"""The verification gate: nothing is published that did not pass every check.

A probe alone is blind: a film cut to 70 % still probes at full length, and a bit-flipped one decodes with exit code 0.
So the film's packets are compared with the segments' packets, its key frames and sound are decoded strictly, and
picture and sound are compared with what was planned. What a hardware encoder made is decoded whole.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from picturelock.errors import OutputInvalid, RenderFailed
from picturelock.media import checks, loudness
from picturelock.media import ffmpeg as runner
from picturelock.media.encoders import is_hardware
from picturelock.media.loudness import Loudness
from picturelock.media.packets import VideoPackets, read_packets
from picturelock.media.probe import Probe, probe
from picturelock.models import Check, FilmFacts, RenderedSegment, RenderPlan
from picturelock.storage import sha256_of

_KEYFRAME: Final = re.compile(r"pts_time:([\d.]+)\s*\n[^\n]*YAVG=([\d.]+)")
_STALL_SECONDS: Final = 300.0


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
            facts = await self._readings()
        except RenderFailed as error:
            self.checks.append(
                Check(name="decodes without an error", passed=False, measured=error.message, limit="no error")
            )
            raise self._invalid(error.detail) from error
        if not all(check.passed for check in self.checks):
            raise self._invalid(None)
        return facts

    async def _readings(self) -> FilmFacts:
        """The readings of the whole file, side by side."""
        try:
            async with asyncio.TaskGroup() as group:
                probing = group.create_task(probe(self.film))
                hashing = group.create_task(asyncio.to_thread(sha256_of, self.film))
                level = group.create_task(loudness.measure(self.film, self._listener("loudness")))
                sound = group.create_task(self._sound(self._listener("sound")))
                picture = group.create_task(self._picture()) if self.plan.format.has_picture else None
        except BaseExceptionGroup as failures:
            error: BaseException = failures
            while isinstance(error, BaseExceptionGroup):  # the picture's readings are a group of their own
                error = error.exceptions[0]
            raise error from None
        probed = probing.result()
        self.checks += checks.streams(probed, self.plan)
        self.checks += picture.result() if picture else []
        self.checks += checks.level(level.result(), self.plan.format.loudness_lufs)
        data, stderr = sound.result()
        samples = np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32768)
        self.checks += checks.sound(samples, stderr, self.plan.timeline.audio)
        return self._facts(probed, level.result(), hashing.result())

    async def _picture(self) -> list[Check]:
        """The readings of the picture: packets, key frames, and all of it where a hardware encoder made it."""
        hardware = any(is_hardware(one.encoder) for one in self.segments)
        async with asyncio.TaskGroup() as group:
            packets: asyncio.Task[VideoPackets] = group.create_task(read_packets(self.film))
            luma = group.create_task(self._keyframe_luma(self._listener("key frames")))
            whole = group.create_task(self._decode(self._listener("picture"))) if hardware else None
        found = checks.packets(packets.result(), self.segments, self.plan.timeline.total_frames)
        found += checks.keyframes(*luma.result(), self.segments)
        return [*found, checks.clean("all pictures decode", whole.result())] if whole else found

    def _listener(self, name: str) -> Callable[[runner.Progress], None]:
        """Turns one reading's progress into a share of them all."""
        seconds = self.plan.timeline.duration_seconds
        self._shares[name] = 0.0

        def listen(progress: runner.Progress) -> None:
            self._shares[name] = min(1.0, progress.seconds / seconds)
            self.report(sum(self._shares.values()) / len(self._shares), "Verifying the film")

        return listen

    def _invalid(self, detail: str | None) -> OutputInvalid:
        failed = [f"{one.name}: {one.measured} (wanted: {one.limit})" for one in self.checks if not one.passed]
        return OutputInvalid("the film did not pass the gate: " + "; ".join(failed), detail=detail)

    async def _keyframe_luma(self, listen: Callable[[runner.Progress], None]) -> tuple[dict[int, float], str]:
        """Decodes the key frames strictly: mean luma by frame number, and what ffmpeg said."""
        graph = "signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-"
        done = await runner.run(
            ["-v", "error", "-xerror", "-skip_frame", "nokey", "-i", str(self.film), "-map", "0:v:0", "-vf", graph,
             "-fps_mode", "passthrough", "-f", "null", "-"],
            stall_seconds=_STALL_SECONDS,
            on_progress=listen,
            read_stdout=True,
        )  # fmt: skip
        fps = self.plan.timeline.fps
        found = _KEYFRAME.findall(done.stdout.decode())
        return {round(float(time) * fps): float(value) for time, value in found}, done.stderr.strip()

    async def _decode(self, listen: Callable[[runner.Progress], None]) -> str:
        """Decodes every picture strictly; what ffmpeg said."""
        done = await runner.run(
            ["-v", "error", "-xerror", "-i", str(self.film), "-map", "0:v:0", "-f", "null", "-"],
            stall_seconds=_STALL_SECONDS,
            on_progress=listen,
        )
        return done.stderr.strip()

    async def _sound(self, listen: Callable[[runner.Progress], None]) -> tuple[bytes, str]:
        """Decodes all of the sound strictly: 16-bit mono samples, and what ffmpeg said."""
        target = ["-map", "0:a:0", "-ac", "1", "-ar", str(checks.AUDIO_RATE), "-f", "s16le", "pipe:1"]
        done = await runner.run(
            ["-v", "error", "-xerror", "-i", str(self.film), *target],
            stall_seconds=_STALL_SECONDS,
            on_progress=listen,
            read_stdout=True,
        )
        return done.stdout, done.stderr.strip()

    def _facts(self, probed: Probe, level: Loudness, sha256: str) -> FilmFacts:
        video, audio = probed.first("video"), probed.first("audio")
        length = next((one.duration for one in (video, audio) if one and one.duration), probed.format.duration)
        return FilmFacts(
            size_bytes=self.film.stat().st_size,
            duration_seconds=round(length or 0.0, 3),
            width=video.width if video else None,
            height=video.height if video else None,
            fps=video.frame_rate if video else None,
            frames=self.plan.timeline.total_frames if video else None,
            video_codec=video.codec_name if video else None,
            audio_codec=audio.codec_name if audio else "",
            sha256=sha256,
            loudness_lufs=round(level.integrated, 1),
            true_peak_dbtp=round(level.true_peak, 1),
        )


async def check_segment(path: Path, frames: int) -> VideoPackets:
    """The packets of a segment; raises OutputInvalid unless there is one for each frame."""
    packets = await read_packets(path)
    if len(packets.digests) != frames:
        raise OutputInvalid(f"the segment has {len(packets.digests)} frames; {frames} were drawn")
    return packets
