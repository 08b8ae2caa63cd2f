"""Stock and generated pictures: asked for over HTTP, kept as assets, told in the manifest, never made up."""

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import SecretStr

from picturelock.composition.visuals.pexels import Pexels
from picturelock.composition.visuals.provide import PictureProvider
from picturelock.composition.visuals.source import VisualSource, demands, sources
from picturelock.errors import NotOffered, PictureFailed, PicturelockError, PictureUnavailable
from picturelock.ffmpeg import runner
from picturelock.models import ExportRequest, Script, Visual
from picturelock.models.script import PictureSource
from picturelock.settings import Settings
from picturelock.store.store import Store
from tests.film_maker import FilmMaker, quiet
from tests.servers import FakeServer, Reply

Serve = Callable[[list[Reply]], FakeServer]


def jpeg(width: int = 640, height: int = 360, shade: int = 90) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((height, width, 3), shade, np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()


def photo(url: str, number: int, width: int = 640, height: int = 360) -> dict[str, object]:
    return {
        "id": number, "width": width, "height": height, "url": f"https://stock.example/photo/{number}",
        "photographer": f"Photographer {number}", "photographer_url": "https://stock.example/@someone",
        "src": {"original": f"{url}/file/{number}.jpg"}, "alt": "",
    }  # fmt: skip


def stock(server: FakeServer) -> dict[PictureSource, VisualSource]:
    return {"stock": Pexels(server.url, "the-key")}


def script_of(*visuals: dict[str, object] | None) -> Script:
    scenes = [{"narration": f"Scene {number} is told.", "title": "Harbour", "visual": visual} for number, visual in
              enumerate(visuals)]  # fmt: skip
    return Script.model_validate({"title": "Tides", "scenes": scenes})


def provider(
    available: dict[PictureSource, VisualSource], store: Store, scratch: Path, pictures: PictureSource = "auto"
) -> PictureProvider:
    return PictureProvider(available, pictures, (640, 360), store, scratch, 10**6)


def serve_photos(fake_server: Serve, sizes: list[tuple[int, int]], picture: bytes) -> FakeServer:
    server = fake_server([Reply(200, {"photos": []})])
    listing = {"photos": [photo(server.url, number, *size) for number, size in enumerate(sizes)]}
    server.routes |= {"/v1/search": Reply(200, listing), "/file/": Reply(200, picture, "image/jpeg")}
    return server


async def test_a_photo_is_looked_for_kept_and_attributed(fake_server: Serve, store: Store, scratch: Path) -> None:
    server = serve_photos(fake_server, [(300, 200), (1920, 1080)], jpeg())
    asking = provider(stock(server), store, scratch)
    filled = await asking.fill(script_of({"kind": "image", "query": "harbour at dawn"}), quiet)
    visual = filled.scenes[0].visual
    assert visual is not None
    assert visual.query is None
    asset, _ = await store.asset(visual.asset_id or "")
    assert (asset.kind, asset.width) == ("image", 640)
    search, download = server.requests
    assert search.path.startswith("/v1/search?query=harbour+at+dawn")
    assert "orientation=landscape" in search.path
    assert search.headers["authorization"] == "the-key"
    assert download.path == "/file/1.jpg"  # the first one is too small
    assert "authorization" not in download.headers
    assert asking.attributions[0].author == "Photographer 1"
    assert asking.attributions[0].url == "https://stock.example/photo/1"
    again = provider(stock(server), store, scratch)
    assert (await again.fill(script_of({"kind": "image", "query": "harbour at dawn"}), quiet)) == filled
    assert again.attributions == asking.attributions
    assert len(server.requests) == 2


async def test_the_same_wish_twice_gets_two_pictures(fake_server: Serve, store: Store, scratch: Path) -> None:
    server = serve_photos(fake_server, [(640, 360), (800, 450)], jpeg())
    wish: dict[str, object] = {"kind": "image", "query": "harbour"}
    await provider(stock(server), store, scratch).fill(script_of(wish, wish), quiet)
    assert {one.path for one in server.requests if one.path.startswith("/file")} == {"/file/0.jpg", "/file/1.jpg"}


async def test_a_preview_shows_the_pictures_of_the_film(fake_server: Serve, store: Store, scratch: Path) -> None:
    server = serve_photos(fake_server, [(1280, 720), (4000, 3000)], jpeg())
    script = script_of({"kind": "image", "query": "harbour"})
    first, second = [
        await PictureProvider(stock(server), "auto", size, store, scratch, 10**6).fill(script, quiet)
        for size in ((1280, 720), (3840, 2160))
    ]
    assert first == second
    assert len(server.requests) == 2


@pytest.mark.parametrize("file", [jpeg()[:400], b"<html></html>", b"", b"GIF89a"])
async def test_a_file_that_is_no_picture_is_the_sources_fault_not_the_clients(
    fake_server: Serve, store: Store, scratch: Path, file: bytes
) -> None:
    server = serve_photos(fake_server, [(1920, 1080)], file)
    with pytest.raises(PictureUnavailable, match="pexels delivered"):
        await provider(stock(server), store, scratch).fill(script_of({"kind": "image", "query": "waves"}), quiet)
    asking = provider(stock(server), store, scratch)
    assert (await asking.fill(script_of(None), quiet)).scenes[0].visual is None
    assert len(asking.warnings) == 1


async def test_every_stretch_of_a_file_is_an_advance(fake_server: Serve, store: Store, scratch: Path) -> None:
    server = serve_photos(fake_server, [(1920, 1080)], jpeg(1600, 1200))
    told: list[str] = []
    await provider(stock(server), store, scratch).fill(
        script_of({"kind": "image", "query": "waves"}), lambda _share, message: told.append(message)
    )
    assert told[0].startswith("Looking for")
    assert told[1].endswith("(0.0 MB)")
    assert len(told) >= 3


async def test_a_clip_is_taken_in_the_smallest_size_that_fills_the_frame(fake_server: Serve, tmp_path: Path) -> None:
    path = tmp_path / "stock.mp4"
    source = ["-f", "lavfi", "-i", "testsrc2=r=30:s=640x360:d=2", "-pix_fmt", "yuv420p"]
    await runner.run(["-v", "error", *source, str(path)], stall_seconds=30)
    server = fake_server([Reply(200, {})])
    files = [
        {"link": f"{server.url}/{width}.mp4", "file_type": "video/mp4", "width": width, "height": width * 9 // 16}
        for width in (320, 3840, 640, 1280)
    ]
    listing = {"videos": [{"url": "https://stock.example/video/7", "user": {"name": "Someone"}, "video_files": files}]}
    server.replies[:] = [Reply(200, listing), Reply(200, path.read_bytes(), "video/mp4")]
    studio = FilmMaker(tmp_path / "studio", stock(server))
    request = ExportRequest(script=script_of({"kind": "clip", "query": "waves"}))
    request = request.model_copy(update={"video": request.video.model_copy(update={"width": 640, "height": 360})})
    plan, _ = await studio.plan(request)
    assert server.requests[0].path.startswith("/videos/search?")
    assert server.requests[1].path == "/640.mp4"
    assert plan.pictures[0].clip is not None
    assert plan.attributions[0].author == "Someone"


@pytest.mark.parametrize("as_url", [False, True])
async def test_a_model_makes_a_picture(fake_server: Serve, store: Store, scratch: Path, *, as_url: bool) -> None:
    server = fake_server([Reply(200, {})])
    answer = {"url": f"{server.url}/made.jpg"} if as_url else {"b64_json": base64.b64encode(jpeg()).decode()}
    server.replies[:] = [Reply(200, {"data": [answer]}), Reply(200, jpeg(), "image/jpeg")]
    available = sources(
        Settings(image_base_url=server.url + "/v1", image_api_key=SecretStr("k"), image_model="painter")
    )
    asking = provider(available, store, scratch)
    filled = await asking.fill(script_of({"kind": "image", "prompt": "A lighthouse"}), quiet)
    visual = filled.scenes[0].visual
    assert visual is not None
    assert visual.asset_id is not None
    body = json.loads(server.requests[0].body)
    assert (server.requests[0].path, body["model"], body["size"]) == ("/v1/images/generations", "painter", "1536x1024")
    assert body["prompt"].endswith("A lighthouse")
    assert server.requests[0].headers["authorization"] == "Bearer k"
    assert (asking.attributions[0].source, asking.attributions[0].prompt) == ("generated by painter", "A lighthouse")


async def test_without_keys_there_are_cards(store: Store, scratch: Path) -> None:
    available = sources(Settings())
    assert available == {}
    script = script_of(None, None)
    assert await provider(available, store, scratch).fill(script, quiet) == script


async def test_with_a_key_scenes_without_a_visual_get_pictures(fake_server: Serve, store: Store, scratch: Path) -> None:
    server = serve_photos(fake_server, [(640, 360), (640, 360)], jpeg())
    filled = await provider(stock(server), store, scratch).fill(script_of(None, {"kind": "card"}), quiet)
    assert [scene.visual.kind if scene.visual else None for scene in filled.scenes] == ["image", "card"]
    assert "query=Harbour+Tides" in server.requests[0].path


async def test_auto_shows_a_card_where_nothing_is_found_and_says_so(
    fake_server: Serve, store: Store, scratch: Path
) -> None:
    server = fake_server([Reply(200, {"photos": []})])
    asking = provider(stock(server), store, scratch)
    assert (await asking.fill(script_of(None), quiet)).scenes[0].visual is None
    assert asking.warnings == ["scene 1 shows a title card: pexels has nothing for 'Harbour Tides'"]


@pytest.mark.parametrize("pictures", ["stock", "auto"])
async def test_what_was_asked_for_is_never_replaced(
    fake_server: Serve, store: Store, scratch: Path, pictures: PictureSource
) -> None:
    server = fake_server([Reply(200, {"photos": []})])
    visual: dict[str, object] | None = None if pictures == "stock" else {"kind": "image", "query": "nothing"}
    with pytest.raises(PictureUnavailable, match="has nothing for"):
        await provider(stock(server), store, scratch, pictures).fill(script_of(visual), quiet)


def test_what_an_installation_has_no_source_for_is_named_with_the_setting() -> None:
    script = script_of({"kind": "image", "query": "x y"}, {"kind": "image", "prompt": "x y"}, None)
    assert demands(script, "stock") == [
        ("script.scenes[0].visual.query", "stock"),
        ("script.scenes[1].visual.prompt", "generated"),
        ("pictures", "stock"),
    ]
    assert [path for path, _ in demands(script, "auto")] == [
        "script.scenes[0].visual.query",
        "script.scenes[1].visual.prompt",
    ]


async def test_a_wish_without_a_source_is_refused(store: Store, scratch: Path) -> None:
    with pytest.raises(NotOffered, match="PICTURELOCK_PEXELS_API_KEY"):
        await provider({}, store, scratch).fill(script_of({"kind": "image", "query": "waves"}), quiet)


@pytest.mark.parametrize(
    ("reply", "error", "outage"),
    [
        (Reply(429, {"error": "slow down"}), PictureFailed, True),
        (Reply(503, {}), PictureFailed, True),
        (Reply(401, {"error": "who are you"}), PictureUnavailable, False),
        (Reply(200, b"<html>", "text/html"), PictureFailed, False),
        (Reply(200, {"photos": [{"nonsense": 1}]}), PictureFailed, False),
        (Reply(200, {"photos": [{"width": 1, "height": 1, "url": ""}]}), PictureUnavailable, False),
    ],
)
async def test_every_bad_answer_has_a_code(
    fake_server: Serve, store: Store, scratch: Path, reply: Reply, error: type[PicturelockError], outage: bool
) -> None:
    with pytest.raises(error) as caught:
        await provider(stock(fake_server([reply])), store, scratch).fill(
            script_of({"kind": "image", "query": "waves"}), quiet
        )
    assert caught.value.outage is outage


async def test_a_file_that_is_too_large_is_not_taken(fake_server: Serve, store: Store, scratch: Path) -> None:
    server = serve_photos(fake_server, [(640, 360)], b"x" * 1_100_000)
    with pytest.raises(PictureUnavailable, match="larger than"):
        await provider(stock(server), store, scratch).fill(script_of({"kind": "image", "query": "waves"}), quiet)


async def test_nobody_listening_may_pass(store: Store, scratch: Path) -> None:
    available: dict[PictureSource, VisualSource] = {"stock": Pexels("http://127.0.0.1:9", "k")}
    with pytest.raises(PictureFailed) as caught:
        await provider(available, store, scratch).fill(script_of({"kind": "image", "query": "waves"}), quiet)
    assert caught.value.outage


@pytest.mark.parametrize(
    "visual",
    [
        {"kind": "image"},
        {"kind": "image", "query": "a b", "prompt": "a b"},
        {"kind": "card", "query": "a b"},
        {"kind": "clip", "prompt": "a b"},
        {"kind": "image", "assetId": "sha256-" + "0" * 64, "query": "a b"},
    ],
)
def test_a_picture_has_one_origin(visual: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"assetId|prompt"):
        Visual.model_validate(visual)
