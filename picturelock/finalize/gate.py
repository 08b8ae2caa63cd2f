"""The verification gate: nothing is published that did not pass every check.

A probe alone is blind: a film cut to 70 % still probes at full length, and a bit-flipped one decodes with exit code 0.
So the film's packets are compared with the segments' packets, its key frames and sound are decoded strictly, and
picture and sound are compared with what was planned. What a hardware encoder made is decoded whole, segment by
segment, before it is believed.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from picturelock.concurrency import task_group
from picturelock.errors import AssetUnreadable, OutputInvalid, RenderFailed
from picturelock.ffmpeg import loudness, runner
from picturelock.ffmpeg.loudness import Loudness
from picturelock.ffmpeg.luma import key_frame_luma
from picturelock.ffmpeg.packets import VideoPackets, read_packets
from picturelock.ffmpeg.probe import Probe, probe
from picturelock.finalize import checks
from picturelock.models import Check, FilmFacts, RenderedSegment, RenderPlan
from picturelock.reporting import Report, ignore
from picturelock.store.hashing import sha256_of

_STALL_SECONDS: Final = 300.0


@dataclass(slots=True)
class Gate:
    """Checks one film against its plan and its segments."""

    film: Path
    plan: RenderPlan
    segments: list[RenderedSegment]
    report: Report = ignore
    checks: list[Check] = field(default_factory=list)
    _shares: dict[str, float] = field(default_factory=dict)

    async def verify(self) -> FilmFacts:
        """Runs every check and returns the facts.

        Raises:
            OutputInvalid: with the checks that failed.
        """
        try:
            facts = await self._readings()
        except (RenderFailed, AssetUnreadable) as error:
            self.checks.append(
                Check(name="decodes without an error", passed=False, measured=error.message, limit="no error")
            )
            raise self._invalid(error.detail) from error
        if not all(check.passed for check in self.checks):
            raise self._invalid(None)
        return facts

    async def _readings(self) -> FilmFacts:
        """The readings of the whole file, side by side."""
        async with task_group() as group:
            probing = group.create_task(probe(self.film))
            hashing = group.create_task(asyncio.to_thread(sha256_of, self.film))
            level = group.create_task(loudness.measure(self.film, self._listener("loudness")))
            sound = group.create_task(self._sound(self._listener("sound")))
            picture = group.create_task(self._picture()) if self.plan.format.has_picture else None
        probed = probing.result()
        self.checks += checks.streams(probed, self.plan)
        self.checks += picture.result() if picture else []
        self.checks += checks.level(level.result(), self.plan.format.loudness_lufs)
        data, stderr = sound.result()
        self.checks += checks.sound(_power(data), stderr, self.plan.timeline.audio)
        return self._facts(probed, level.result(), hashing.result())

    async def _picture(self) -> list[Check]:
        """The readings of the picture: packets and key frames."""
        async with task_group() as group:
            packets: asyncio.Task[VideoPackets] = group.create_task(read_packets(self.film))
            luma = group.create_task(key_frame_luma(self.film, self.plan.timeline.fps, self._listener("key frames")))
        packet_checks = checks.packets(packets.result(), self.segments, self.plan.timeline.total_frames)
        return [*packet_checks, *checks.keyframes(luma.result().luma, luma.result().stderr, self.segments)]

    def _listener(self, name: str) -> Callable[[runner.Progress], None]:
        """Turns one reading's progress into a share of them all."""
        seconds = self.plan.timeline.duration_seconds
        self._shares[name] = 0.0

        def listen(progress: runner.Progress) -> None:
            self._shares[name] = min(1.0, progress.seconds / seconds)
            self.report(sum(self._shares.values()) / len(self._shares), "Verifying the film")

        return listen

    def _invalid(self, detail: str | None) -> OutputInvalid:
        failed = [
            f"{check.name}: {check.measured} (wanted: {check.limit})" for check in self.checks if not check.passed
        ]
        return OutputInvalid("the film did not pass the gate: " + "; ".join(failed), detail=detail)

    async def _sound(self, listen: Callable[[runner.Progress], None]) -> tuple[bytearray, str]:
        """Decodes all of the sound strictly: 16-bit stereo samples, and what ffmpeg said."""
        target = ["-map", "0:a:0", "-ac", "2", "-ar", str(checks.AUDIO_RATE), "-f", "s16le", "pipe:1"]
        done = await runner.run(
            ["-v", "error", "-xerror", "-i", str(self.film), *target],
            stall_seconds=_STALL_SECONDS,
            on_progress=listen,
            read_stdout=True,
        )
        return done.stdout, done.stderr.strip()

    def _facts(self, probed: Probe, level: Loudness, sha256: str) -> FilmFacts:
        video, audio = probed.first("video"), probed.first("audio")
        length = next(
            (stream.duration for stream in (video, audio) if stream and stream.duration), probed.format.duration
        )
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


def _power(data: bytes | bytearray) -> npt.NDArray[np.float32]:
    """Stereo samples as one track of the same power; their sum would be silent where they are opposite."""
    stereo = np.frombuffer(data, "<i2").reshape(-1, 2).astype(np.float32) / np.float32(32768)
    return np.asarray(np.sqrt(np.square(stereo).mean(axis=1)), np.float32)
