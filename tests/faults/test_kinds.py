"""Kinds of films: podcasts, films with intro and outro, films by hardware if there is any; and how voices sound."""

import io
import wave
from pathlib import Path

import httpx
import numpy as np
import pytest

from picturelock.ffmpeg import runner
from picturelock.ffmpeg.probe import probe
from tests.faults.stack import SMALL, create, decoded_audio, frame_at, long_script, until, upload

pytestmark = pytest.mark.slow


async def clip(path: Path, color: str, *, sound: bool) -> bytes:
    tone = ["-f", "lavfi", "-i", "sine=f=1000:d=2"] if sound else []
    picture = ["-f", "lavfi", "-i", f"color={color}:r=25:s=320x180:d=2"]
    await runner.run(["-v", "error", *picture, *tone, "-pix_fmt", "yuv420p", str(path)], stall_seconds=60)
    return path.read_bytes()


async def test_a_podcast_is_sound_alone_with_chapters_and_a_transcript(http: httpx.AsyncClient, tmp_path: Path) -> None:
    request = {**long_script(2), "video": {"preset": "podcast"}}
    job = await until(http, await create(http, request), "completed")
    assert job.output is not None
    assert (job.output.width, job.output.video_codec, job.output.audio_codec) == (None, None, "aac")
    assert abs(job.output.loudness_lufs + 16) <= 0.5
    response = await http.get(str(job.output_path))
    assert response.headers["content-type"] == "audio/mp4"
    film = tmp_path / "podcast.m4a"
    film.write_bytes(response.content)
    assert [one.codec_type for one in (await probe(film)).streams if one.codec_type != "data"] == ["audio"]
    assert [one.name for one in job.artifacts] == [
        "captions.srt", "captions.vtt", "transcript.txt", "transcript.html", "script.json", "timeline.json",
        "manifest.json",
    ]  # fmt: skip
    timeline = (await http.get(f"/api/jobs/{job.id}/artifacts/timeline.json")).json()
    assert timeline["segments"] == []
    assert timeline["cues"]
    render = next(step for step in job.steps if step.name == "render")
    assert (render.status, render.progress) == ("completed", 100)


@pytest.mark.parametrize("change", [{"captions": {"track": True}}, {"video": {"preset": "podcast", "fps": 25}}])
async def test_a_podcast_with_a_picture_is_refused(http: httpx.AsyncClient, change: dict[str, object]) -> None:
    body = {**long_script(1), "video": {"preset": "podcast"}, **change}
    response = await http.post("/api/jobs", json=body)
    assert response.status_code == 422
    assert "has no picture" in response.json()["detail"]


async def test_intro_and_outro_are_seen_and_heard_in_their_places(http: httpx.AsyncClient, tmp_path: Path) -> None:
    intro = await upload(http, await clip(tmp_path / "intro.mp4", "white", sound=True))
    outro = await upload(http, await clip(tmp_path / "outro.mp4", "black", sound=False))
    request = {**long_script(1), "video": SMALL, "intro": {"assetId": intro}, "outro": {"assetId": outro}}
    job = await until(http, await create(http, request), "completed")
    film = tmp_path / "film.mp4"
    film.write_bytes((await http.get(str(job.output_path))).content)
    timeline = (await http.get(f"/api/jobs/{job.id}/artifacts/timeline.json")).json()
    assert [scene["part"] for scene in timeline["scenes"]] == ["intro", "scene", "outro"]
    assert timeline["scenes"][0]["frames"] == timeline["scenes"][2]["frames"] == 60
    assert (await frame_at(film, 1.0)).mean() > 220
    assert (await frame_at(film, timeline["totalFrames"] / 30 - 0.5)).mean() < 30
    samples = await decoded_audio(film)
    spectrum = np.abs(np.fft.rfft(samples[: 8000 * 3 // 2]))
    assert abs(np.argmax(spectrum) / 1.5 - 1000) < 5
    last = samples[-8000:]
    assert np.sqrt(np.mean(last**2)) < 0.001
    manifest = (await http.get(f"/api/jobs/{job.id}/artifacts/manifest.json")).json()
    assert "sound of intro and outro" in {check["name"] for check in manifest["checks"]}


async def test_an_intro_that_is_no_clip_is_refused_by_its_name(http: httpx.AsyncClient) -> None:
    from tests.faults.stack import photograph

    picture = await upload(http, photograph())
    request = {**long_script(1), "video": SMALL, "intro": {"assetId": picture}}
    job = await until(http, await create(http, request), "failed")
    assert job.error is not None
    assert (job.error.code, "intro.assetId" in job.error.message) == ("ASSET_UNREADABLE", True)


async def test_hardware_that_is_not_there_makes_the_same_film_and_says_so(http: httpx.AsyncClient) -> None:
    request = {**long_script(1), "video": {**SMALL, "encoder": "hardware"}}
    job = await until(http, await create(http, request), "completed")
    manifest = (await http.get(f"/api/jobs/{job.id}/artifacts/manifest.json")).json()
    encoders = {segment["encoder"] for segment in manifest["segments"]}
    said = {warning.code for warning in job.warnings}
    assert (encoders == {"libx264"}) == (said == {"SOFTWARE_ENCODER"})
    assert len(encoders) == 1


async def test_every_voice_can_be_heard_before_it_is_chosen(http: httpx.AsyncClient) -> None:
    voices = (await http.get("/api/voices")).json()["voices"]
    assert {voice["engine"] for voice in voices} == {"hibari", "piper", "espeak"}
    for engine, name in (("hibari", "heart"), ("espeak", "fr"), ("espeak", "hi")):
        link = next(one["sample"] for one in voices if (one["engine"], one["voice"]) == (engine, name))
        response = await http.get(link)
        assert response.status_code == 200, response.text
        with wave.open(io.BytesIO(response.content)) as sound:
            assert 0.5 < sound.getnframes() / sound.getframerate() < 8
    assert (await http.get("/api/voices/espeak/xx/sample")).status_code == 404


@pytest.mark.parametrize(
    ("visual", "setting"),
    [({"query": "waves"}, "PICTURELOCK_PEXELS_API_KEY"), ({"prompt": "waves"}, "PICTURELOCK_IMAGE_BASE_URL")],
)
async def test_a_picture_from_a_source_that_is_not_configured_names_the_setting(
    http: httpx.AsyncClient, visual: dict[str, str], setting: str
) -> None:
    request = {"script": {"scenes": [{"narration": "Waves.", "visual": {"kind": "image", **visual}}]}}
    job = await until(http, await create(http, request), "failed")
    assert job.error is not None
    assert (job.error.code, job.error.stage) == ("NOT_OFFERED", "script")
    assert setting in job.error.message
