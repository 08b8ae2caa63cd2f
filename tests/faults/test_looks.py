"""What an export would be, and how its scenes look, asked of a running service."""

import io
import os
import signal
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.faults.stack import SMALL, Up, create, long_script, start_up, stop, until, upload

pytestmark = pytest.mark.slow


async def test_a_plan_says_what_then_happens(up: Up, http: httpx.AsyncClient) -> None:
    request = {**long_script(2), "video": SMALL}
    before = (await http.post("/api/plan", json=request)).json()
    assert before["narrations"] == {"found": 0, "missing": 2}
    assert before["film"] == {"found": 0, "missing": 1}
    assert before["exact"] is False
    assert [scene["narrationFound"] for scene in before["scenes"]] == [False, False]
    job = await until(http, await create(http, request), "completed")
    assert job.output is not None
    after = (await http.post("/api/plan", json=request)).json()
    assert [after[name]["missing"] for name in ("narrations", "pictures", "segments", "sound", "film")] == [0] * 5
    assert (after["sha256"], after["sizeBytes"], after["etaSeconds"]) == (job.output.sha256, job.output.size_bytes, 0)
    assert after["durationSeconds"] == pytest.approx(job.output.duration_seconds, abs=0.05)
    listed = (await http.get("/api/jobs")).json()["jobs"]
    assert all(one["title"] for one in listed)  # a plan is no job


async def test_stills_show_the_scenes_as_they_are_drawn(up: Up, http: httpx.AsyncClient) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (400, 300), (210, 20, 20)).save(buffer, "PNG")
    red = await upload(http, buffer.getvalue())
    scenes = [
        {"narration": "One.", "visual": {"kind": "image", "assetId": red, "motion": "none"}},
        {"title": "Two", "narration": "Two.", "blocks": [{"kind": "list", "items": ["Wind", "Rain"]}]},
    ]
    body = {"script": {"scenes": scenes}, "theme": "paper"}
    first, second = [await http.post(f"/api/stills?scene={number}", json=body) for number in (1, 2)]
    assert first.headers["content-type"] == second.headers["content-type"] == "image/jpeg"
    shown = np.asarray(Image.open(io.BytesIO(first.content)).convert("RGB"), np.float64)
    assert shown.shape == (360, 640, 3)
    assert shown[150:210, 280:360, 0].mean() > 2 * shown[150:210, 280:360, 1:].mean()
    card = np.asarray(Image.open(io.BytesIO(second.content)).convert("L"), np.float64)
    bare = {**body, "script": {"scenes": [{"narration": "Two."}]}}
    plain = (await http.post("/api/stills?scene=1", json=bare)).content
    assert card.mean() > 150  # paper is light
    assert np.abs(card - np.asarray(Image.open(io.BytesIO(plain)).convert("L"), np.float64)).max() > 60
    again = await http.post("/api/stills?scene=1", json=body)
    assert again.headers["etag"] == first.headers["etag"]


async def test_a_wide_table_that_does_not_fit_is_refused_with_its_scene(up: Up, http: httpx.AsyncClient) -> None:
    wide = {"kind": "table", "header": [f"Column {n}" for n in range(12)], "rows": [["a long cell of text"] * 12] * 12}
    body = {"script": {"scenes": [{"narration": "One."}, {"narration": "Two.", "blocks": [wide]}]}}
    answer = await http.post("/api/stills?scene=2", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_SCRIPT")


@pytest.mark.parametrize("path", ["/api/plan", "/api/stills"])
async def test_what_an_export_would_be_refused_for_is_refused(path: str, up: Up, http: httpx.AsyncClient) -> None:
    unknown = await http.post(path, json={"script": {"scenes": [{"narration": "One."}]}, "nonsense": 1})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "INVALID_REQUEST")
    assert unknown.json()["errors"][0]["path"] == "nonsense"
    gone = {"kind": "image", "assetId": "sha256-" + "0" * 64}
    missing = await http.post(path, json={"script": {"scenes": [{"narration": "One.", "visual": gone}]}})
    assert (missing.status_code, missing.json()["code"]) == (422, "ASSET_MISSING")
    nobody = {"script": {"scenes": [{"narration": "One."}]}, "voice": {"voice": "nobody"}}
    answer = await http.post("/api/plan", json=nobody)
    assert (answer.status_code, answer.json()["code"]) == (422, "VOICE_UNAVAILABLE")
    text = await http.post(path, content="script", headers={"content-type": "text/plain"})
    assert text.status_code == 415


async def test_a_scene_that_is_not_there_is_refused(up: Up, http: httpx.AsyncClient) -> None:
    body = {"script": {"scenes": [{"narration": "One."}]}}
    answer = await http.post("/api/stills?scene=2", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")
    podcast = await http.post("/api/stills", json={**body, "video": {"preset": "podcast"}})
    assert (podcast.status_code, podcast.json()["code"]) == (422, "INVALID_REQUEST")


async def test_without_a_worker_it_says_so(tmp_path: Path) -> None:
    up = await start_up(tmp_path / "data")
    os.kill(up.pids["worker"], signal.SIGSTOP)
    async with httpx.AsyncClient(base_url=up.api, timeout=60) as http:
        answer = await http.post("/api/plan", json={"script": {"scenes": [{"narration": "One."}]}})
        assert (answer.status_code, answer.json()["code"]) == (503, "NOT_READY")
        assert answer.headers["retry-after"] == "2"
    os.kill(up.pids["worker"], signal.SIGCONT)
    await stop(up)
