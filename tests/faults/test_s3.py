"""The store on a real S3 server: the same promises, with copies that are verified."""

import asyncio
import os
import subprocess
import sysconfig
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from cli.ports import is_free
from picturelock.errors import StoreUnavailable
from picturelock.storage import Store

pytestmark = pytest.mark.slow
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "devkey", "AWS_SECRET_ACCESS_KEY": "devsecret"}


def port_block() -> int:
    """The first of ports that are free, with their gRPC twins 10,000 above."""
    for base in range(21_000, 40_000, 20):
        if all(is_free(base + offset) and is_free(base + offset + 10_000) for offset in range(6)):
            return base
    raise AssertionError("no free ports")


@pytest_asyncio.fixture(scope="module")
async def s3(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The endpoint of a running SeaweedFS with a bucket named media."""
    base = port_block()
    weed = Path(sysconfig.get_path("scripts")) / "weed"
    names = ["-s3.port", "-filer.port", "-master.port", "-volume.port"]
    ports = [f"{name}={base + offset}" for offset, name in enumerate(names)]
    arguments = [
        "mini",
        f"-dir={tmp_path_factory.mktemp('weed')}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-bucket=media",
    ]
    process = await asyncio.create_subprocess_exec(
        str(weed), *arguments, *ports, "-s3.port.iceberg=0", "-webdav=false", "-admin.ui=false",
        env={**os.environ, **CREDENTIALS}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    endpoint = f"http://127.0.0.1:{base}"
    patch = pytest.MonkeyPatch()
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT": endpoint, "AWS_REGION": "us-east-1"}.items():
        patch.setenv(name, value)
    async with asyncio.timeout(40):
        while True:
            try:
                await Store("s3://media/ready", tmp_path_factory.mktemp("s")).check_writable()
                break
            except StoreUnavailable:
                await asyncio.sleep(0.2)
    yield endpoint
    patch.undo()
    process.terminate()
    await asyncio.wait_for(process.wait(), 20)


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
        await Store("s3://media/test", tmp_path).check_writable()
