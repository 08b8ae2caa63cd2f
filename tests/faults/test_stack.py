"""The whole stack with everything real: `picturelock up`, a real export, and what happens when things are killed."""

import asyncio
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import uuid
import wave
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import pytest_asyncio
from httpx_sse import aconnect_sse
from PIL import Image
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest

from cli.ports import any_free
from jobstate.connection import connect
from picturelock.media import ffmpeg
from picturelock.media.probe import probe
from picturelock.models import JobStatus

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
ANY_PORTS = ["--port", "0", "--temporal-port", "0", "--ui-port", "0"]
SMALL = {"preset": "preview", "width": 426, "height": 240}


@dataclass
class Up:
    """A running `picturelock up`."""

    data: Path
    process: asyncio.subprocess.Process
    described: dict[str, Any]

    @property
    def api(self) -> str:
        return str(self.described["api"])

    @property
    def pids(self) -> dict[str, int]:
        return dict(self.described["pids"])


async def start_up(data: Path, *options: str) -> Up:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", "up", "--data", str(data), *ANY_PORTS, "--json", *options,
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), 50)
    if not line and process.stderr:
        raise AssertionError((await process.stderr.read()).decode())
    return Up(data, process, json.loads(line))


async def stop(up: Up, how: signal.Signals = signal.SIGINT) -> int:
    up.process.send_signal(how)
    return await asyncio.wait_for(up.process.wait(), 40)


def running(pid: int) -> bool:
    """Whether a process lives (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def gone(pids: list[int]) -> None:
    async with asyncio.timeout(30):
        while any(running(pid) for pid in pids):
            await asyncio.sleep(0.05)


def ffmpegs_of(worker: int) -> list[int]:
    """The ffmpeg processes that a worker has started."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
                command = (folder / "cmdline").read_text()
            except OSError:
                continue
            if parent == worker and "ffmpeg" in command.split("\0")[0]:
                found.append(int(folder.name))
    return found


@pytest_asyncio.fixture(scope="module")
async def up(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Up]:
    started = await start_up(tmp_path_factory.mktemp("stack"))
    yield started
    if started.process.returncode is None:
        await stop(started)


@pytest_asyncio.fixture
async def http(up: Up) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=up.api, timeout=30) as client:
        yield client


def long_script(scenes: int = 4) -> dict[str, Any]:
    """New words every time: nothing of it is in any cache."""
    word = re.sub(r"\d", "", uuid.uuid4().hex)[:5] + "ing"
    lines = [
        {"narration": f"This is scene {n + 1}, and it says {word} so that it is new. It goes on for a while."}
        for n in range(scenes)
    ]
    return {"script": {"title": word, "scenes": lines}}


async def create(http: httpx.AsyncClient, request: dict[str, Any]) -> str:
    response = await http.post("/api/jobs", json=request)
    assert response.status_code == 202, response.text
    return str(response.json()["jobId"])


async def status(http: httpx.AsyncClient, job_id: str) -> JobStatus:
    return JobStatus.model_validate((await http.get(f"/api/jobs/{job_id}")).json())


async def until(http: httpx.AsyncClient, job_id: str, *states: str, progress: float = 0) -> JobStatus:
    async with asyncio.timeout(55):
        while True:
            job = await status(http, job_id)
            if job.status in states and job.progress >= progress:
                return job
            assert job.status not in {"failed", "cancelled"} or job.status in states, job.error
            await asyncio.sleep(0.05)


async def decoded_audio(path: Path) -> np.ndarray:
    done = await ffmpeg.run(
        ["-v", "error", "-i", str(path), "-ac", "1", "-ar", "8000", "-f", "f32le", "pipe:1"],
        stall_seconds=60,
        read_stdout=True,
    )
    return np.frombuffer(done.stdout, "<f4")


