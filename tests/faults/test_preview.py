"""A film that is watched while it is made, by the whole real stack; workers die meanwhile."""

import asyncio
import io
import os
import signal
from pathlib import Path

import httpx
import pytest
from PIL import Image

from picturelock.ffmpeg.packets import read_packets
from tests.faults.stack import SMALL, Up, create, gone, long_script, start_up, status, stop, until

pytestmark = pytest.mark.slow


def pieces(playlist: str) -> list[str]:
    return [line for line in playlist.splitlines() if line and not line.startswith("#")]


async def fragments(http: httpx.AsyncClient, job_id: str, playlist: str) -> bytes:
    header = playlist.partition('URI="')[2].partition('"')[0]
    answers = [await http.get(f"/api/jobs/{job_id}/{path}") for path in [header, *pieces(playlist)]]
    assert {answer.status_code for answer in answers} == {200}
    if "#EXT-X-ENDLIST" in playlist:  # before, the draft of the sound may have given way to the master
        assert all("immutable" in answer.headers["cache-control"] for answer in answers)
    return b"".join(answer.content for answer in answers)


async def test_the_beginning_grows_though_a_worker_dies_and_is_the_film(tmp_path: Path) -> None:
    up = await start_up(tmp_path / "data", "--workers", "2")
    async with httpx.AsyncClient(base_url=up.api, timeout=30) as http:
        job_id = await create(http, {**long_script(12), "video": SMALL})
        early = await http.get(f"/api/jobs/{job_id}/preview.m3u8")
        assert (early.status_code, early.json()["code"]) == (409, "NOT_PLAYABLE_YET")
        assert early.headers["retry-after"] == "1"
        seen: list[str] = []
        first = b""
        killed = False
        while (job := await status(http, job_id)).status != "completed":
            assert job.status in {"queued", "running"}
            answer = await http.get(job.links.preview)
            if answer.status_code == 200 and "EVENT" in answer.text:
                now = [path.partition("?")[0] for path in pieces(answer.text)]
                assert now[: len(seen)] == seen
                assert "#EXT-X-ENDLIST" not in answer.text
                first = first or await fragments(http, job_id, answer.text)
                seen = now
                if not killed:
                    victim = next(pid for name, pid in up.pids.items() if name.startswith("worker"))
                    os.kill(victim, signal.SIGKILL)
                    await gone([victim])
                    killed = True
            await asyncio.sleep(0.1)
        assert killed
        assert len(seen) >= 2
        whole = await http.get(job.links.preview)
        assert "#EXT-X-PLAYLIST-TYPE:VOD" in whole.text
        assert whole.text.endswith("#EXT-X-ENDLIST\n")
        played, film = tmp_path / "played.mp4", tmp_path / "film.mp4"
        played.write_bytes(await fragments(http, job_id, whole.text))
        film.write_bytes((await http.get(str(job.output_path))).content)
        begun = tmp_path / "begun.mp4"
        begun.write_bytes(first)
        assert (await read_packets(played)).digests == (await read_packets(film)).digests
        heard = (await read_packets(begun)).digests
        assert heard == (await read_packets(film)).digests[: len(heard)]
        strip = (await http.get(job.links.segments)).json()
        states = [segment["state"] for segment in strip["segments"]]
        assert set(states) <= {"made", "found"}  # what the dead worker had made is found
        assert states.count("made") > len(states) // 2
        assert strip["previewSeconds"] == pytest.approx(strip["totalFrames"] / strip["fps"], abs=0.001)
        assert sum(segment["frames"] for segment in strip["segments"]) == strip["totalFrames"]
        picture = await http.get(strip["segments"][0]["thumbnail"])
        assert picture.headers["content-type"] == "image/jpeg"
        assert "immutable" in picture.headers["cache-control"]
        assert max(Image.open(io.BytesIO(picture.content)).size) == 160
    await stop(up)


async def test_again_every_segment_was_there_already(up: Up, http: httpx.AsyncClient) -> None:
    request = {**long_script(2), "video": SMALL}
    await until(http, await create(http, request), "completed")
    again = await create(http, {**request, "metadata": {"second": "time"}})
    job = await until(http, again, "completed")
    strip = (await http.get(job.links.segments)).json()
    assert {segment["state"] for segment in strip["segments"]} == {"found"}
    assert all(segment["thumbnail"] for segment in strip["segments"])


@pytest.mark.parametrize("video", [{"preset": "podcast"}, {**SMALL, "codec": "vp9"}])
async def test_what_is_no_mp4_with_pictures_has_no_preview(
    video: dict[str, object], up: Up, http: httpx.AsyncClient
) -> None:
    job = await until(http, await create(http, {**long_script(1), "video": video}), "completed")
    answer = await http.get(job.links.preview)
    assert (answer.status_code, answer.json()["code"]) == (404, "PREVIEW_NOT_OFFERED")
    assert answer.json()["jobId"] == job.id


async def test_a_segment_that_is_not_there_is_not_found(up: Up, http: httpx.AsyncClient) -> None:
    job = await until(http, await create(http, {**long_script(1), "video": SMALL}), "completed")
    for path in ("preview/nothing.m4s", "segments/nothing/thumbnail"):
        answer = await http.get(f"/api/jobs/{job.id}/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "SEGMENT_NOT_FOUND")
    without = await http.get(f"/api/jobs/{job.id}/preview/init.mp4")
    assert "immutable" not in without.headers["cache-control"]
