"""What the gate measures a film against: pure functions from measurements to lines of the report."""

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

from picturelock.ffmpeg.loudness import Loudness
from picturelock.ffmpeg.packets import VideoPackets
from picturelock.ffmpeg.probe import Probe, ProbedStream
from picturelock.finalize.sound import PEAK_LIMIT_DBTP, TOLERANCE_LU
from picturelock.models import SAMPLE_RATE, AudioPlan, Check, RenderedSegment, RenderPlan, SoundCue, VideoFormat
from picturelock.render.verify import LUMA_TOLERANCE

AUDIO_RATE: Final = 8_000
"""The rate at which the film's sound is looked at, in samples a second."""

_SILENCE_DB: Final = -50.0
_MUSIC_SILENCE_DB: Final = -70.0
_GAP_SECONDS: Final = 0.4
_AUDIO_SLACK_SECONDS: Final = 0.06
_CODECS: Final = {"h264": "h264", "h265": "hevc", "vp9": "vp9", "av1": "av1"}
Samples = npt.NDArray[np.float32]


def streams(probed: Probe, plan: RenderPlan) -> list[Check]:
    """Formats, tags and lengths of picture and sound."""
    video, audio = probed.first("video"), probed.first("audio")
    if audio is None or (video is None) == plan.format.has_picture:
        wanted = "picture and sound" if plan.format.has_picture else "sound alone"
        kinds = [stream.codec_type for stream in probed.streams]
        return [Check(name="streams", passed=False, measured=", ".join(kinds) or "none", limit=wanted)]
    heard = audio.duration or probed.format.duration or 0.0
    planned, frame = plan.timeline.duration_seconds, 1 / plan.timeline.fps
    checks = [
        _close("sound duration", heard, planned, frame + _AUDIO_SLACK_SECONDS, f"{planned:.3f} s"),
        _same("sound format", f"{audio.sample_rate} Hz, {audio.channels} channels", "48000 Hz, 2 channels"),
    ]
    return [*_picture(video, probed, plan), *checks] if video else checks


def _picture(video: ProbedStream, probed: Probe, plan: RenderPlan) -> list[Check]:
    timeline = plan.timeline
    planned = timeline.duration_seconds
    measured = video.duration or probed.format.duration or 0.0
    size = f"{video.width}x{video.height} {video.codec_name} {video.frame_rate:g} fps {video.pix_fmt}"
    tags = (video.color_space, video.color_primaries, video.color_transfer, video.color_range)
    return [
        _same("picture format", size, _wanted_format(plan.format)),
        _same("colour tags", "/".join(str(tag) for tag in tags), "bt709/bt709/bt709/tv"),
        _close("picture duration", measured, planned, 1 / timeline.fps, f"{planned:.3f} s ± 1 frame"),
    ]


def _wanted_format(video: VideoFormat) -> str:
    return f"{video.width}x{video.height} {_CODECS[video.codec]} {video.fps:g} fps yuv420p"


def packets(film: VideoPackets, segments: list[RenderedSegment], frames: int) -> list[Check]:
    """The film's packets are the segments', in order, as many as planned, and all have one set of headers."""
    frame, wrong = 0, []
    for segment in segments:
        if film.combined(frame, segment.frames) != segment.packets_sha256:
            wrong.append(segment.id)
        frame += segment.frames
    if frame != len(film.digests):
        wrong.append(f"{len(film.digests)} packets, {frame} planned")
    headers = {film.extradata, *(segment.extradata_sha256 for segment in segments)}
    return [
        _same("frames", str(len(film.digests)), str(frames)),
        _none_of("packets are the segments'", wrong, "all equal"),
        _same("one set of headers", str(len(headers)), "1"),
    ]


def keyframes(luma: dict[int, float], stderr: str, segments: list[RenderedSegment]) -> list[Check]:
    """Key frames decode, and the first frame of every segment is as bright as it was drawn."""
    frame, wrong = 0, []
    for segment in segments:
        seen = luma.get(frame)
        if seen is None or abs(seen - segment.first_luma) > LUMA_TOLERANCE:
            wrong.append(f"{segment.id}: {'none' if seen is None else f'{seen:.0f}'} for {segment.first_luma:.0f}")
        frame += segment.frames
    limit = f"± {LUMA_TOLERANCE:.0f}"
    return [clean("key frames decode", stderr), _none_of("brightness as drawn", wrong, limit, good="all")]


