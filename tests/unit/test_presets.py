"""Presets and what a request makes of them: every value, every default of another codec, every refusal."""

from typing import Any

import pytest

from picturelock.errors import InvalidRequest, NotOffered
from picturelock.models import ExportRequest, VideoFormat, VideoOptions
from picturelock.presets import DEFAULT_PRESET, PRESETS, X264_PRESETS, Preset, _preset, check_together, resolve

BASE = {"fps": 30, "codec": "h264", "encoder": "software", "container": "mp4", "encoder_preset": "veryfast", "crf": 20,
        "loudness_lufs": -16.0, "audio_bitrate_kbps": 192, "max_duration_seconds": None}  # fmt: skip
TABLE: dict[str, tuple[int, int, dict[str, Any]]] = {
    "youtube-1080p": (1920, 1080, {}),
    "youtube-4k": (3840, 2160, {"crf": 19, "max_duration_seconds": 3_600}),
    "instagram-feed": (1080, 1350, {"max_duration_seconds": 3_600}),
    "instagram-story": (1080, 1920, {"max_duration_seconds": 180}),
    "tiktok": (1080, 1920, {"max_duration_seconds": 600}),
    "facebook": (1080, 1080, {"max_duration_seconds": 14_400}),
    "twitter": (1280, 720, {"crf": 21, "max_duration_seconds": 140}),
    "linkedin": (1920, 1080, {"max_duration_seconds": 600}),
    "email": (854, 480, {"fps": 24, "crf": 27, "audio_bitrate_kbps": 96, "max_duration_seconds": 300}),
    "preview": (1280, 720, {"crf": 26, "encoder_preset": "superfast", "audio_bitrate_kbps": 128}),
    "archive": (1920, 1080, {"codec": "h265", "crf": 18, "encoder_preset": "fast", "audio_bitrate_kbps": 256}),
    "podcast": (0, 0, {"container": "m4a", "audio_bitrate_kbps": 128}),
    "webm": (1920, 1080, {"codec": "vp9", "crf": 31, "encoder_preset": "realtime", "container": "webm",
                          "audio_bitrate_kbps": 128}),
}  # fmt: skip


def test_the_presets_are_those_of_the_table() -> None:
    assert list(PRESETS) == list(TABLE)
    for slug, (width, height, more) in TABLE.items():
        preset = PRESETS[slug]
        wanted = VideoFormat.model_validate({**BASE, "width": width, "height": height, **more})
        assert (preset.slug, preset.format) == (slug, wanted)
        assert preset.max_duration_seconds == wanted.max_duration_seconds
        assert preset.title
        assert resolve(VideoOptions(preset=slug)) == wanted


def test_the_default_is_1080p_for_youtube() -> None:
    assert resolve(VideoOptions()) == PRESETS[DEFAULT_PRESET].format == PRESETS["youtube-1080p"].format


