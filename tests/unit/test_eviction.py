"""Eviction: within the size, the least recently used first, and never what an open export may have seen."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picturelock.errors import DiskFull
from picturelock.models import ArtifactRef, Asset, Model, Sound
from picturelock.settings import Settings
from picturelock.store.eviction import Evictor, _Entry, choose
from picturelock.store.store import Store

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


async def sound(store: Store, key: str, size: int, hours_ago: float) -> ArtifactRef:
    """A cached sound of so many bytes that was used so long ago."""
    ref = await store.put_bytes(key.encode().ljust(size, b"."), "audio/mp4")
    await store.remember("sound", key, Sound(artifact=ref, duration_seconds=1, loudness_lufs=-16, true_peak_dbtp=-2))
    for path in (Path("records/sound") / f"{key}.json", Path("blobs") / ref.sha256[:2] / ref.sha256):
        when = (NOW - hours_ago * HOUR).timestamp()
        os.utime(Path(urlsplit(store.location).path) / path, (when, when))
    return ref


async def found(store: Store, key: str) -> bool:
    return await store.recall("sound", key, Sound) is not None


def evictor(store: Store, max_bytes: int, hours: float = 0) -> Evictor:
    return Evictor(store, max_bytes, clock=lambda: NOW + hours * HOUR)


async def test_the_least_recently_used_goes_in_two_steps(store: Store) -> None:
    old, middle, new = [await sound(store, key, 1_000, hours) for key, hours in (("a", 9), ("b", 5), ("c", 2))]
    first = await evictor(store, 2_500).run(None)
    assert (first.forgotten, first.deleted, first.cached_bytes) == (1, 0, 3_000)
    assert [await found(store, key) for key in "abc"] == [False, True, True]
    assert await store.has(old)  # a job that has just found it goes on
    second = await evictor(store, 2_500, 1).run(None)
    assert (second.forgotten, second.deleted, second.deleted_bytes) == (0, 1, 1_000)
    assert [await store.has(one) for one in (old, middle, new)] == [False, True, True]
    assert await store.list_records("evicted", "sound") == []


async def test_nothing_goes_that_an_open_export_may_have_seen(store: Store) -> None:
    ref = await sound(store, "a", 1_000, 9)
    await evictor(store, 100).run(NOW - HOUR)
    for later in (1, 24, 24 * 7):
        assert (await evictor(store, 100, later).run(NOW - HOUR)).deleted == 0
    assert await store.has(ref)
    assert (await evictor(store, 100, 200).run(NOW + HOUR)).deleted == 1
    assert not await store.has(ref)


async def test_a_slow_run_protects_those_who_found_a_record_before_its_turn(store: Store) -> None:
    """The run begins, an export begins ten minutes later and finds the record, and only then it is forgotten."""
    ref = await sound(store, "a", 1_000, 9)
    moments = iter([NOW, NOW, NOW + HOUR / 3])  # begun, about to be forgotten, gone
    await Evictor(store, 100, clock=lambda: next(moments)).run(None)
    assert (await evictor(store, 100, 5).run(NOW + HOUR / 6)).deleted == 0
    assert await store.has(ref)


async def test_what_is_made_again_meanwhile_stays(store: Store, tmp_path: Path) -> None:
    ref = await sound(store, "a", 1_000, 9)
    await evictor(store, 100).run(None)
    path = tmp_path / "again"
    path.write_bytes(await store.read(ref))
    assert (await store.put_file(path, "audio/mp4")).sha256 == ref.sha256  # it is there, but old: it is put again
    assert (await evictor(store, 100, 1).run(None)).deleted == 0
    assert await store.has(ref)
    assert (await evictor(store, 100, 3).run(None)).deleted == 1  # nobody came back for it


async def test_a_young_file_whose_put_was_skipped_stays_until_its_record_is_there(store: Store) -> None:
    ref = await sound(store, "a", 1_000, 0.5)
    await evictor(store, 100).run(None)
    assert (await evictor(store, 100, 1).run(None)).deleted == 0
    assert await store.has(ref)


async def test_a_file_that_another_record_needs_stays(store: Store) -> None:
    ref = await sound(store, "a", 1_000, 9)
    other = Sound(artifact=ref, duration_seconds=1, loudness_lufs=-16, true_peak_dbtp=-2)
    await evictor(store, 500).run(None)
    await store.remember("sound", "other", other)
    assert (await evictor(store, 5_000, 1).run(None)).deleted == 0
    assert await store.has(ref)


async def test_an_upload_of_the_same_bytes_stays(store: Store) -> None:
    ref = await sound(store, "a", 1_000, 9)
    asset = Asset(asset_id=f"sha256-{ref.sha256}", kind="audio", media_type="audio/mp4", size_bytes=1_000)
    await store.put_asset(asset)
    await evictor(store, 100).run(None)
    await evictor(store, 100, 5).run(None)
    assert await store.has(ref)
    assert await store.list_records("evicted", "sound") == []


async def test_a_record_that_is_forgotten_twice_leaves_no_file_behind(store: Store) -> None:
    first = await sound(store, "a", 1_000, 9)
    await evictor(store, 100).run(NOW - HOUR)
    other = await store.put_bytes(b"another voice", "audio/mp4")
    await store.remember("sound", "a", Sound(artifact=other, duration_seconds=1, loudness_lufs=-16, true_peak_dbtp=-2))
    assert (await evictor(store, 1, 5).run(NOW - HOUR)).forgotten == 1
    await evictor(store, 1, 9).run(None)
    assert [await store.has(one) for one in (first, other)] == [False, False]


async def test_what_is_young_or_published_is_no_matter_of_size(store: Store) -> None:
    young = await sound(store, "a", 5_000, 0.1)
    film = await store.put_bytes(b"x" * 9_000, "video/mp4")
    assert (await evictor(store, 10).run(None)).forgotten == 0
    assert await store.has(young)
    assert await store.has(film)


async def test_use_makes_young(store: Store) -> None:
    await sound(store, "a", 1_000, 9)
    await sound(store, "b", 1_000, 5)
    assert await found(store, "a")
    await evictor(store, 1_500).run(None)
    assert [await found(store, key) for key in "ab"] == [True, False]


Entries = st.lists(st.tuples(st.integers(0, 30), st.lists(st.integers(0, 8), min_size=1, max_size=3)))


@given(Entries, st.integers(0, 400))
def test_what_is_left_fits_or_is_young(rows: list[tuple[int, list[int]]], most: int) -> None:
    def file(number: int) -> ArtifactRef:
        return ArtifactRef(sha256=f"{number:064d}", size_bytes=10 * number + 1, media_type="x/y")

    entries = [
        _Entry("sound", str(key), NOW - timedelta(minutes=age), tuple(file(one) for one in files))
        for key, (age, files) in enumerate(rows)
    ]
    before = NOW - timedelta(minutes=15)
    forgotten = choose(entries, most, before)
    kept = [one for one in entries if one not in forgotten]
    size = sum({one.sha256: one.size_bytes for entry in kept for one in entry.files}.values())
    assert size <= most or all(one.used_at >= before for one in kept if one.files)
    assert all(one.used_at < before for one in forgotten)
    assert [one.used_at for one in forgotten] == sorted(one.used_at for one in forgotten)


def test_an_empty_cache_is_fine() -> None:
    assert choose([], 0, NOW) == []
    with pytest.raises(ValueError, match="greater than or equal to 0"):
        Settings(cache_max_bytes=-1)


class FullStore(Store):
    """A store in which there is no room for another note."""

    async def remember_evicted(self, kind: str, key: str, value: Model) -> None:
        raise DiskFull("the artifact store is full")


async def test_a_full_store_is_helped_at_once_and_loses_nothing_that_another_record_needs(tmp_path: Path) -> None:
    store = FullStore((tmp_path / "store").as_uri(), tmp_path / "scratch")
    shared = await sound(store, "a", 1_000, 9)
    alone = await sound(store, "b", 1_000, 8)
    await store.remember("sound", "c", Sound(artifact=shared, duration_seconds=1, loudness_lufs=-16, true_peak_dbtp=-2))
    with pytest.raises(DiskFull):  # somebody may just read what would go
        await evictor(store, 1_500).run(NOW - HOUR)
    done = await evictor(store, 1_500).run(None)
    assert (done.cached_bytes, done.forgotten, done.deleted, done.deleted_bytes) == (2_000, 2, 1, 1_000)
    assert [await found(store, key) for key in "abc"] == [False, False, True]
    assert [await store.has(ref) for ref in (shared, alone)] == [True, False]


async def test_a_note_that_nobody_can_read_stops_no_later_run(store: Store) -> None:
    await sound(store, "a", 1_000, 9)
    await evictor(store, 100).run(None)
    note = Path(urlsplit(store.location).path) / "evicted" / "sound" / "broken.json"
    note.write_text('{"at": "yester')
    assert (await evictor(store, 100, 3).run(None)).deleted == 1
    assert not note.exists()


async def test_an_upload_is_no_deleted_file(store: Store) -> None:
    ref = await sound(store, "a", 1_000, 9)
    await store.put_asset(
        Asset(asset_id=f"sha256-{ref.sha256}", kind="audio", media_type="audio/mp4", size_bytes=1_000)
    )
    await evictor(store, 100).run(None)
    done = await evictor(store, 100, 3).run(None)
    assert (done.deleted, done.deleted_bytes) == (0, 0)
    assert await store.has(ref)
    assert await store.list_records("evicted", "sound") == []
