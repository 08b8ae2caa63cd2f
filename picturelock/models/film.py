"""What lies between a script and a film: narrations, the timeline, segments, sound, checks.

Frames are counted from 0 at the film's frame rate; times are seconds from the start of what they belong to.
"""

from typing import Literal

from pydantic import Field

from picturelock.models.artifacts import ArtifactRef, Attribution, NamedArtifact
from picturelock.models.base import CachedResult, Model, PlainResult
from picturelock.models.request import CaptionSpec, Codec, EncoderKind, Music, TransitionKind, Watermark
from picturelock.models.script import Fit, Motion, WhenShort

SAMPLE_RATE = 48_000


Timing = Literal["engine", "aligned", "proportional"]
Unaligned = Literal["not-installed", "not-found"]
Container = Literal["mp4", "webm", "m4a"]
TimelinePart = Literal["scene", "intro", "opening", "ending", "outro"]
Enter = Literal["none", "fade", "rise", "wipe", "grow-up", "grow-right"]


class VideoFormat(Model):
    """Everything about the picture that the encoder needs to know; `m4a` holds sound alone."""

    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")
    fps: int = Field(description="Frames per second.")
    codec: Codec = Field(description="Of the picture.")
    crf: int = Field(description="The encoder's constant quality: less is better and larger.")
    encoder_preset: str = Field(description="How much time the encoder takes for the same quality.")
    encoder: EncoderKind = Field(default="software", description="A processor's or a graphics card's.")
    container: Container = Field(default="mp4", description="The kind of file.")
    loudness_lufs: float = Field(default=-16.0, description="Of the whole film (EBU R 128).")
    audio_bitrate_kbps: int = Field(default=192, description="Kilobits a second.")
    max_duration_seconds: float | None = Field(default=None, description="The platform's limit, if it has one.")

    @property
    def has_picture(self) -> bool:
        """Whether there is anything to see."""
        return self.container != "m4a"


class Word(Model):
    """One spoken word as it is written, with its time in the narration (seconds)."""

    text: str
    start_seconds: float
    end_seconds: float
    joined: bool = Field(default=False, description="It follows the word before it without a space.")


class Narration(Model):
    """One scene's speech: a 48 kHz mono WAV trimmed to the voice, its exact length and its words."""

    scene_index: int
    audio: ArtifactRef
    samples: int = Field(description="Length in samples at 48 kHz.")
    loudness_lufs: float
    words: list[Word]
    timing: Timing = Field(
        description="Where the word times come from: the engine, forced alignment, or each word's share of letters."
    )
    unaligned: Unaligned | None = Field(
        default=None, description="Why forced alignment of English words gave no times: it is missing, or it failed."
    )
    engine: str
    took_seconds: float | None = Field(default=None, description="How long it took to speak; None for recordings.")
    cached: bool = False

    @property
    def duration_seconds(self) -> float:
        """The exact length of the audio in seconds."""
        return self.samples / SAMPLE_RATE


class Cue(Model):
    """One caption: up to two lines, shown from start to end (seconds of the film)."""

    start_seconds: float
    end_seconds: float
    lines: list[str]
    words: list[Word]
    scene_index: int = Field(description="The scene's place in the script.")
    bright: bool = Field(default=False, description="What lies behind it is bright: it is drawn on a box.")


class TimelineScene(Model):
    """Where a scene, a card, or the intro or outro stands in the film. Neighbours overlap for their transition."""

    index: int = Field(description="Its place in the film; an intro is 0.")
    part: TimelinePart = "scene"
    scene_index: int | None = Field(default=None, description="The scene's place in the script.")
    title: str | None
    start_frame: int
    frames: int
    speech_start_frame: int
    speech_frames: int


class Segment(Model):
    """A run of frames that is rendered on its own: a piece of one scene or the transition between two."""

    id: str
    kind: Literal["body", "transition"]
    start_frame: int
    frames: int
    scene_indexes: list[int]


class SoundCue(Model):
    """Something that is heard (a WAV at 48 kHz): where it starts (samples) and its static gain (dB)."""

    audio: ArtifactRef
    start_sample: int
    samples: int
    gain_db: float


class SpeechCue(SoundCue):
    """One scene's narration."""

    scene_index: int


class AudioPlan(Model):
    """The film's sound: narrations and inserts placed to the sample, music under them."""

    total_samples: int
    target_lufs: float
    speech: list[SpeechCue]
    inserts: list[SoundCue] = Field(default=[], description="The own sound of intro and outro.")
    music: Music | None = None


