"""Running ffmpeg: with an executable that misbehaves in every way that was seen."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from picturelock.errors import DiskFull, RenderFailed, RenderStalled
from picturelock.ffmpeg import process, runner

Fake = Callable[[str], Path]


def alive(folder: Path) -> bool:
    pid = int((folder / "ffmpeg.pid").read_text())
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
async def test_frames_are_counted_as_they_are_reported(fake_ffmpeg: Fake) -> None:
    fake_ffmpeg("slow")
    seen: list[int] = []
    done = await runner.run([], stall_seconds=30, on_progress=lambda progress: seen.append(progress.frame))
    assert done.progress.frame == 10
    assert done.progress.ended
    assert set(range(1, 11)) <= set(seen)
    assert seen == sorted(seen)


@pytest.mark.slow
async def test_it_gives_way_when_it_is_told_to(fake_ffmpeg: Fake) -> None:
    folder = fake_ffmpeg("slow")
    seen: set[int] = set()

    def look(progress: runner.Progress) -> None:
        if progress.frame and alive(folder):
            seen.add(os.getpriority(os.PRIO_PROCESS, int((folder / "ffmpeg.pid").read_text())))

    await runner.run([], stall_seconds=30, on_progress=look, nice=3)
    assert seen == {min(19, os.getpriority(os.PRIO_PROCESS, 0) + 3)}


@pytest.mark.slow
async def test_slow_is_not_stalled(fake_ffmpeg: Fake) -> None:
    fake_ffmpeg("slow")
    await runner.run([], stall_seconds=2.5)


async def test_a_hung_ffmpeg_is_found_and_killed(fake_ffmpeg: Fake) -> None:
    folder = fake_ffmpeg("hang")
    with pytest.raises(RenderStalled) as caught:
        await runner.run([], stall_seconds=1)
    assert caught.value.retryable
    assert "frame 1" in caught.value.message
    assert not alive(folder)


async def test_cancel_leaves_no_ffmpeg_behind_even_one_that_ignores_sigterm(
    fake_ffmpeg: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "TERMINATE_SECONDS", 0.2)
    folder = fake_ffmpeg("hang")
    started = asyncio.Event()
    task = asyncio.create_task(
        runner.run([], stall_seconds=60, on_progress=lambda progress: started.set() if progress.frame else None)
    )
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not alive(folder)


async def test_a_stopped_ffmpeg_dies_on_cancel(fake_ffmpeg: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "TERMINATE_SECONDS", 0.2)
    folder = fake_ffmpeg("hang")
    started = asyncio.Event()
    task = asyncio.create_task(
        runner.run([], stall_seconds=60, on_progress=lambda progress: started.set() if progress.frame else None)
    )
    await started.wait()
    os.kill(int((folder / "ffmpeg.pid").read_text()), signal.SIGSTOP)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not alive(folder)


async def test_an_error_carries_the_reason_and_no_server_path(fake_ffmpeg: Fake) -> None:
    fake_ffmpeg("fail")
    with pytest.raises(RenderFailed, match="exit code 1") as caught:
        await runner.run([], stall_seconds=30)
    assert caught.value.detail == "Error opening …/input.png: Invalid data"


async def test_a_full_disk_has_its_own_code(fake_ffmpeg: Fake) -> None:
    fake_ffmpeg("enospc")
    with pytest.raises(DiskFull):
        await runner.run([], stall_seconds=30)


async def test_death_by_signal_is_told(fake_ffmpeg: Fake) -> None:
    fake_ffmpeg("crash")
    with pytest.raises(RenderFailed, match="SIGSEGV"):
        await runner.run([], stall_seconds=30)


async def test_output_beyond_every_pipe_buffer_blocks_nothing(fake_ffmpeg: Fake) -> None:
    fake_ffmpeg("noisy")
    done = await runner.run([], stall_seconds=30)
    assert done.progress.frame == 20_000
    assert len(done.stderr) <= runner.STDERR_BYTES


async def test_a_writer_ends_when_its_reader_dies(fake_ffmpeg: Fake) -> None:
    fake_ffmpeg("fail")
    ended: list[bool] = []

    def feed(descriptor: int) -> None:
        try:
            while True:
                os.write(descriptor, bytes(1 << 20))
        finally:
            ended.append(True)

    with pytest.raises(RenderFailed):
        await runner.run([], stall_seconds=30, feed=feed)
    assert ended == [True]


@pytest.mark.parametrize(
    "line", ["frame=N/A", "out_time_us=N/A", "speed=N/A", "", "frame=", "garbage", "speed=x", "out_time_us=-1"]
)
def test_strange_progress_lines_are_survived(line: str) -> None:
    progress = runner.Progress()
    progress.update(line)
    assert progress.frame == 0
