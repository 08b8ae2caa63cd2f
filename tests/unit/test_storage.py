"""The store: whole or not there, the same thing twice is harmless, damage is seen."""

import asyncio
import shutil
import socket
import time
from pathlib import Path

import pytest

from picturelock.cli.ports import any_free
from picturelock.errors import ArtifactLost, AssetMissing, StoreUnavailable
from picturelock.models import ArtifactRef, Asset
from picturelock.store import hashing
from picturelock.store.hashing import cache_key, sha256_of
from picturelock.store.store import Store
from tests.fake_s3 import CREDENTIALS, FakeS3


async def test_what_is_put_can_be_read(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 3_000_000)
    ref = await store.put_file(path, "text/plain")
    assert ref.sha256 == sha256_of(path)
    assert await store.read(ref) == path.read_bytes()
    assert (await store.local(ref)).read_bytes() == path.read_bytes()
    assert b"".join([chunk async for chunk in store.stream(ref, 5, 2_500_000)]) == path.read_bytes()[5:2_500_000]


async def test_many_may_put_the_same_at_once(store: Store) -> None:
    refs = await asyncio.gather(*(store.put_bytes(b"same", "text/plain") for _ in range(20)))
    assert len(set(refs)) == 1
    assert await store.has(refs[0])


async def test_a_file_that_is_too_short_is_not_there(store: Store) -> None:
    ref = await store.put_bytes(b"whole", "text/plain")
    (await store.local(ref)).write_bytes(b"ha")
    assert not await store.has(ref)


async def test_a_lost_file_is_said(store: Store) -> None:
    lost = ArtifactRef(sha256="0" * 64, size_bytes=1, media_type="text/plain")
    with pytest.raises(ArtifactLost):
        await store.local(lost)


async def test_a_record_of_another_shape_counts_as_none(store: Store) -> None:
    await store.remember("thing", "key", ArtifactRef(sha256="0" * 64, size_bytes=1, media_type="a"))
    assert await store.recall("thing", "key", Asset) is None
    assert await store.recall("thing", "other", Asset) is None
    assert await store.recall("thing", "key", ArtifactRef) is not None


async def test_an_unknown_asset_is_missing(store: Store) -> None:
    with pytest.raises(AssetMissing):
        await store.asset("sha256-" + "0" * 64)


def test_keys_do_not_run_into_each_other() -> None:
    assert cache_key("ab", "c") != cache_key("a", "bc")


async def test_a_copy_is_what_its_hash_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = FakeS3()
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT": server.url}.items():
        monkeypatch.setenv(name, value)
    store = Store("s3://media/here", tmp_path / "one")
    ref = await store.put_bytes(b"a film", "video/mp4")
    assert (await store.local(ref)).read_bytes() == b"a film"
    [path] = server.objects
    server.objects[path] = b"a fiLm"
    with pytest.raises(ArtifactLost, match="damaged"):
        await Store("s3://media/here", tmp_path / "two").local(ref)
    assert list((tmp_path / "two" / "copies").iterdir()) == []
    assert server.objects == {}, "it is not found again"
    server.stop()


@pytest.mark.parametrize("damage", [b"x", b"", b"Whole", None])
async def test_a_damaged_file_is_as_good_as_none_and_is_put_again(store: Store, damage: bytes | None) -> None:
    ref = await store.put_bytes(b"whole", "text/plain")
    path = await store.local(ref)
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)
    assert not await store.has(ref)
    with pytest.raises(ArtifactLost):
        await store.local(ref)
    again = path.with_name("again")
    again.write_bytes(b"whole")
    assert await store.put_file(again, "text/plain") == ref
    assert await store.has(ref)
    assert (await store.local(ref)).read_bytes() == b"whole"


async def test_an_intact_file_is_hashed_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ref = await store.put_bytes(b"whole", "text/plain")
    hashed: list[Path] = []
    real = hashing.sha256_of

    def noting(path: Path) -> str:
        hashed.append(path)
        return real(path)

    monkeypatch.setattr(hashing, "sha256_of", noting)
    for _ in range(3):
        assert await store.has(ref)
        await store.local(ref)
    assert len(hashed) == 1


@pytest.mark.slow
async def test_a_store_that_hangs_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and says nothing
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        for name, value in {**CREDENTIALS, "AWS_ENDPOINT": endpoint}.items():
            monkeypatch.setenv(name, value)
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            await Store("s3://media/here", tmp_path).put_bytes(b"a film", "video/mp4")
        assert time.monotonic() - began < 15


@pytest.mark.slow
async def test_why_a_store_does_not_answer_is_said_without_its_path(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "store"
    shutil.rmtree(folder)
    folder.touch()
    with pytest.raises(StoreUnavailable) as caught:
        await store.put_bytes(b"x", "text/plain")
    assert caught.value.message == "the artifact store does not answer: Not a directory"
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT": f"http://127.0.0.1:{any_free()}"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StoreUnavailable) as caught:
        await Store("s3://media/here", tmp_path / "scratch").put_bytes(b"x", "text/plain")
    assert caught.value.message == "the artifact store does not answer: Connection refused"