def level(measured: Loudness, target: float) -> list[Check]:
    """Loudness and true peak of the encoded file."""
    return [
        Check(
            name="loudness",
            passed=abs(measured.integrated - target) <= TOLERANCE_LU,
            measured=f"{measured.integrated:.1f} LUFS",
            limit=f"{target:.1f} ± {TOLERANCE_LU} LUFS",
        ),
        Check(
            name="true peak",
            passed=measured.true_peak <= PEAK_LIMIT_DBTP,
            measured=f"{measured.true_peak:.1f} dBTP",
            limit=f"<= {PEAK_LIMIT_DBTP:.0f} dBTP",
        ),
    ]


def sound(samples: Samples, stderr: str, plan: AudioPlan) -> list[Check]:
    """Something is heard wherever speech, an insert's own sound or music was planned (`samples` at `AUDIO_RATE`)."""
    silent = []
    for number, cue in enumerate(plan.speech):
        heard = _decibels(_stretch(samples, cue))
        if heard < _SILENCE_DB:
            silent.append(f"scene {number + 1}: {heard:.0f} dB")
    limit = f"> {_SILENCE_DB:.0f} dBFS"
    checks = [clean("sound decodes", stderr), _none_of("speech in every scene", silent, limit, good="all")]
    if plan.inserts:
        levels = [_decibels(_stretch(samples, cue)) for cue in plan.inserts]
        quiet = [f"{level:.0f} dB" for level in levels if level < _SILENCE_DB]
        checks.append(_none_of("sound of intro and outro", quiet, limit, good="all"))
    gaps = [_decibels(samples[start:end]) for start, end in _gaps(plan)]
    if plan.music and gaps:
        loudest = max(gaps)
        checks.append(
            Check(
                name="music between the speech",
                passed=loudest > _MUSIC_SILENCE_DB,
                measured=f"{loudest:.0f} dBFS",
                limit=f"> {_MUSIC_SILENCE_DB:.0f} dBFS",
            )
        )
    return checks


def _stretch(samples: Samples, cue: SoundCue) -> Samples:
    start = cue.start_sample * AUDIO_RATE // SAMPLE_RATE
    return samples[start : start + max(1, cue.samples * AUDIO_RATE // SAMPLE_RATE)]


def _gaps(plan: AudioPlan) -> Iterable[tuple[int, int]]:
    """Where nothing but music is heard, for long enough to tell (first and last sample at `AUDIO_RATE`)."""
    cues = sorted([*plan.speech, *plan.inserts], key=lambda cue: cue.start_sample)
    ends = [0, *(cue.start_sample + cue.samples for cue in cues)]
    starts = [*(cue.start_sample for cue in cues), plan.total_samples]
    for end, start in zip(ends, starts, strict=True):
        if start - end > _GAP_SECONDS * SAMPLE_RATE:
            yield end * AUDIO_RATE // SAMPLE_RATE, start * AUDIO_RATE // SAMPLE_RATE


def _decibels(samples: Samples) -> float:
    return 20 * float(np.log10(max(1e-9, float(np.sqrt(np.mean(samples**2)))))) if len(samples) else -180.0


def clean(name: str, stderr: str) -> Check:
    """A decoder that had nothing to say."""
    return Check(name=name, passed=not stderr, measured=stderr[:200] or "clean", limit="clean")


def _same(name: str, measured: str, limit: str) -> Check:
    return Check(name=name, passed=measured == limit, measured=measured, limit=limit)


def _close(name: str, measured: float, wanted: float, tolerance: float, limit: str) -> Check:
    return Check(name=name, passed=abs(measured - wanted) <= tolerance, measured=f"{measured:.3f} s", limit=limit)


def _none_of(name: str, wrong: list[str], limit: str, *, good: str | None = None) -> Check:
    return Check(name=name, passed=not wrong, measured=", ".join(wrong[:5]) or good or limit, limit=limit)