@pytest.mark.parametrize(
    ("options", "changed"),
    [
        ({"fps": 60}, {"fps": 60}),
        ({"width": 640, "height": 360}, {"width": 640, "height": 360}),
        ({"crf": 30, "encoder_preset": "slow"}, {"crf": 30, "encoder_preset": "slow"}),
        ({"encoder": "hardware"}, {"encoder": "hardware"}),
        ({"codec": "h264"}, {}),
        ({"codec": "h265"}, {"codec": "h265"}),
        ({"codec": "h265", "crf": 0}, {"codec": "h265", "crf": 0}),
        ({"codec": "vp9"}, {"codec": "vp9", "container": "webm", "encoder_preset": "realtime", "crf": 31}),
        ({"codec": "av1"}, {"codec": "av1", "encoder_preset": "good", "crf": 32}),
        ({"codec": "av1", "crf": 40, "encoder_preset": "best"}, {"codec": "av1", "encoder_preset": "best", "crf": 40}),
        ({"preset": "webm", "codec": "h264"}, {"container": "mp4", "audio_bitrate_kbps": 128}),
        ({"preset": "webm", "crf": 40}, {"codec": "vp9", "container": "webm", "encoder_preset": "realtime", "crf": 40,
                                         "audio_bitrate_kbps": 128}),
        ({"preset": "archive", "codec": "h264"}, {"audio_bitrate_kbps": 256}),
    ],
)  # fmt: skip
def test_a_value_beside_the_preset_takes_its_place(options: dict[str, Any], changed: dict[str, Any]) -> None:
    wanted = VideoFormat.model_validate({**BASE, "width": 1920, "height": 1080, **changed})
    assert resolve(VideoOptions.model_validate(options)) == wanted


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"preset": "betamax"}, NotOffered,
         "video.preset: unknown preset 'betamax'; offered: youtube-1080p, youtube-4k"),
        ({"preset": "podcast", "fps": 25, "crf": 20}, InvalidRequest,
         "video: 'podcast' has no picture; crf, fps cannot be chosen"),
        ({"crf": 0}, InvalidRequest, "video.crf: 0 is lossless"),
        ({"encoder_preset": "good"}, InvalidRequest,
         "video.encoderPreset: 'good' is not one of ultrafast, superfast, veryfast"),
        ({"codec": "vp9", "encoder_preset": "slow"}, InvalidRequest,
         "video.encoderPreset: 'slow' is not one of realtime, good, best for vp9"),
        ({"codec": "av1", "encoder_preset": "medium"}, InvalidRequest, "not one of realtime, good, best for av1"),
        ({"preset": "webm", "encoder_preset": "fast"}, InvalidRequest, "not one of realtime, good, best for vp9"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused_with_its_field(
    options: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error) as caught:
        resolve(VideoOptions.model_validate(options))
    assert says in str(caught.value)


@pytest.mark.parametrize("name", X264_PRESETS)
def test_every_preset_of_x264_is_taken(name: str) -> None:
    assert resolve(VideoOptions(encoder_preset=name)).encoder_preset == name
    assert resolve(VideoOptions(codec="h265", encoder_preset=name)).encoder_preset == name


ASSET = {"assetId": f"sha256-{0:064x}"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"watermark": ASSET}, "watermark: the preset 'podcast' has no picture"),
        ({"intro": ASSET}, "intro: the preset 'podcast' has no picture"),
        ({"outro": ASSET}, "outro: the preset 'podcast' has no picture"),
        ({"captions": {"track": True}}, "captions.track: the preset 'podcast' has no picture to put it under"),
    ],
)
def test_a_film_without_a_picture_has_nothing_to_show(change: dict[str, Any], says: str) -> None:
    body = {"script": {"scenes": [{"narration": "a"}]}, "video": {"preset": "podcast"}, **change}
    request = ExportRequest.model_validate(body)
    with pytest.raises(InvalidRequest) as caught:
        check_together(request, resolve(request.video))
    assert str(caught.value) == says
    check_together(request, PRESETS["preview"].format)
    check_together(ExportRequest.model_validate({**body, "music": ASSET, "captions": {}} | dict.fromkeys(
        ("watermark", "intro", "outro"))), resolve(request.video))  # fmt: skip


def test_a_row_of_the_table_has_the_defaults_of_the_house() -> None:
    assert _preset("slug", "A title", 640, 360) == Preset(
        slug="slug", title="A title", format=VideoFormat.model_validate({**BASE, "width": 640, "height": 360})
    )
    given = {"fps": 24, "crf": 30, "codec": "vp9", "encoder_preset": "good", "container": "webm"}
    named = {"loudness_lufs": -14.0, "audio_bitrate_kbps": 96, "max_duration_seconds": 60}
    made = _preset(
        "s", "t", 1, 2, fps=24, crf=30, codec="vp9", encoder_preset="good", container="webm", lufs=-14.0, audio_kbps=96,
        longest=60,
    )  # fmt: skip
    wanted = VideoFormat.model_validate({**BASE, "width": 1, "height": 2, **given, **named})
    assert made == Preset(slug="s", title="t", format=wanted, max_duration_seconds=60)
