"""Hardware encoders: believed after a trial, never before; the whole of what they made is decoded."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from picturelock.composition.layout import segment_spec
from picturelock.errors import EncoderFailed
from picturelock.ffmpeg.tools import ffmpeg_path
from picturelock.models import ExportRequest, RenderedSegment
from picturelock.presets import PRESETS
from picturelock.render import hardware
from picturelock.render.encoders import HARDWARE, SOFTWARE, encoding, is_hardware
from picturelock.render.hardware import try_encoders
from picturelock.render.segment import segment_key
from tests.conftest import executable
from tests.film_maker import FilmMaker

pytestmark = pytest.mark.slow

REQUEST = ExportRequest.model_validate(
    {
        "script": {"title": "Card", "scenes": [{"narration": "One."}, {"narration": "Two."}]},
        "video": {"preset": "preview", "width": 320, "height": 180, "encoder": "hardware"},
    }
)
VIDEO = PRESETS["preview"].format.model_copy(update={"width": 320, "height": 180})
Card = Callable[[str], None]


@pytest.fixture
def graphics_card(tmp_path: Path, fresh_settings: Callable[..., None]) -> Card:
    """Puts an ffmpeg in place that plays one on a machine with a graphics card."""
    real = ffmpeg_path()
    program = tmp_path / "ffmpeg"

    def behave(kind: str) -> None:
        source = Path(__file__).parents[1] / "fake_gpu_ffmpeg.py"
        program.write_text(executable(source, {"REAL_FFMPEG": real, "FAKE_GPU": kind}))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        fresh_settings(PICTURELOCK_FFMPEG=str(program))

    return behave


async def test_a_card_that_works_is_found_and_makes_a_film(graphics_card: Card, tmp_path: Path) -> None:
    graphics_card("fine")
    trials = await try_encoders(VIDEO, tmp_path / "scratch")
    assert [(one.encoder, one.failure) for one in trials] == [("h264_nvenc", "")]
    made = await FilmMaker(tmp_path).produce(REQUEST, "h264_nvenc")
    assert {one.encoder for one in made.segments} == {"h264_nvenc"}


@pytest.mark.parametrize(
    ("kind", "reason"), [("absent", "exit code"), ("headers", "set of headers"), ("green", "differs by")]
)
async def test_a_card_that_does_not_is_told_why(graphics_card: Card, tmp_path: Path, kind: str, reason: str) -> None:
    graphics_card(kind)
    trials = await try_encoders(VIDEO, tmp_path / "scratch")
    assert reason in trials[0].failure
    assert [one.encoder for one in trials] == list(HARDWARE["h264"])
    assert all(one.failure for one in trials)


async def test_a_card_that_hangs_is_not_waited_for(
    graphics_card: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graphics_card("hangs")
    monkeypatch.setattr(hardware, "_TRIAL_SECONDS", 0.3)
    told: list[str] = []
    trials = await try_encoders(VIDEO, tmp_path / "scratch", told.append)
    assert told == list(HARDWARE["h264"])
    assert "was not over" in trials[0].failure


@pytest.mark.parametrize("kind", ["breaks", "black"])
async def test_a_card_that_fails_later_fails_its_segment_for_good(
    graphics_card: Card, tmp_path: Path, kind: str
) -> None:
    graphics_card(kind)
    assert not (await try_encoders(VIDEO, tmp_path / "scratch"))[0].failure
    studio = FilmMaker(tmp_path)
    plan, _ = await studio.plan(REQUEST)
    with pytest.raises(EncoderFailed, match="h264_nvenc"):
        await studio.segments(plan, "h264_nvenc")
    key = segment_key(segment_spec(plan, plan.timeline.segments[0], "h264_nvenc"))
    assert await studio.store.recall("segment", key, RenderedSegment) is None  # a bad one is not found again
    assert {one.encoder for one in await studio.segments(plan)} == {"libx264"}


async def test_what_fell_back_shares_segments_with_what_never_asked(tmp_path: Path) -> None:
    studio = FilmMaker(tmp_path)
    plan, _ = await studio.plan(REQUEST)
    await studio.segments(plan)
    software = REQUEST.model_copy(update={"video": REQUEST.video.model_copy(update={"encoder": None})})
    plan, _ = await studio.plan(software)
    assert all(one.cached for one in await studio.segments(plan))


@pytest.mark.parametrize("encoder", [one for row in HARDWARE.values() for one in row])
def test_every_encoder_is_asked_for_key_frames_and_tags(encoder: str) -> None:
    codec = next(codec for codec, row in HARDWARE.items() if encoder in row)
    options = encoding(VIDEO.model_copy(update={"codec": codec}), encoder).options
    assert is_hardware(encoder)
    assert not is_hardware(SOFTWARE[codec])
    assert options["g"] == 5 * VIDEO.fps
    assert options["colorspace"] == "bt709"
    assert "threads" not in options
