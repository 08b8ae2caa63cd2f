"""Video presets by slug, and the format a request ends up with."""

from typing import Final

from pydantic import Field

from picturelock.errors import InvalidRequest, NotOffered
from picturelock.models import ExportRequest, Model, VideoFormat, VideoOptions

X264_PRESETS: Final = (
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
)


class Preset(Model):
    """A named video format with the platform's limits."""

    slug: str = Field(description="How a request names it.")
    title: str = Field(description="How people call it.")
    format: VideoFormat = Field(description="What it stands for.")
    max_duration_seconds: float | None = Field(
        default=None, description="The platform's limit; longer films are refused."
    )


def _preset(  # noqa: PLR0913 - a row of the table below
    slug: str,
    title: str,
    width: int,
    height: int,
    *,
    fps: int = 30,
    crf: int = 20,
    codec: str = "h264",
    encoder_preset: str = "veryfast",
    container: str = "mp4",
    lufs: float = -16.0,
    audio_kbps: int = 192,
    longest: float | None = None,
) -> Preset:
    video = VideoFormat.model_validate(
        {
            "width": width,
            "height": height,
            "fps": fps,
            "codec": codec,
            "crf": crf,
            "encoder_preset": encoder_preset,
            "container": container,
            "loudness_lufs": lufs,
            "audio_bitrate_kbps": audio_kbps,
            "max_duration_seconds": longest,
        }
    )
    return Preset(slug=slug, title=title, format=video, max_duration_seconds=longest)


PRESETS: Final[dict[str, Preset]] = {
    preset.slug: preset
    for preset in (
        _preset("youtube-1080p", "YouTube, 1080p", 1920, 1080),
        _preset("youtube-4k", "YouTube, 4K", 3840, 2160, crf=19, longest=3_600),
        _preset("instagram-feed", "Instagram feed, 4:5", 1080, 1350, longest=3_600),
        _preset("instagram-story", "Instagram story or reel", 1080, 1920, longest=180),
        _preset("tiktok", "TikTok", 1080, 1920, longest=600),
        _preset("facebook", "Facebook, 1:1", 1080, 1080, longest=14_400),
        _preset("twitter", "X (Twitter)", 1280, 720, crf=21, longest=140),
        _preset("linkedin", "LinkedIn", 1920, 1080, longest=600),
        _preset("email", "Small enough for e-mail", 854, 480, fps=24, crf=27, audio_kbps=96, longest=300),
        _preset("preview", "Preview, 720p, fastest", 1280, 720, crf=26, encoder_preset="superfast", audio_kbps=128),
        _preset("archive", "Archive, H.265", 1920, 1080, codec="h265", crf=18, encoder_preset="fast", audio_kbps=256),
        _preset("podcast", "Podcast, sound alone", 0, 0, container="m4a", audio_kbps=128),
        _preset("webm", "WebM, VP9 and Opus", 1920, 1080, codec="vp9", crf=31, encoder_preset="realtime",
                container="webm", audio_kbps=128),
    )
}  # fmt: skip
DEFAULT_PRESET: Final = "youtube-1080p"


def resolve(options: VideoOptions) -> VideoFormat:
    """The format a request gets: its preset, with the values given beside it in place of the preset's.

    Raises:
        NotOffered: there is no preset of that name.
        InvalidRequest: values that do not go together.
    """
    preset = PRESETS.get(options.preset)
    if preset is None:
        text = f"unknown preset {options.preset!r}; offered: {', '.join(PRESETS)}"
        raise NotOffered(text, field="video.preset")
    given = options.model_dump(by_alias=False, exclude_none=True, exclude={"preset"})
    if given and not preset.format.has_picture:
        text = f"{preset.slug!r} has no picture; {', '.join(sorted(given))} cannot be chosen"
        raise InvalidRequest(text, field="video")
    chosen = preset.format.model_copy(update=given)
    if options.codec is not None and options.codec != preset.format.codec:
        chosen = chosen.model_copy(update=_codec_defaults(options))
    _check_encoder_preset(chosen)
    if chosen.codec == "h264" and chosen.crf == 0:
        raise InvalidRequest(
            "0 is lossless, which H.264 High does not allow; use 1 or more, or h265", field="video.crf"
        )
    return chosen


def check_together(request: ExportRequest, video: VideoFormat) -> None:
    """Refuses what a film without a picture cannot have. Raises InvalidRequest."""
    if video.has_picture:
        return
    for name in ("watermark", "intro", "outro"):
        if getattr(request, name) is not None:
            raise InvalidRequest(f"the preset {request.video.preset!r} has no picture", field=name)
    if request.captions.track:
        text = f"the preset {request.video.preset!r} has no picture to put it under"
        raise InvalidRequest(text, field="captions.track")


def _codec_defaults(options: VideoOptions) -> dict[str, object]:
    """What another codec than the preset's brings with it, unless the request says otherwise."""
    codec = options.codec or "h264"
    update: dict[str, object] = {"container": "webm" if codec == "vp9" else "mp4"}
    if options.encoder_preset is None:
        update["encoder_preset"] = {"vp9": "realtime", "av1": "good"}.get(codec, "veryfast")
    if options.crf is None:
        update["crf"] = {"vp9": 31, "av1": 32}.get(codec, 20)
    return update


def _check_encoder_preset(video: VideoFormat) -> None:
    offered = ("realtime", "good", "best") if video.codec in {"vp9", "av1"} else X264_PRESETS
    if video.encoder_preset not in offered:
        text = f"{video.encoder_preset!r} is not one of {', '.join(offered)} for {video.codec}"
        raise InvalidRequest(text, field="video.encoderPreset")
