"""Files that are in the store already, as an earlier version may have taken them: at their use they do no harm."""

from pathlib import Path
from typing import Any

import pytest

from picturelock.models import Asset, JobStatus
from picturelock.store.owned_assets import OwnedAssets
from tests.faults.stack import SMALL, create, until
from tests.security import hostile
from tests.security.conftest import Guarded
from tests.security.hostile import Maker, film, png, tone
from tests.security.watching import ALONE, MB, watched

pytestmark = [pytest.mark.slow]
MEMORY = 1_024 * MB
HEALTHZ_WITHIN = 0.3 if ALONE else 3.0


async def smuggled(guarded: Guarded, data: bytes, folder: Path, **said: Any) -> str:
    """The id of a file that was never looked at: it is what somebody says."""
    path = folder / "smuggled"
    path.write_bytes(data)
    ref = await guarded.store.put_file(path, said.get("media_type", "application/octet-stream"))
    asset = Asset.model_validate(
        {"assetId": f"sha256-{ref.sha256}", "sizeBytes": len(data), "mediaType": ref.media_type, **said}
    )
    await guarded.store.put_asset(asset)
    await OwnedAssets(guarded.store).add("victim", asset)
    return asset.asset_id


def speaking(asset_id: str) -> dict[str, Any]:
    return {
        "script": {"scenes": [{"narration": "Hello there.", "narrationAssetId": asset_id}]},
        "video": {"preset": "podcast"},
    }


def showing(kind: str, asset_id: str) -> dict[str, Any]:
    scene = {"narration": "Hello there.", "visual": {"kind": kind, "assetId": asset_id}}
    return {"script": {"scenes": [scene]}, "video": SMALL}


def marked(asset_id: str) -> dict[str, Any]:
    return {"script": {"scenes": [{"narration": "Hello there."}]}, "video": SMALL, "watermark": {"assetId": asset_id}}


def under_music(asset_id: str) -> dict[str, Any]:
    return {
        "script": {"scenes": [{"narration": "Hello."}]},
        "video": {"preset": "podcast"},
        "music": {"assetId": asset_id},
    }


AUDIO = {"kind": "audio", "mediaType": "audio/mpeg", "durationSeconds": 10.0}
CLIP = {"kind": "clip", "mediaType": "video/mp4", "durationSeconds": 10.0, "width": 64, "height": 48}
IMAGE = {"kind": "image", "mediaType": "image/png", "width": 64, "height": 48}


async def fails(guarded: Guarded, request: dict[str, Any]) -> JobStatus:
    """The attack costs little, and another film is made meanwhile."""
    words = {
        "script": {"scenes": [{"narration": f"Film {request['script']['scenes'][0]} goes on."[:90]}]},
        "video": SMALL,
    }
    pids = list(guarded.up.pids.values())
    async with watched(guarded.up.api, pids) as cost:
        good = await create(guarded.other, words)
        job = await until(guarded.http, await create(guarded.http, request), "failed", "completed")
        await until(guarded.other, good, "completed")
    assert cost.taken < MEMORY
    assert cost.slowest < HEALTHZ_WITHIN
    assert guarded.up.pids == dict(guarded.up.described["pids"])
    if job.error is not None:
        assert str(guarded.up.data) not in job.model_dump_json()
    return job


@pytest.mark.parametrize("face", ["MP3", "AAC"])
async def test_a_file_with_two_faces_reads_no_other_file(face: str, guarded: Guarded, tmp_path: Path) -> None:
    tone(tmp_path, "private.m4a", seconds=2)
    frames = {"MP3": hostile.MP3_FRAMES, "AAC": hostile.AAC_FRAMES}[face]
    asset = await smuggled(guarded, hostile.two_faces(tmp_path / "private.m4a", frames), tmp_path, **AUDIO)
    job = await fails(guarded, speaking(asset))
    assert job.status == "failed", "the noise of the frames is no recording"
    assert job.error is not None
    assert job.error.code == "ASSET_UNREADABLE"


@pytest.mark.parametrize("name", ["hls", "ffconcat", "subfile", "concat-protocol", "imf"])
async def test_a_list_of_other_files_reads_none(name: str, guarded: Guarded, tmp_path: Path) -> None:
    tone(tmp_path, "private.m4a")
    data = hostile.LISTS[name].format(private=tmp_path / "private.m4a").encode()
    job = await fails(guarded, speaking(await smuggled(guarded, data, tmp_path, **AUDIO)))
    assert job.error is not None
    assert job.error.code == "ASSET_UNREADABLE"


HOURS = {**AUDIO, "durationSeconds": 14_000.0}


def bomb_clip(folder: Path) -> bytes:
    return hostile.painted(folder, 14_000)


BOMBS: dict[str, tuple[Maker, dict[str, Any], Any]] = {
    "a picture of 196 megapixels": (lambda _: png(14_000, 14_000), IMAGE, lambda one: showing("image", one)),
    "a watermark of 196 megapixels": (lambda _: png(14_000, 14_000), IMAGE, marked),
    "packed BMP": (lambda _: hostile.packed_bmp(), IMAGE, lambda one: showing("image", one)),
    "a clip of 196 megapixels": (bomb_clip, CLIP, lambda one: showing("clip", one)),
    "60 million pictures": (lambda _: hostile.sample_tables(), CLIP, lambda one: showing("clip", one)),
    "an hour of recording": (lambda _: hostile.slow_wav(3_600), {**AUDIO, "durationSeconds": 3_600.0}, speaking),
    "tags": (lambda _: hostile.matroska_tags(), AUDIO, speaking),
    "silence without end as music": (lambda _: hostile.slow_wav(14_000), HOURS, under_music),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
async def test_a_bomb_costs_little(name: str, guarded: Guarded, tmp_path: Path) -> None:
    make, said, request = BOMBS[name]
    job = await fails(guarded, request(await smuggled(guarded, make(tmp_path), tmp_path, **said)))
    assert job.error is not None
    assert job.error.code == "ASSET_UNREADABLE"


LARGE: dict[str, tuple[Maker, dict[str, Any], Any]] = {
    "49 megapixels": (lambda _: png(7_000, 7_000), IMAGE, lambda one: showing("image", one)),
    "a watermark of 49 megapixels": (lambda _: png(7_000, 7_000), IMAGE, marked),
    "a clip of 49 megapixels": (lambda folder: hostile.painted(folder, 7_000), CLIP, lambda one: showing("clip", one)),
    "a clip of ours": (film, CLIP, lambda one: showing("clip", one)),
}  # fmt: skip


@pytest.mark.parametrize("name", LARGE)
async def test_what_is_large_is_used(name: str, guarded: Guarded, tmp_path: Path) -> None:
    """The control, and what the limits allow costs no more either."""
    make, said, request = LARGE[name]
    job = await fails(guarded, request(await smuggled(guarded, make(tmp_path), tmp_path, **said)))
    assert job.status == "completed", job.error
