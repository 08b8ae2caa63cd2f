"""A worker's copies: whole, bounded, and none that is in use goes."""

import os
import time
from pathlib import Path

import pytest

from picturelock.store.file_cache import FileCache


async def copy(copies: FileCache, name: str, size: int, hours_ago: float = 0) -> None:
    async with copies.create(name) as path:
        path.write_bytes(bytes(size))
    found = copies.find(name)
    assert found is not None
    when = time.time() - hours_ago * 3_600
    os.utime(found, (when, when))


async def test_the_least_recently_asked_for_goes_first(tmp_path: Path) -> None:
    copies = FileCache(tmp_path / "copies", 2_500)
    for name, hours in (("old", 9), ("middle", 5), ("new", 2)):
        await copy(copies, name, 1_000, hours)
    copies.prune()
    assert sorted(path.name for path in (tmp_path / "copies").iterdir()) == ["middle", "new"]
    assert copies.find("old") is None


async def test_what_was_asked_for_lately_stays_whatever_the_size(tmp_path: Path) -> None:
    copies = FileCache(tmp_path / "copies", 10)
    await copy(copies, "one", 1_000)
    await copy(copies, "two", 1_000)
    copies.prune()
    assert copies.find("one")
    assert copies.find("two")


async def test_what_was_not_finished_is_no_copy(tmp_path: Path) -> None:
    copies = FileCache(tmp_path / "copies", 1_000)

    async def fail_half_way() -> None:
        async with copies.create("one") as path:
            path.write_bytes(b"half")
            raise ValueError("damaged")

    with pytest.raises(ValueError, match="damaged"):
        await fail_half_way()
    assert copies.find("one") is None
    assert list((tmp_path / "copies").iterdir()) == []


async def test_a_copy_that_is_pinned_stays_under_its_second_name(tmp_path: Path) -> None:
    copies, hardlink_into = FileCache(tmp_path / "copies", 10), tmp_path / "film"
    hardlink_into.mkdir()
    await copy(copies, "one", 1_000)
    pinned = copies.find("one", hardlink_into)
    assert pinned == hardlink_into / "one"
    assert copies.find("one", hardlink_into) == pinned  # once more is fine
    when = time.time() - 3_600
    os.utime(pinned, (when, when))
    copies.prune()
    assert copies.find("one") is None
    assert pinned.stat().st_size == 1_000
