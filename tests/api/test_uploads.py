"""Uploads by a form, and in pieces that can be taken up again."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from PIL import Image
from starlette.requests import Request
from starlette.types import Message
from temporalio.testing import WorkflowEnvironment

from api.uploads import receive
from picturelock.client import AsyncClient
from picturelock.errors import StoreUnavailable
from picturelock.models import Asset
from picturelock.store.partial_uploads import KEPT_FOR, PartialUpload, PartialUploads, UploadGone
from picturelock.store.store import Store
from tests.api.conftest import Installation, installed

PIECE = {"content-type": "application/offset+octet-stream"}
FORM = {"content-type": "multipart/form-data; boundary=b"}


def picture(side: int = 64) -> bytes:
    """A picture of noise: about as many bytes as it has pixels, and no two alike."""
    buffer = io.BytesIO()
    Image.effect_noise((side, side), 50).save(buffer, "PNG")
    return buffer.getvalue()


def id_of(data: bytes) -> str:
    return f"sha256-{hashlib.sha256(data).hexdigest()}"


async def begun(http: httpx.AsyncClient, length: int) -> str:
    answer = await http.post("/api/uploads", headers={"upload-length": str(length), "tus-resumable": "1.0.0"})
    assert (answer.status_code, answer.headers["tus-resumable"]) == (201, "1.0.0")
    assert answer.headers["upload-expires"].endswith("GMT")
    return answer.headers["location"]


async def sent(http: httpx.AsyncClient, place: str, offset: int, data: bytes) -> httpx.Response:
    return await http.patch(place, content=data, headers={**PIECE, "upload-offset": str(offset)})


async def offset_of(http: httpx.AsyncClient, place: str) -> int:
    answer = await http.head(place)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    return int(answer.headers["upload-offset"])


async def test_the_file_of_a_form_is_taken(http: httpx.AsyncClient) -> None:
    data = picture()
    answer = await http.post("/api/assets", files={"anything": ("a.png", data)}, data={"note": "of no concern"})
    assert (answer.status_code, answer.json()["assetId"]) == (201, id_of(data))


@pytest.mark.parametrize(
    ("body", "media", "said"),
    [
        (b"--b\r\nContent-Disposition: form-data; name=file\r\n\r\nwords\r\n--b--\r\n", FORM, "has no file"),
        (b"--b\r\nContent-Disposition: form-data; name=f; filename=a\r\n\r\nhalf", FORM, "breaks off"),
        (b"no form at all", FORM, "damaged"),
        (b"x", {"content-type": "multipart/form-data; boundary=" + "x" * 300}, "boundary is none"),
        (b"", FORM, "breaks off"),
        (b"--b--", {"content-type": "multipart/form-data"}, "boundary"),
        (
            b"".join(b"--b\r\nContent-Disposition: form-data; name=f; filename=a\r\n\r\n1\r\n" for _ in "ab")
            + b"--b--\r\n",
            FORM,
            "more than one file",
        ),
    ],
)
async def test_a_form_that_is_none_is_refused(
    body: bytes, media: dict[str, str], said: str, http: httpx.AsyncClient
) -> None:
    answer = await http.post("/api/assets", content=body, headers=media)
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_FORM")
    assert said in answer.json()["detail"]


async def test_a_form_has_the_same_limits(http: httpx.AsyncClient) -> None:
    for files, fields in (({"file": bytes(2_000_001)}, {}), ({"file": picture()}, {"note": "x" * 65_537})):
        answer = await http.post("/api/assets", files=files, data=fields)
        assert (answer.status_code, answer.json()["code"]) == (413, "REQUEST_TOO_LARGE")


async def test_a_form_without_an_end_is_cut_off(installation: Installation, http: httpx.AsyncClient) -> None:
    """Parts without data, and line ends before the first: nothing of it is a file, and all of it counts."""

    async def endless(piece: bytes) -> AsyncIterator[bytes]:
        for _ in range(2_200_000 // len(piece)):
            yield piece

    for piece in (b"\r\n" * 30_000, b"--b\r\nContent-Disposition: form-data; name=n\r\n\r\n\r\n" * 1_000):
        answer = await http.post("/api/assets", content=endless(piece), headers=FORM)
        assert (answer.status_code, answer.json()["code"]) == (413, "REQUEST_TOO_LARGE"), answer.text


async def test_a_form_of_another_site_is_refused(http: httpx.AsyncClient) -> None:
    """A browser asks nobody before it sends one."""
    elsewhere = {"origin": "https://elsewhere.example", "sec-fetch-site": "cross-site"}
    answer = await http.post("/api/assets", files={"file": picture()}, headers=elsewhere)
    assert (answer.status_code, answer.json()["code"]) == (403, "CROSS_SITE")


async def test_pieces_make_a_file(http: httpx.AsyncClient) -> None:
    data = picture()
    place = await begun(http, len(data))
    half = len(data) // 2
    first = await sent(http, place, 0, data[:half])
    assert (first.status_code, first.headers["upload-offset"]) == (204, str(half))
    assert "upload-asset-id" not in first.headers
    assert await offset_of(http, place) == half
    last = await sent(http, place, half, data[half:])
    assert (last.status_code, last.headers["upload-asset-id"]) == (204, id_of(data))
    state = (await http.get(place)).json()
    assert (state["offset"], state["sizeBytes"], state["asset"]["width"]) == (len(data), len(data), 64)
    assert (await http.get(f"/api/assets/{id_of(data)}")).status_code == 200
    again = await sent(http, place, len(data), b"")
    assert again.headers["upload-asset-id"] == id_of(data), "an answer that was lost is given again"


async def test_a_piece_has_to_go_on_where_the_last_one_ended(http: httpx.AsyncClient) -> None:
    data = picture()
    place = await begun(http, len(data))
    await sent(http, place, 0, data[:100])
    for offset in (0, 99, 101):
        answer = await sent(http, place, offset, data[offset:])
        assert (answer.status_code, answer.json()["code"]) == (409, "OFFSET_MISMATCH")
        assert answer.headers["upload-offset"] == "100"
    long = await sent(http, place, 100, bytes(len(data)))
    assert (long.status_code, long.json()["code"]) == (413, "REQUEST_TOO_LARGE")
    assert await offset_of(http, place) == 100
    assert (await sent(http, place, 100, data[100:])).headers["upload-asset-id"] == id_of(data)


async def test_what_came_before_the_line_broke_is_kept(
    http: httpx.AsyncClient, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.uploads.PART_BYTES", 1_000)
    data = picture()
    place = await begun(http, len(data))
    host, port = installation.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = (
        f"PATCH {place} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {http.headers['authorization']}\r\n"
        f"Content-Type: {PIECE['content-type']}\r\nUpload-Offset: 0\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    writer.write(head.encode() + data[:1_000])
    await writer.drain()
    async with asyncio.timeout(20):
        while await offset_of(http, place) == 0:
            await asyncio.sleep(0.02)
    writer.close()
    await writer.wait_closed()
    assert await offset_of(http, place) == 1_000
    assert (await sent(http, place, 1_000, data[1_000:])).headers["upload-asset-id"] == id_of(data)


async def test_a_break_loses_nothing_that_was_read(store: Store) -> None:
    uploads, upload = await stretches(store)
    coming: list[Message] = [
        {"type": "http.request", "body": DATA[:7], "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive_next() -> Message:
        return coming.pop(0)

    await receive(Request({"type": "http", "method": "PATCH", "headers": []}, receive_next), upload, 0, uploads)
    assert await uploads.received(upload) == 7


async def test_another_server_takes_the_next_piece(temporal: WorkflowEnvironment, tmp_path: Path) -> None:
    data = picture()
    async with (
        installed(temporal, tmp_path) as one,
        installed(temporal, tmp_path) as two,
        await one.client("owner") as first,
        await two.client("owner") as second,
    ):
        place = await begun(first, len(data))
        await sent(first, place, 0, data[:500])
        assert await offset_of(second, place) == 500
        assert (await sent(second, place, 500, data[500:])).headers["upload-asset-id"] == id_of(data)
        assert (await first.get(place)).json()["asset"]["assetId"] == id_of(data)


async def test_what_is_no_picture_is_forgotten(http: httpx.AsyncClient) -> None:
    place = await begun(http, 17)
    answer = await sent(http, place, 0, b"I am a text file.")
    assert (answer.status_code, answer.json()["code"]) == (422, "ASSET_UNREADABLE")
    gone = await http.get(place)
    assert (gone.status_code, gone.json()["code"]) == (404, "UPLOAD_MISSING")


async def test_an_upload_is_its_owner_s(http: httpx.AsyncClient, installation: Installation) -> None:
    data = picture()
    place = await begun(http, len(data))
    async with await installation.client("second") as other, await installation.client("first", "read") as reader:
        for answer in (await other.get(place), await sent(other, place, 0, data), await other.delete(place)):
            assert (answer.status_code, answer.json()["code"]) == (404, "UPLOAD_MISSING")
        assert (await other.head(place)).status_code == 404
        assert (await reader.get(place)).json()["code"] == "SCOPE_MISSING"
    assert await offset_of(http, place) == 0
    assert (await http.delete(place)).status_code == 204
    assert (await http.head(place)).status_code == 404


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 422, "INVALID_REQUEST"),
        ({"upload-length": "many"}, 422, "INVALID_REQUEST"),
        ({"upload-length": "-1"}, 422, "INVALID_REQUEST"),
        ({"upload-length": "0"}, 422, "ASSET_UNREADABLE"),
        ({"upload-length": "2000001"}, 413, "REQUEST_TOO_LARGE"),
        ({"upload-length": "10", "tus-resumable": "0.2.2"}, 412, "TUS_VERSION"),
    ],
)
async def test_what_cannot_be_announced(
    headers: dict[str, str], status: int, code: str, http: httpx.AsyncClient
) -> None:
    answer = await http.post("/api/uploads", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_piece_of_another_kind_is_refused(http: httpx.AsyncClient) -> None:
    place = await begun(http, 10)
    answer = await http.patch(place, content=b"0", headers={"content-type": "image/png", "upload-offset": "0"})
    assert (answer.status_code, answer.json()["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert (await http.patch(place, content=b"0", headers=PIECE)).json()["code"] == "OFFSET_MISMATCH"


async def test_what_is_spoken_is_told(http: httpx.AsyncClient) -> None:
    answer = await http.options("/api/uploads")
    assert answer.status_code == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert answer.headers["tus-extension"] == "creation,expiration,termination"
    assert answer.headers["tus-max-size"] == "2000000"


async def test_what_is_on_its_way_counts(temporal: WorkflowEnvironment, tmp_path: Path) -> None:
    async with (
        installed(temporal, tmp_path, max_owner_bytes=1_000) as installation,
        await installation.client("collector") as client,
    ):
        place = await begun(client, 600)
        refused = await client.post("/api/uploads", headers={"upload-length": "600"})
        assert (refused.status_code, refused.json()["limit"]) == (429, "uploadedBytes")
        await client.delete(place)
        await begun(client, 600)


async def test_an_owner_s_data_has_what_is_on_its_way(temporal: WorkflowEnvironment, tmp_path: Path) -> None:
    async with installed(temporal, tmp_path) as installation, await installation.client("leaver") as client:
        place = await begun(client, 600)
        assert (await client.delete("/api/owners/leaver")).status_code == 200
        assert (await client.head(place)).status_code == 404


async def test_the_client_sends_large_files_in_pieces(
    http: httpx.AsyncClient, installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("picturelock.client.asynchronous._PIECE_BYTES", 20_000)
    file = tmp_path / "large.png"
    file.write_bytes(picture(256))
    async with AsyncClient(installation.url, http.headers["authorization"].removeprefix("Bearer ")) as client:
        assert await client.upload(file) == id_of(file.read_bytes())
    names = await installation.store.list_notes("uploads/first")
    kept = [await PartialUploads(installation.store).find("first", name.split("/")[0]) for name in names]
    assert any(upload and upload.asset and upload.asset.asset_id == id_of(file.read_bytes()) for upload in kept)


ASSET = Asset(asset_id="sha256-" + "0" * 64, kind="image", media_type="image/png", size_bytes=30, width=1, height=1)


async def stretches(store: Store, *kept: tuple[int, bytes]) -> tuple[PartialUploads, PartialUpload]:
    uploads = PartialUploads(store)
    upload = await uploads.create("owner", 30)
    for start, data in kept:
        await uploads.write(upload, start, data)
    return uploads, upload


DATA = bytes(range(30))


@pytest.mark.parametrize(
    ("kept", "received"),
    [
        ([], 0),
        ([(0, 10), (10, 20)], 20),
        ([(0, 10), (5, 20), (20, 30)], 30),
        ([(0, 20), (5, 10), (10, 30)], 30),
        ([(0, 20), (0, 5)], 20),
        ([(0, 30), (0, 1), (0, 10)], 30),
        ([(0, 10), (11, 30)], 10),
        ([(5, 30)], 0),
    ],
)
async def test_stretches_may_overlap(kept: list[tuple[int, int]], received: int, store: Store, tmp_path: Path) -> None:
    uploads, upload = await stretches(store, *((start, DATA[start:end]) for start, end in kept))
    assert await uploads.received(upload) == received
    if received == 30:
        await uploads.assemble(upload, tmp_path / "whole")
        assert (tmp_path / "whole").read_bytes() == DATA
    else:
        with pytest.raises(StoreUnavailable):
            await uploads.assemble(upload, tmp_path / "whole")


async def test_nothing_is_left_of_what_was_finished_or_is_old(store: Store) -> None:
    uploads, upload = await stretches(store, (0, DATA))
    finished = await uploads.finish(upload, ASSET)
    assert await uploads.find("owner", upload.upload_id) == finished
    assert await store.list_notes(f"uploads/owner/{upload.upload_id}/parts") == []
    assert await uploads.bytes_of("owner") == 0
    _, other = await stretches(store, (0, DATA[:5]))
    assert await uploads.bytes_of("owner") == 30
    await uploads.remove(other)
    assert await store.list_notes(f"uploads/owner/{other.upload_id}") == []
    assert await uploads.delete_older(datetime.now(UTC) - timedelta(minutes=1)) == 0
    assert await uploads.delete_older(datetime.now(UTC) + timedelta(minutes=1)) == 1
    assert await uploads.all("owner") == []


async def test_what_was_removed_stays_removed(store: Store) -> None:
    uploads, upload = await stretches(store, (0, DATA))
    await uploads.remove(upload)
    with pytest.raises(UploadGone):
        await uploads.write(upload, 0, DATA)
    await uploads.finish(upload, ASSET)
    assert await store.list_notes("uploads/owner") == []


async def test_a_part_that_was_cut_is_no_part_of_a_file(store: Store, tmp_path: Path) -> None:
    uploads, upload = await stretches(store, (0, DATA[:10]), (10, DATA[10:]))
    [first, _] = sorted(await store.list_notes(f"uploads/owner/{upload.upload_id}/parts"))
    await store.put_note(f"uploads/owner/{upload.upload_id}/parts/{first}", DATA[:9])
    with pytest.raises(StoreUnavailable):
        await uploads.assemble(upload, tmp_path / "whole")


async def test_an_owner_leaves_nothing_on_its_way(store: Store) -> None:
    uploads, upload = await stretches(store, (0, DATA))
    await store.delete_note(f"uploads/owner/{upload.upload_id}/upload.json")
    await uploads.remove_all("owner")
    assert await store.list_notes("uploads") == []


async def test_an_upload_expires(store: Store) -> None:
    uploads, upload = await stretches(store)
    old = upload.model_copy(update={"created_at": datetime.now(UTC) - KEPT_FOR})
    await store.put_note(f"uploads/owner/{upload.upload_id}/upload.json", old.model_dump_json().encode())
    assert await uploads.find("owner", upload.upload_id) is None
