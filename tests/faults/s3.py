"""A real S3 server (SeaweedFS), started for the tests that need one."""

import asyncio
import os
import subprocess
import sysconfig
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from picturelock.cli.ports import is_free
from picturelock.errors import StoreUnavailable
from picturelock.store.store import Store

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "devkey", "AWS_SECRET_ACCESS_KEY": "devsecret"}


def port_block() -> int:
    """The first of ports that are free, with their gRPC twins 10,000 above."""
    for base in range(21_000, 40_000, 20):
        if all(is_free(base + offset) and is_free(base + offset + 10_000) for offset in range(6)):
            return base
    raise AssertionError("no free ports")


@asynccontextmanager
async def seaweedfs(folder: Path) -> AsyncIterator[str]:
    """The endpoint of a running SeaweedFS with a bucket named media; this process's environment points at it."""
    base = port_block()
    weed = Path(sysconfig.get_path("scripts")) / "weed"
    names = ["-s3.port", "-filer.port", "-master.port", "-volume.port"]
    ports = [f"{name}={base + offset}" for offset, name in enumerate(names)]
    arguments = [
        "mini",
        f"-dir={folder}",
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
                await Store("s3://media/ready", folder / "scratch").put_bytes(b"ok", "text/plain")
                break
            except StoreUnavailable:
                await asyncio.sleep(0.2)
    try:
        yield endpoint
    finally:
        patch.undo()
        process.kill()  # asked to end it takes ten seconds; nothing of it is kept
        await process.wait()
