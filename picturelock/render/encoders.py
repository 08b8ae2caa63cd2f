"""The encoders by codec: software ones, which every installation has, and hardware ones, tried when asked for.

Whatever encodes, segments must join by stream copy: closed groups of pictures that begin with a key frame, one set of
headers, and no dependence on how many cores there are (one thread; x264's output depends on its threads).
"""

from dataclasses import dataclass, field
from typing import Final

from picturelock.models import VideoFormat
from picturelock.models.request import Codec

Options = dict[str, str | int]

SOFTWARE: Final[dict[Codec, str]] = {"h264": "libx264", "h265": "libx265", "vp9": "libvpx-vp9", "av1": "libsvtav1"}
HARDWARE: Final[dict[Codec, tuple[str, ...]]] = {
    "h264": ("h264_nvenc", "h264_qsv", "h264_vaapi"),
    "h265": ("hevc_nvenc", "hevc_qsv", "hevc_vaapi"),
    "vp9": ("vp9_qsv", "vp9_vaapi"),
    "av1": ("av1_nvenc", "av1_qsv", "av1_vaapi"),
}
"""In the order in which they are tried: NVIDIA, Intel, and what VA-API reaches."""

GOP_SECONDS: Final = 5
_AV1_PRESETS: Final = {"realtime": 10, "good": 8, "best": 5}
_TAGS: Final[Options] = {
    "color_primaries": "bt709",
    "color_trc": "bt709",
    "colorspace": "bt709",
    "color_range": "tv",
}


@dataclass(frozen=True, slots=True)
class Encoding:
    """How ffmpeg is asked for an encoder: options of the program, last filters, options of the output."""

    options: Options
    program: tuple[str, ...] = ()
    filters: tuple[tuple[str, str], ...] = field(default=())


def is_hardware(encoder: str) -> bool:
    """Whether an encoder is one that may not be there, and whose work is decoded whole before it is believed."""
    return any(encoder in encoders for encoders in HARDWARE.values())


def encoding(video: VideoFormat, encoder: str) -> Encoding:
    """What a format asks of an encoder."""
    common: Options = {"c:v": encoder, "g": video.fps * GOP_SECONDS, **_TAGS}
    if not is_hardware(encoder):
        return Encoding(common | _software(video) | {"threads": 1, "pix_fmt": "yuv420p"})
    kind = encoder.rpartition("_")[2]
    high: Options = {"profile:v": "high"} if video.codec == "h264" else {}
    tag: Options = {"tag:v": "hvc1"} if video.codec == "h265" else {}
    if kind == "nvenc":
        rate: Options = {"preset": "p4", "rc": "vbr", "cq": video.crf, "b:v": 0, "forced-idr": 1, "pix_fmt": "yuv420p"}
        return Encoding(common | high | tag | rate)
    if kind == "qsv":
        return Encoding(common | high | tag | {"preset": "faster", "global_quality": video.crf, "pix_fmt": "nv12"})
    upload = (("format", "nv12"), ("hwupload", ""))
    return Encoding(common | high | tag | {"rc_mode": "CQP", "qp": video.crf}, ("-init_hw_device", "vaapi"), upload)


def _software(video: VideoFormat) -> Options:
    if video.codec == "h264":
        return {
            "crf": video.crf,
            "preset": video.encoder_preset,
            "profile:v": "high",
            "x264-params": "stitchable=1:open-gop=0",
        }
    if video.codec == "h265":
        parameters = "open-gop=0:pools=none:frame-threads=1:repeat-headers=0:log-level=error"
        return {"crf": video.crf, "preset": video.encoder_preset, "tag:v": "hvc1", "x265-params": parameters}
    if video.codec == "av1":
        return {"crf": video.crf, "preset": _AV1_PRESETS[video.encoder_preset], "svtav1-params": "lp=1"}
    return {"crf": video.crf, "deadline": video.encoder_preset, "cpu-used": 5, "b:v": 0, "row-mt": 0}
