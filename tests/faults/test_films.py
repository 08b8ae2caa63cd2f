"""Films made by the whole real stack: right, or refused with a code."""

import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from httpx_sse import aconnect_sse

from picturelock.ffmpeg import runner
from picturelock.ffmpeg.packets import read_packets
from picturelock.ffmpeg.probe import probe
from picturelock.models import CacheUse
from tests.faults.stack import (
    SMALL,
    Up,
    create,
    decoded_audio,
    frame_at,
    long_script,
    photograph,
    status,
    tone,
    until,
    upload,
)

pytestmark = pytest.mark.slow


async def test_a_script_becomes_a_film_that_is_what_it_says(up: Up, http: httpx.AsyncClient, tmp_path: Path) -> None:
    request = {**long_script(5), "video": {"preset": "preview"}, "metadata": {"project": "42"}}
    job_id = await create(http, request)
    names, percents, stamps = [], [], []
    async with aconnect_sse(http, "GET", f"/api/jobs/{job_id}/events") as source:
        async for event in source.aiter_sse():
            names.append(event.event)
            if event.event.startswith("job-"):
                percents.append(json.loads(event.data)["percent"])
                stamps.append(json.loads(event.data)["stage"])
    assert names[0] == "connected"
    assert names[-1] == "job-completed"
    assert percents == sorted(percents)
    assert percents[-1] == 100
    assert {"tts", "render", "finalize", "complete"} <= set(stamps)
    assert sum(1 for percent in percents if 12 < percent < 92) >= 3

    job = await status(http, job_id)
    film = tmp_path / "film.mp4"
    film.write_bytes((await http.get(str(job.output_path))).content)
    timeline = (await http.get(f"/api/jobs/{job_id}/artifacts/timeline.json")).json()
    probed = await probe(film)
    video, audio = probed.first("video"), probed.first("audio")
    assert video is not None
    assert audio is not None
    assert (video.codec_name, video.profile, video.pix_fmt, audio.codec_name) == ("h264", "High", "yuv420p", "aac")
    frames = len((await read_packets(film)).digests)
    assert frames == timeline["totalFrames"] == sum(one["frames"] for one in timeline["segments"])
    assert abs((video.duration or 0) - timeline["totalFrames"] / timeline["fps"]) <= 1 / timeline["fps"]

    black = await runner.run(
        ["-v", "info", "-i", str(film), "-vf", "blackdetect=d=0.1:pix_th=0.05", "-an", "-f", "null", "-"],
        stall_seconds=60,
    )
    assert "black_start" not in black.stderr
    samples = await decoded_audio(film)
    for scene in timeline["scenes"]:
        start = scene["speechStartFrame"] * 8000 // timeline["fps"]
        part = samples[start : start + scene["speechFrames"] * 8000 // timeline["fps"]]
        assert np.sqrt(np.mean(part**2)) > 0.02
    assert abs((job.output.loudness_lufs if job.output else 0) + 16) <= 0.5
    captions = (await http.get(f"/api/jobs/{job_id}/artifacts/captions.srt")).text
    assert captions.startswith("1\n00:00:00,")
    manifest = (await http.get(f"/api/jobs/{job_id}/artifacts/manifest.json")).json()
    assert all(check["passed"] for check in manifest["checks"])
    assert manifest["metadata"] == {"project": "42"}
    poster = (await http.get(f"/api/jobs/{job_id}/artifacts/poster.jpg")).content
    assert poster[:2] == b"\xff\xd8"


async def test_torture_texts_pictures_music_and_recordings_make_a_right_film(
    http: httpx.AsyncClient, tmp_path: Path
) -> None:
    picture, other, music = (
        await upload(http, photograph()),
        await upload(http, photograph(400, 800)),
        await upload(http, tone(4)),
    )
    recording = await upload(http, tone(2.5))
    word = str(long_script(1)["script"]["title"])
    narrations = [
        f"1986. \"Quotes\", 'apostrophes': 100% of {{x}} \\N C:\\new — and **{word}**!",
        "🎬 Emoji 1️⃣ 👨‍👩‍👧 are shown; they are not spoken.",
        "月亮很远，海水却知道。",
        "مرحبا بالبحر",
    ]
    scenes = [
        {"narration": narrations[0], "title": "水 & مرحبا {y} 50%", "visual": {"kind": "card"}},
        {
            "narration": narrations[1],
            "visual": {"kind": "image", "assetId": picture, "fit": "cover", "motion": "pan-left"},
        },
        {
            "narration": narrations[2],
            "narrationAssetId": recording,
            "visual": {"kind": "image", "assetId": other, "fit": "contain"},
        },
        {
            "narration": narrations[3],
            "narrationAssetId": recording,
            "visual": {"kind": "gradient", "colors": ["#203040", "#806020"]},
        },
    ]
    request = {
        "script": {"title": f"It's: {word}\\ 100%", "scenes": scenes},
        "video": SMALL,
        "captions": {"style": "boxed"},
        "transition": {"kind": "wipe", "durationSeconds": 0.4},
        "music": {"assetId": music, "gainDb": -20},
        "watermark": {"assetId": picture, "position": "top-right", "opacity": 0.5},
    }
    job = await until(http, await create(http, request), "completed")
    film, plain = tmp_path / "film.mp4", tmp_path / "plain.mp4"
    film.write_bytes((await http.get(str(job.output_path))).content)
    without = await until(http, await create(http, {**request, "captions": {"burnIn": False}}), "completed")
    plain.write_bytes((await http.get(str(without.output_path))).content)
    timeline = (await http.get(f"/api/jobs/{job.id}/artifacts/timeline.json")).json()
    shown = {cue["sceneIndex"] for cue in timeline["cues"]}
    assert shown == {0, 1, 2, 3}
    for index in shown:  # every script is really drawn: with and without captions the picture differs where they stand
        cue = next(one for one in timeline["cues"] if one["sceneIndex"] == index)
        middle = (cue["startSeconds"] + cue["endSeconds"]) / 2
        difference = np.abs(await frame_at(film, middle) - await frame_at(plain, middle)).reshape(240, 426)
        assert (difference[150:] > 60).mean() > 0.001, index
        assert (difference[:100] > 60).mean() < 0.001, index
    captions = (await http.get(f"/api/jobs/{job.id}/artifacts/captions.vtt")).text
    assert "{x} \\N C:\\new" in captions
    assert "**" not in captions
    assert "月亮很远" in captions.replace("\n", "")


async def test_a_film_in_another_language_is_spoken_by_a_voice_of_it(http: httpx.AsyncClient) -> None:
    scenes = [{"narration": "Zweimal am Tag atmet das Meer ein."}, {"narration": "Und zweimal atmet es wieder aus."}]
    voice = {"engine": "espeak", "voice": "de"}
    request = {"script": {"language": "de", "scenes": scenes}, "voice": voice, "video": {**SMALL, "codec": "av1"}}
    job = await until(http, await create(http, request), "completed")
    assert job.output is not None
    assert job.output.video_codec == "av1"
    timeline = (await http.get(f"/api/jobs/{job.id}/artifacts/timeline.json")).json()
    words = [word["text"] for cue in timeline["cues"] for word in cue["words"]]
    assert words == " ".join(str(scene["narration"]) for scene in scenes).split()


async def test_clips_play_loop_and_stand_still_among_stills(http: httpx.AsyncClient, tmp_path: Path) -> None:
    """A short looped clip, a long one that is cut, a frozen one: between stills, with karaoke captions."""
    short, long = tmp_path / "short.mp4", tmp_path / "long.webm"
    for path, source, codec in ((short, "testsrc2=r=24:s=640x360:d=0.8", "libx264"),
                                (long, "testsrc2=r=25:s=180x320:d=5", "libvpx-vp9")):  # fmt: skip
        arguments = ["-v", "error", "-f", "lavfi", "-i", source, "-pix_fmt", "yuv420p", "-c:v", codec, str(path)]
        await runner.run(
            [*arguments[:-1], "-deadline", "realtime", "-cpu-used", "8", str(path)] if "vp9" in codec else arguments,
            stall_seconds=60,
        )
    looped, cut = await upload(http, short.read_bytes()), await upload(http, long.read_bytes())
    lines = [str(scene["narration"]) for scene in long_script(4)["script"]["scenes"]]
    visuals = [
        {"kind": "clip", "assetId": looped},
        {"kind": "gradient", "colors": ["#203040", "#806020"]},
        {"kind": "clip", "assetId": cut, "startSeconds": 1.5, "endSeconds": 4, "fit": "contain", "motion": "zoom-in"},
        {"kind": "clip", "assetId": looped, "whenShort": "freeze"},
    ]
    scenes = [{"narration": line, "visual": visual} for line, visual in zip(lines, visuals, strict=True)]
    request = {"script": {"scenes": scenes}, "video": SMALL, "captions": {"style": "karaoke"}}
    job = await until(http, await create(http, request), "completed")
    film = tmp_path / "film.mp4"
    film.write_bytes((await http.get(str(job.output_path))).content)
    timeline = (await http.get(f"/api/jobs/{job.id}/artifacts/timeline.json")).json()
    first, _, third, fourth = (scene["startFrame"] / 30 for scene in timeline["scenes"])
    moving = [np.abs(await frame_at(film, at) - await frame_at(film, at + 0.2)).mean() for at in (first + 2, third + 2)]
    assert min(moving) > 1
    upper = slice(0, 426 * 150)  # above the captions
    still = await frame_at(film, fourth + 2), await frame_at(film, fourth + 3)
    assert np.abs(still[0][upper] - still[1][upper]).mean() < 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"script": {"language": "qaa", "scenes": [{"narration": "Guten Tag."}]}}, "VOICE_UNAVAILABLE"),
        ({"script": {"scenes": [{"narration": "月亮很远。"}]}}, "VOICE_UNAVAILABLE"),
        ({"script": {"scenes": [{"narration": "Hello.", "title": "𓀀"}]}}, "GLYPH_MISSING"),
        ({"script": {"scenes": [{"narration": "word " * 900}]}, "video": {"preset": "twitter"}}, "INVALID_REQUEST"),
        ({"brief": {"topic": "How tides work"}}, "WRITER_UNAVAILABLE"),
    ],
)
async def test_what_cannot_become_a_film_fails_with_its_code(
    change: dict[str, Any], code: str, http: httpx.AsyncClient
) -> None:
    job = await until(http, await create(http, change), "failed")
    assert job.error is not None
    assert job.error.code == code
    assert job.error.remediation
    assert job.output_path is None


