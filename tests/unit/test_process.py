"""Programs are ended whatever they and their pipes do: the attacks of whoever cancels at the worst moment."""

import asyncio
import contextlib
import os
import random
import sys
import time
from pathlib import Path

import pytest

from picturelock.errors import RenderFailed
from picturelock.ffmpeg import runner
from picturelock.ffmpeg.process import capture
from tests.faults.stack import ffmpegs_of, gone

pytestmark = pytest.mark.slow

FLOOD = "import os\nwhile True: os.write(1, b'x' * 65536)"
ORPHAN = "import subprocess, sys; subprocess.Popen(['sleep', '30']); print('done', flush=True)"


async def cancelled_after(work: asyncio.Task[object], seconds: float) -> float:
    """Cancels a task after a while; how long it takes to end then."""
    await asyncio.wait({work}, timeout=seconds)
    began = time.monotonic()
    work.cancel()
    done, _ = await asyncio.wait({work}, timeout=20)
    assert done, "it never ended"
    return time.monotonic() - began


async def test_a_picture_that_is_cancelled_while_it_is_read_ends() -> None:
    """Three of seventeen hung for ever, each with a slot, a workspace and its reader."""
    seeded = random.Random(5)  # noqa: S311 - moments, not secrets
    picture = ["-v", "error", "-f", "lavfi", "-i", "testsrc2=s=1920x1080:r=1:d=30", "-f", "rawvideo", "pipe:1"]
    for _ in range(40):
        drawing: asyncio.Task[object] = asyncio.create_task(runner.run(picture, stall_seconds=60, read_stdout=True))
        assert await cancelled_after(drawing, seeded.uniform(0.01, 0.12)) < 5
    await gone(ffmpegs_of(os.getpid()))


async def test_a_program_that_floods_its_output_ends_when_its_reader_is_cancelled() -> None:
    work: asyncio.Task[object] = asyncio.create_task(capture([sys.executable, "-c", FLOOD], 60))
    assert await cancelled_after(work, 0.5) < 3


async def test_a_program_that_takes_too_long_is_ended() -> None:
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        await capture([sys.executable, "-c", FLOOD], 0.5)
    assert time.monotonic() - began < 5


async def test_a_grandchild_that_holds_the_pipes_is_not_waited_for() -> None:
    began = time.monotonic()
    code, output, _ = await capture([sys.executable, "-c", ORPHAN], 20)
    assert (code, output) == (0, b"done\n")
    assert time.monotonic() - began < 10


async def test_no_descriptor_is_left_however_it_ends(scratch: Path) -> None:
    async def once(arguments: list[str]) -> None:
        with contextlib.suppress(RenderFailed):
            await runner.run(arguments, stall_seconds=30, read_stdout=True, feed=lambda _: None)

    await once(["-version"])
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        await once(["-version"])
        await once(["-i", "/nowhere"])
        work: asyncio.Task[object] = asyncio.create_task(
            runner.run(
                ["-f", "lavfi", "-i", "testsrc2", "-f", "rawvideo", "pipe:1"], stall_seconds=30, read_stdout=True
            )
        )
        assert await cancelled_after(work, 0.1) < 5
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


async def test_a_writer_that_stands_still_does_not_hold_a_program_that_has_ended() -> None:
    began = time.monotonic()
    with pytest.raises(Exception, match="exit code"):
        await runner.run(["-i", "/nowhere"], stall_seconds=60, feed=lambda _: time.sleep(30))
    assert time.monotonic() - began < 10
