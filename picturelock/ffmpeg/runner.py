"""Runs ffmpeg: progress, stall watchdog, and an end for the whole process group whatever happens.

On cancel or stall the group is asked to end, given a moment, killed, and waited for (`picturelock.ffmpeg.process`).
ffmpeg also dies with the worker (`picturelock.ffmpeg.parent_death`), so a `kill -9` of the worker leaves no orphan.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

from picturelock.concurrency import task_group
from picturelock.errors import DiskFull, RenderFailed, RenderStalled
from picturelock.ffmpeg import confinement
from picturelock.ffmpeg.process import LEFTOVER_SECONDS, Pipe, end, read, redact, settle, signal_group
from picturelock.ffmpeg.tools import ffmpeg_path

STDERR_BYTES = 8_192
_POLL_SECONDS = 0.25

Feed = Callable[[int], None]
"""Writes raw frames to a file descriptor, in a thread of its own, until done or the pipe breaks."""


@dataclass(slots=True)
class Progress:
    """How far ffmpeg is, from its `-progress` blocks."""

    frame: int = 0
    seconds: float = 0.0
    speed: float | None = None
    ended: bool = False
    advanced_at: float = field(default_factory=time.monotonic)

    def update(self, line: str) -> None:
        """Takes one `key=value` line in. Values may be `N/A` before the first frame."""
        key, _, value = line.partition("=")
        value = value.strip()
        match key:
            case "frame" if value.isdigit() and int(value) > self.frame:
                self.frame = int(value)
                self.advanced_at = time.monotonic()
            case "out_time_us" if value.lstrip("-").isdigit() and int(value) / 1e6 > self.seconds:
                self.seconds = int(value) / 1e6
                self.advanced_at = time.monotonic()
            case "speed" if value.endswith("x"):
                with contextlib.suppress(ValueError):
                    self.speed = float(value[:-1])
            case "progress":
                self.ended = value == "end"


@dataclass(frozen=True, slots=True)
class Completed:
    """A run that ended with exit code 0."""

    stdout: bytearray
    stderr: str
    progress: Progress


async def run(  # noqa: PLR0913 - all but the first have a name at the call
    arguments: list[str],
    *,
    stall_seconds: float,
    feed: Feed | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    read_stdout: bool = False,
    environment: dict[str, str] | None = None,
    nice: int = 0,
    limits: confinement.Limits | None = None,
) -> Completed:
    """Runs ffmpeg with `arguments` (without the program's own name) to its end; `nice` is how far it gives way.

    With `limits` it is confined, as whoever opens a stranger's file has to be.

    Progress comes through a pipe of its own, so that standard output stays free for data (`read_stdout`). The run
    counts as stalled when neither frames nor time advance for `stall_seconds`.

    Raises:
        RenderFailed: exit code other than 0, with the end of stderr.
        RenderStalled: no advance for `stall_seconds`; the process group was killed.
        DiskFull: ffmpeg found no room.
    """
    with ExitStack() as stack:
        pipes = _Pipes.open(stack, frames=feed is not None, output=read_stdout)
        flags = ["-hide_banner", "-nostdin", "-y", "-nostats", "-stats_period", f"{_POLL_SECONDS}"]
        progress_flags = ["-progress", f"pipe:{pipes.progress.write}"]
        program = confinement.tied([ffmpeg_path(), *flags, *progress_flags, *arguments], limits)
        process = await asyncio.create_subprocess_exec(
            *program.command,
            stdin=pipes.frames.read if pipes.frames else subprocess.DEVNULL,
            stdout=pipes.output.write if pipes.output else subprocess.DEVNULL,
            stderr=pipes.errors.write,
            pass_fds=(pipes.progress.write,),
            start_new_session=True,
            preexec_fn=program.preexec,
            env=confinement.environment(environment),
        )
        try:
            pipes.close_theirs()
            if nice:
                with contextlib.suppress(ProcessLookupError):  # its exit is told below
                    os.setpriority(os.PRIO_PROCESS, process.pid, os.getpriority(os.PRIO_PROCESS, process.pid) + nice)
            return await _Run(process, pipes, stall_seconds, on_progress).finish(feed)
        finally:
            await asyncio.shield(end(process))


@dataclass(frozen=True, slots=True)
class _Pipes:
    """The pipes of one ffmpeg: what it writes to us, and frames that it reads."""

    progress: Pipe
    errors: Pipe
    output: Pipe | None
    frames: Pipe | None

    @classmethod
    def open(cls, stack: ExitStack, *, frames: bool, output: bool) -> "_Pipes":
        return cls(
            Pipe.open(stack),
            Pipe.open(stack),
            Pipe.open(stack) if output else None,
            Pipe.open(stack) if frames else None,
        )

    def close_theirs(self) -> None:
        """Closes ffmpeg's ends, which it has by now."""
        for pipe in (self.progress, self.errors, self.output):
            if pipe:
                pipe.close(pipe.write)
        if self.frames:
            self.frames.close(self.frames.read)


class _Run:
    """One ffmpeg process and the tasks around it."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        pipes: _Pipes,
        stall_seconds: float,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self._process = process
        self._pipes = pipes
        self._stall_seconds = stall_seconds
        self._on_progress = on_progress or (lambda _: None)
        self._progress = Progress()
        self._lines = b""
        self._stdout = bytearray()
        self._stderr = b""

    async def finish(self, feed: Feed | None) -> Completed:
        async with task_group() as group:
            watchdog = group.create_task(self._watch())
            beside = {
                group.create_task(read(self._pipes.progress, self._take_progress)),
                group.create_task(read(self._pipes.errors, self._take_stderr)),
            }
            if self._pipes.output is not None:
                beside.add(group.create_task(read(self._pipes.output, self._stdout.extend)))
            if feed is not None and self._pipes.frames is not None:
                beside.add(group.create_task(self._feed(feed, self._pipes.frames)))
            code = await self._process.wait()
            watchdog.cancel()
            await settle(beside, LEFTOVER_SECONDS)
        stderr = self._stderr.decode(errors="replace")
        if code != 0:
            raise _failure(code, stderr)
        return Completed(self._stdout, stderr, self._progress)

    def _take_progress(self, data: bytes) -> None:
        *lines, self._lines = (self._lines + data).split(b"\n")
        for line in lines:
            self._progress.update(line.decode(errors="replace"))
            if line.startswith(b"progress="):
                self._on_progress(self._progress)

    def _take_stderr(self, data: bytes) -> None:
        self._stderr = (self._stderr + data)[-STDERR_BYTES:]

    async def _feed(self, feed: Feed, pipe: Pipe) -> None:
        descriptor = pipe.take(pipe.write)
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def write_all() -> None:
            failure: Exception | None = None
            try:
                # The exit code tells what a broken pipe means; the writer only stops.
                with contextlib.suppress(BrokenPipeError):
                    feed(descriptor)
            except Exception as error:  # noqa: BLE001 - handed to the loop below
                failure = error
            finally:
                os.close(descriptor)
            with contextlib.suppress(RuntimeError):  # the loop may be closed by now
                loop.call_soon_threadsafe(_settle, done, failure)

        # A thread of its own: in a pool that is full the frames would wait, and the wait would look like a stall.
        threading.Thread(target=write_all, name="ffmpeg feed", daemon=True).start()
        await done

    async def _watch(self) -> None:
        """Judges stalls: the only place that does."""
        while True:
            await asyncio.sleep(_POLL_SECONDS)
            self._on_progress(self._progress)
            quiet = time.monotonic() - self._progress.advanced_at
            if quiet > self._stall_seconds:
                signal_group(self._process, signal.SIGKILL)
                raise RenderStalled(
                    f"ffmpeg did not advance for {quiet:.0f} s (at frame {self._progress.frame})",
                    detail=redact(self._stderr.decode(errors="replace")) or None,
                )


def _settle(done: asyncio.Future[None], failure: Exception | None) -> None:
    if done.cancelled():
        return
    if failure is None:
        done.set_result(None)
    else:
        done.set_exception(failure)


def _failure(code: int, stderr: str) -> RenderFailed | DiskFull:
    tail = redact(stderr)
    if "No space left on device" in stderr:
        return DiskFull("ffmpeg found no room to write", detail=tail)
    if code < 0:
        return RenderFailed(f"ffmpeg ended with signal {signal.Signals(-code).name}", detail=tail or None)
    return RenderFailed(f"ffmpeg ended with exit code {code}", detail=tail or None, exit_code=code)