async def test_a_script_becomes_a_film_that_is_what_it_says(up: Up, http: httpx.AsyncClient, tmp_path: Path) -> None:
    request = {**long_script(3), "video": SMALL, "metadata": {"project": "42"}}
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
    probed = await probe(film, count_packets=True)
    video, audio = probed.first("video"), probed.first("audio")
    assert video is not None
    assert audio is not None
    assert (video.codec_name, video.profile, video.pix_fmt, audio.codec_name) == ("h264", "High", "yuv420p", "aac")
    assert video.nb_read_packets == timeline["totalFrames"] == sum(one["frames"] for one in timeline["segments"])
    assert abs((video.duration or 0) - timeline["totalFrames"] / timeline["fps"]) <= 1 / timeline["fps"]

    black = await ffmpeg.run(
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


def photograph(width: int = 900, height: int = 600) -> bytes:
    """Something with the detail of a photograph, as JPEG."""
    rng = np.random.default_rng(width)
    small = rng.integers(40, 220, (height // 30, width // 30, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def tone(seconds: float) -> bytes:
    """A recording: a wavering tone as WAV."""
    at = np.arange(int(seconds * 16_000)) / 16_000
    samples = (np.sin(2 * np.pi * 180 * at) * (0.3 + 0.2 * np.sin(2 * np.pi * 3 * at)) * 20_000).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(samples.tobytes())
    return buffer.getvalue()


async def upload(http: httpx.AsyncClient, data: bytes) -> str:
    response = await http.post("/api/assets", content=data)
    assert response.status_code == 201, response.text
    return str(response.json()["assetId"])


async def frame_at(film: Path, seconds: float) -> np.ndarray:
    arguments = [
        "-v",
        "error",
        "-ss",
        f"{seconds}",
        "-i",
        str(film),
        "-frames:v",
        "1",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "gray",
        "pipe:1",
    ]
    done = await ffmpeg.run(arguments, stall_seconds=60, read_stdout=True)
    return np.frombuffer(done.stdout, np.uint8).astype(np.int16)


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


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"script": {"language": "de", "scenes": [{"narration": "Guten Tag."}]}}, "VOICE_UNAVAILABLE"),
        ({"script": {"scenes": [{"narration": "月亮很远。"}]}}, "VOICE_UNAVAILABLE"),
        ({"script": {"scenes": [{"narration": "Hello.", "title": "𓀀"}]}}, "GLYPH_MISSING"),
        ({"script": {"scenes": [{"narration": "word " * 900}]}, "video": {"preset": "twitter"}}, "INVALID_REQUEST"),
        ({"brief": {"topic": "Gezeiten", "language": "de"}}, "WRITER_UNAVAILABLE"),
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
    head = await http.head(str(job.output_path))
    assert (head.status_code, int(head.headers["content-length"])) == (200, len(whole.content))


async def test_the_same_request_again_is_answered_from_what_is_there(up: Up, http: httpx.AsyncClient) -> None:
    request = {**long_script(2), "video": SMALL}
    first = await until(http, await create(http, request), "completed")
    second = await until(http, await create(http, request), "completed")
    details = {step.name: step.detail for step in second.steps}
    assert details["render"] is not None
    assert details["render"].cache_misses == 0
    assert first.output is not None
    assert second.output is not None
    assert first.output.sha256 == second.output.sha256


async def test_a_killed_worker_costs_nothing_but_time(up: Up, http: httpx.AsyncClient) -> None:
    job_id = await create(http, long_script(2))
    await until(http, job_id, "running", progress=14)
    worker = json.loads((up.data / "stack.json").read_text())["pids"]["worker"]
    children = ffmpegs_of(worker)
    floor = (await status(http, job_id)).progress
    os.kill(worker, signal.SIGKILL)
    await gone([worker, *children])
    job = await status(http, job_id)
    assert job.status == "running"
    done = await until(http, job_id, "completed")
    assert done.progress == 100
    assert floor > 12


async def test_a_killed_api_and_server_come_back_with_every_job(up: Up, http: httpx.AsyncClient) -> None:
    job_id = await create(http, {**long_script(2), "video": SMALL})
    await until(http, job_id, "running", "completed")
    pids = json.loads((up.data / "stack.json").read_text())["pids"]
    for name in ("api", "temporal"):
        os.kill(pids[name], signal.SIGKILL)
    await gone([pids["api"], pids["temporal"]])
    async with asyncio.timeout(50):
        while True:
            try:
                job = await status(http, job_id)
                if job.status == "completed":
                    break
            except (httpx.HTTPError, ValueError):
                pass
            await asyncio.sleep(0.1)
    assert (await http.get(str(job.output_path))).status_code == 200


async def test_cancel_leaves_no_ffmpeg(up: Up, http: httpx.AsyncClient) -> None:
    job_id = await create(http, long_script(3))
    await until(http, job_id, "running", progress=14)
    worker = json.loads((up.data / "stack.json").read_text())["pids"]["worker"]
    children = ffmpegs_of(worker)
    assert children
    started = asyncio.get_running_loop().time()
    await http.post(f"/api/jobs/{job_id}/cancel")
    await until(http, job_id, "cancelled")
    assert asyncio.get_running_loop().time() - started < 10
    await gone(children)


async def command(up_or_data: Path, *arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", *arguments, "--data", str(up_or_data), cwd=ROOT,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 55)
    return process.returncode or 0, output.decode()


async def test_the_command_line_exports_lists_and_refuses(up: Up, tmp_path: Path) -> None:
    script = tmp_path / "film.md"
    script.write_text(f"# Film\n\nA short word about {long_script(1)['script']['title']}.\n")
    film = tmp_path / "out.mp4"
    code, output = await command(up.data, "export", str(script), "--output", str(film), "--preset", "preview")
    assert code == 0, output
    assert (await probe(film)).first("video") is not None
    code, output = await command(up.data, "jobs", "--limit", "5")
    assert code == 0
    assert "completed" in output
    bad = tmp_path / "bad.md"
    bad.write_text("# Film\n\n## Empty\n")
    code, output = await command(up.data, "export", str(bad))
    assert code == 2
    assert "INVALID_SCRIPT" in output
    assert "Traceback" not in output
    code, output = await command(tmp_path / "nothing-here", "jobs")
    assert (code, "picturelock up" in output) == (2, True)


async def test_one_folder_one_stack(up: Up) -> None:
    code, output = await command(up.data, "up", *ANY_PORTS)
    assert code == 2
    assert "another stack" in output


async def test_ctrl_c_ends_everything_and_the_data_survive(up: Up, http: httpx.AsyncClient) -> None:
    job_id = await create(http, {**long_script(1), "video": SMALL})
    done = await until(http, job_id, "completed")
    pids = list(json.loads((up.data / "stack.json").read_text())["pids"].values())
    assert await stop(up) == 0
    await gone(pids)
    assert not (up.data / "stack.json").exists()
    again = await start_up(up.data)
    try:
        async with httpx.AsyncClient(base_url=again.api, timeout=30) as client:
            job = await status(client, job_id)
            assert (job.status, job.output) == ("completed", done.output)
            assert (await client.get(str(job.output_path))).status_code == 200
    finally:
        await stop(again, signal.SIGTERM)
    await gone(list(again.pids.values()))


async def test_a_killed_supervisor_leaves_nobody_behind(tmp_path: Path) -> None:
    started = await start_up(tmp_path / "data")
    started.process.kill()
    await started.process.wait()
    await gone(list(started.pids.values()))


async def test_ports_move_on_and_closed_jobs_stay_ninety_days(tmp_path: Path) -> None:
    taken = [any_free() for _ in range(3)]
    sockets = [socket.create_server(("127.0.0.1", port)) for port in taken]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", "up", "--data", str(tmp_path / "data"), "--json", "--workers", "2",
        "--port", str(taken[0]), "--temporal-port", str(taken[1]), "--ui-port", str(taken[2]),
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    up = Up(tmp_path / "data", process, json.loads(await asyncio.wait_for(process.stdout.readline(), 50)))
    try:
        for port in taken:
            assert f"port {port} is taken" in (await process.stderr.readline()).decode()
        assert set(up.pids) == {"temporal", "worker", "worker-2", "api"}
        assert not {int(str(up.described[name]).rsplit(":", 1)[1]) for name in ("api", "temporal", "ui")} & set(taken)
        client = await connect(environment={"TEMPORAL_ADDRESS": str(up.described["temporal"])})
        described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
        assert described.config.workflow_execution_retention_ttl.ToTimedelta().days == 90
        async with httpx.AsyncClient() as http:
            assert (await http.get(str(up.described["ui"]))).status_code == 200
            assert (await http.get(f"{up.api}/docs")).status_code == 200
    finally:
        await stop(up)
        for one in sockets:
            one.close()
    await gone(list(up.pids.values()))


async def test_ctrl_c_during_start_up_ends_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", "up", "--data", str(data), *ANY_PORTS, "--json",
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    async with asyncio.timeout(20):
        while not (data / "logs" / "temporal.log").exists():
            await asyncio.sleep(0.01)
    process.send_signal(signal.SIGINT)
    output, errors = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0, errors.decode()
    assert output == b""
