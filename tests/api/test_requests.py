"""What the API refuses, what it offers, and what is uploaded."""

import hashlib
import io
import re

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from PIL import Image

from api.app import DuplicateRoute, create_app, refuse_duplicates


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 422, "INVALID_REQUEST"),
        (b'{"script": ""}', 422, "INVALID_SCRIPT"),
        (
            b'{"script": {"scenes": [{"narration": "a", "visual": {"kind": "image", "assetId": "sha256-'
            + b"0" * 64
            + b'"}}]}}',
            422,
            "ASSET_MISSING",
        ),
        (b" " * 300_000, 413, "REQUEST_TOO_LARGE"),
    ],
)
async def test_bad_requests_are_problems(body: bytes, status: int, code: str, http: httpx.AsyncClient) -> None:
    response = await http.post("/api/jobs", content=body, headers={"content-type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["content-type"] == "application/problem+json"


def picture(image_format: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((64, 48), 50).convert("RGB").save(buffer, image_format)
    return buffer.getvalue()


async def test_assets_are_what_they_are_not_what_they_are_called(http: httpx.AsyncClient) -> None:
    noise = picture()
    good = await http.post("/api/assets", content=noise, headers={"content-type": "application/octet-stream"})
    assert good.status_code == 201
    assert {key: good.json()[key] for key in ("kind", "mediaType", "width", "height")} == {
        "kind": "image", "mediaType": "image/png", "width": 64, "height": 48,
    }  # fmt: skip
    assert good.json()["assetId"] == f"sha256-{hashlib.sha256(noise).hexdigest()}"
    for bad in (b"I am a text file.", b"", picture("JPEG")[:-300]):
        response = await http.post("/api/assets", content=bad, headers={"content-type": "image/png"})
        assert (response.status_code, response.json()["code"]) == (422, "ASSET_UNREADABLE"), bad[:20]
    text = await http.post("/api/assets", content=noise, headers={"content-type": "text/plain"})
    assert (text.status_code, text.json()["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    big = await http.post("/api/assets", content=bytes(2_000_001), headers={"content-type": "application/octet-stream"})
    assert (big.status_code, big.json()["code"]) == (413, "REQUEST_TOO_LARGE")


async def test_the_catalog_and_health(http: httpx.AsyncClient) -> None:
    presets = (await http.get("/api/presets")).json()
    assert presets["default"] in {one["slug"] for one in presets["presets"]}
    assert (await http.get("/healthz")).json() == {"status": "ok"}
    assert (await http.get("/readyz")).json() == {"status": "ready"}
    missing = await http.get("/api/nonsense")
    assert (missing.status_code, missing.json()["code"]) == (404, "NOT_FOUND")
    wrong = await http.put("/api/jobs")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "METHOD_NOT_ALLOWED")


@pytest.mark.slow
async def test_a_sample_that_no_worker_can_speak_is_refused(http: httpx.AsyncClient) -> None:
    """At once, or when a worker that has just gone is missed."""
    first = (await http.get("/api/voices")).json()["voices"][0]
    assert first["engine"] == "hibari"
    silent = await http.get(first["sample"])
    assert (silent.status_code, silent.json()["code"]) == (503, "NOT_READY")
    assert "retry-after" in silent.headers


async def test_the_documentation_loads_nothing_from_elsewhere(http: httpx.AsyncClient) -> None:
    page = (await http.get("/docs")).text
    assert "https://" not in page
    for path in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert (await http.get(path)).status_code == 200, path
    assert "/docs/static/swagger-ui-bundle.js" in page


async def test_agents_are_told_what_is_true(http: httpx.AsyncClient, api_url: str) -> None:
    async with httpx.AsyncClient(base_url=api_url) as stranger:
        answer = await stranger.get("/llms.txt")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert len(answer.text) < 4_000
    paths = create_app().openapi()["paths"]
    named = re.findall(r"`(GET|POST) (/[^`?]+)", answer.text)
    assert len(named) >= 6
    for method, path in named:
        assert method.lower() in paths[path.replace("{jobId}", "{job_id}")], path
    for address in re.findall(r"\]\((/[^)]+)\)", answer.text):
        if "{" not in address:
            assert (await http.get(address)).status_code == 200, address


async def test_the_openapi_document_describes_the_request(http: httpx.AsyncClient) -> None:
    document = (await http.get("/openapi.json")).json()
    assert "ExportRequest" in document["components"]["schemas"]
    assert {"/api/jobs", "/api/jobs/{job_id}/events", "/api/assets"} <= set(document["paths"])


def test_two_routes_for_one_path_refuse_to_boot() -> None:
    refuse_duplicates(create_app().routes)
    app = FastAPI()
    app.add_api_route("/api/jobs/{job_id}", lambda job_id: job_id)
    app.add_api_route("/api/jobs/{other}", lambda other: other)
    with pytest.raises(DuplicateRoute):
        refuse_duplicates(app.routes)
    again = APIRouter(prefix="/api/jobs")
    again.add_api_route("/{same}/events", lambda same: same)
    ours = create_app()
    ours.include_router(again)
    with pytest.raises(DuplicateRoute):
        refuse_duplicates(ours.routes)


async def test_every_asset_that_is_not_there_is_named_with_its_field(http: httpx.AsyncClient) -> None:
    missing = f"sha256-{0:064x}"
    scene = {"narration": "a", "visual": {"kind": "image", "assetId": missing}, "narrationAssetId": missing}
    fields = ("music", "watermark", "intro", "outro")
    body = {"script": {"scenes": [scene]}, **{name: {"assetId": missing} for name in fields}}
    response = await http.post("/api/jobs", json=body)
    assert response.status_code == 422
    assert {one["path"] for one in response.json()["errors"]} == {
        "script.scenes[0].visual.assetId", "script.scenes[0].narrationAssetId", *(f"{name}.assetId" for name in fields),
    }  # fmt: skip
    assert {one["code"] for one in response.json()["errors"]} == {"ASSET_MISSING"}