async def test_ranges_of_the_film_are_served(up: Up, http: httpx.AsyncClient) -> None:
    job_id = await create(http, {**long_script(1), "video": SMALL})
    job = await until(http, job_id, "completed")
    whole = await http.get(str(job.output_path))
    part = await http.get(str(job.output_path), headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert whole.headers["etag"] == f'"{job.output.sha256 if job.output else ""}"'
    assert (await http.get(str(job.output_path), headers={"If-None-Match": whole.headers["etag"]})).status_code == 304
    assert "attachment" not in whole.headers["content-disposition"]
    beyond = await http.get(str(job.output_path), headers={"Range": "bytes=99999999999-"})
    assert (beyond.status_code, beyond.json()["code"]) == (416, "RANGE_NOT_SATISFIABLE")
    for nonsense in ("bytes=5-2", "bytes=abc", "bytes=", "items=0-1", "bytes=-", "bytes=--5"):
        assert (await http.get(str(job.output_path), headers={"Range": nonsense})).status_code == 200, nonsense
    assert (await http.get(str(job.output_path), headers={"Range": "bytes=-5"})).content == whole.content[-5:]
    head = await http.head(str(job.output_path))
    assert (head.status_code, int(head.headers["content-length"])) == (200, len(whole.content))


async def test_the_same_request_again_is_answered_from_what_is_there(up: Up, http: httpx.AsyncClient) -> None:
    request = {**long_script(2), "video": SMALL}
    first = await until(http, await create(http, request), "completed")
    second = await until(http, await create(http, request), "completed")
    caches: dict[str, CacheUse | None] = {step.name: step.cache for step in second.steps}
    timeline = (await http.get(f"/api/jobs/{second.id}/artifacts/timeline.json")).json()
    segments_and_sound = len(timeline["segments"]) + 1
    found = {"tts": 2, "composition": 2, "render": segments_and_sound, "finalize": 1}
    for name, count in found.items():
        cache = caches[name]
        assert cache is not None
        assert (cache.hits, cache.misses) == (count, 0), name
    assert first.output is not None
    assert second.output is not None
    assert first.output.sha256 == second.output.sha256
