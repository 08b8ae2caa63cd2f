"""The store on a real S3 server: the same promises, with copies that are verified."""

import asyncio
import os
from pathlib import Path

import httpx
import pytest

from picturelock.errors import StoreUnavailable
from picturelock.store.store import Store
from tests.faults.s3 import CREDENTIALS

pytestmark = pytest.mark.slow


async def test_files_come_back_whole_from_s3(s3: str, tmp_path: Path) -> None:
    store = Store("s3://media/test", tmp_path / "scratch")
    path = tmp_path / "film"
    path.write_bytes(os.urandom(12_000_000))
    ref = await store.put_file(path, "video/mp4")
    assert await store.has(ref)
    local = await store.local(ref)
    assert local.read_bytes() == path.read_bytes()
    assert await store.local(ref) == local
    refs = await asyncio.gather(*(store.put_bytes(b"same", "text/plain") for _ in range(8)))
    assert len(set(refs)) == 1
    signed = await store.sign(ref, 60)
    assert signed is not None
    async with httpx.AsyncClient() as client:
        answer = await client.get(signed, headers={"Range": "bytes=0-9"})
    assert (answer.status_code, answer.content) == (206, path.read_bytes()[:10])


async def test_a_store_that_is_away_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT": "http://127.0.0.1:9", "AWS_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StoreUnavailable):
        await Store("s3://media/test", tmp_path).check_there()