class Timeline(Model):
    """The film on paper. The sum of the segments' frames is `total_frames`."""

    fps: int
    width: int
    height: int
    total_frames: int
    segments: list[Segment]
    scenes: list[TimelineScene]
    cues: list[Cue]
    audio: AudioPlan

    @property
    def duration_seconds(self) -> float:
        """The film's planned length in seconds."""
        return self.total_frames / self.fps


class Level(Model):
    """From `frame` (of the scene) on, so much of a layer is seen."""

    frame: int
    opacity: float


class Layer(Model):
    """Text or a drawing over a scene's picture (RGBA, PNG): its place in pixels and its times in the scene's frames."""

    image: ArtifactRef
    x: int
    y: int
    enter_frame: int = 0
    enter: Enter = "none"
    enter_frames: int = Field(default=0, description="How long it takes to enter.")
    leave_frame: int | None = Field(default=None, description="When it has gone; None: with the scene.")
    levels: list[Level] = []


class ClipCut(Model):
    """Which frames of a clip a scene shows, counted on the film's frame grid from the container's beginning on."""

    first: int
    frames: int = Field(ge=1)
    when_short: WhenShort
    fit: Fit


class ScenePicture(Model):
    """A scene's picture, ready to move: an I420 still, or a clip's own file and its cut, and what lies over it."""

    source: ArtifactRef
    clip: ClipCut | None = None
    motion: Motion
    drift: tuple[float, float] | None = Field(
        default=None, description="The part of its way that a background moves at a constant pace; None: all, eased."
    )
    layers: list[Layer] = []
    bright: bool = Field(default=False, description="White letters could not be read at its foot.")
    description: str


class RenderPlan(Model):
    """All that rendering and finishing need, in one stored file."""

    format: VideoFormat
    timeline: Timeline
    pictures: list[ScenePicture]
    transition: TransitionKind
    captions: CaptionSpec | None = Field(description="None: captions are not drawn into the picture.")
    watermark: Watermark | None = None
    title: str
    language: str
    attributions: list[Attribution] = []
    warnings: list[str] = []


class SegmentLayer(Model):
    """One scene as a segment sees it: its picture, its length in frames, and the frame it starts with."""

    picture: ScenePicture
    scene_frames: int
    first_frame: int


class SegmentSpec(Model):
    """Everything that determines a segment's bytes, and nothing else: its canonical JSON is the cache key."""

    format: VideoFormat
    frames: int
    layers: list[SegmentLayer]
    transition: TransitionKind
    captions: CaptionSpec | None
    cues: list[Cue] = Field(description="Times relative to the segment's first frame.")
    language: str = "en"
    watermark: Watermark | None = None
    encoder: str = Field(description="Ffmpeg's name of the encoder.")


class RenderedSegment(CachedResult):
    """A segment as it was encoded, with what the gate compares the film against."""

    id: str
    artifact: ArtifactRef
    thumbnail: ArtifactRef | None = Field(default=None, description="Its first frame, small, without captions.")
    frames: int
    packets_sha256: str = Field(description="Digest over the packets' own digests, in order.")
    extradata_sha256: str
    first_luma: float = Field(description="Mean luma (0-255) of the first frame as drawn, without captions.")
    encoder: str
    seconds: float
    worker: str


class Sound(CachedResult):
    """The film's mastered, encoded sound."""

    artifact: ArtifactRef
    duration_seconds: float
    loudness_lufs: float
    true_peak_dbtp: float


class DraftSound(PlainResult):
    """The placed narrations of a film's beginning, for its preview until the sound is mastered."""

    artifact: ArtifactRef | None = Field(default=None, description="None: it could not be made; nothing waits for it.")
    seconds: float = 0.0


class Check(Model):
    """One line of the verification report."""

    name: str
    passed: bool
    measured: str
    limit: str


class FilmFacts(Model):
    """What a probe and a measurement of the finished file said; a podcast has no picture."""

    size_bytes: int
    duration_seconds: float
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    frames: int | None = None
    video_codec: str | None = None
    audio_codec: str
    sha256: str
    loudness_lufs: float
    true_peak_dbtp: float


class ExportResult(CachedResult):
    """A finished export: the film, everything published with it, and the facts."""

    film: NamedArtifact
    facts: FilmFacts
    artifacts: list[NamedArtifact]
