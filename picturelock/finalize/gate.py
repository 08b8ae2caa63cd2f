"""The verification gate: nothing is published that did not pass every check.

A probe alone is blind: a film cut to 70 % still probes at full length, and a bit-flipped one decodes with exit code 0.
So the film's packets are compared with the segments' packets, its key frames and sound are decoded strictly, and
picture and sound are compared with what was planned. What a hardware encoder made is decoded whole, segment by
segment, before it is believed.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from picturelock.errors import AssetUnreadable, OutputInvalid, RenderFailed
from picturelock.ffmpeg import loudness, runner
from picturelock.ffmpeg.loudness import Loudness
from picturelock.ffmpeg.packets import VideoPackets, read_packets
from picturelock.ffmpeg.probe import Probe, probe
from picturelock.finalize import checks
from picturelock.models import Check, FilmFacts, RenderedSegment, RenderPlan
from picturelock.store.hashing import sha256_of

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
        self.checks += checks.sound(_power(data), stderr, self.plan.timeline.audio)
        return self._facts(probed, level.result(), hashing.result())

    async def _picture(self) -> list[Check]:
        """The readings of the picture: packets and key frames."""
        async with asyncio.TaskGroup() as group:
            packets: asyncio.Task[VideoPackets] = group.create_task(read_packets(self.film))
            luma = group.create_task(self._keyframe_luma(self._listener("key frames")))
        found = checks.packets(packets.result(), self.segments, self.plan.timeline.total_frames)
        return [*found, *checks.keyframes(*luma.result(), self.segments)]

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
        # An area-scaled picture has the picture's mean; statistics of 1080p would cost most of the gate's time.
        graph = "scale=96:54:flags=area,signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-"
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

    async def _sound(self, listen: Callable[[runner.Progress], None]) -> tuple[bytes, str]:
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


def _power(data: bytes) -> npt.NDArray[np.float32]:
    """Stereo samples as one track of the same power; their sum would be silent where they are opposite."""
    stereo = np.frombuffer(data, "<i2").reshape(-1, 2).astype(np.float32) / np.float32(32768)
    return np.asarray(np.sqrt(np.square(stereo).mean(axis=1)), np.float32)


async def check_segment(path: Path, frames: int) -> VideoPackets:
    """The packets of a segment; raises OutputInvalid unless there is one for each frame."""
    packets = await read_packets(path)
    if len(packets.digests) != frames:
        raise OutputInvalid(f"the segment has {len(packets.digests)} frames; {frames} were drawn")
    return packets


async def check_all_pictures(path: Path, drawn: list[float]) -> None:
    """Decodes every picture of a segment strictly and compares its mean luma with what was drawn, frame by frame.

    Raises:
        RenderFailed: it does not decode.
        OutputInvalid: a picture is not the one that was drawn.
    """
    graph = "scale=96:54:flags=area:in_range=tv:out_range=tv,format=gray"
    done = await runner.run(
        ["-v", "error", "-xerror", "-i", str(path), "-vf", graph, "-f", "rawvideo", "pipe:1"],
        stall_seconds=_STALL_SECONDS,
        read_stdout=True,
    )
    seen = np.frombuffer(done.stdout, np.uint8).reshape(-1, 54 * 96).mean(axis=1)
    if len(seen) != len(drawn):
        raise OutputInvalid(f"{len(seen)} of {len(drawn)} pictures came back")
    off = np.abs(seen - np.asarray(drawn))
    if off.max() > checks.LUMA_TOLERANCE:
        worst = int(off.argmax())
        raise OutputInvalid(f"picture {worst} has a luma of {seen[worst]:.0f}; {drawn[worst]:.0f} was drawn")
