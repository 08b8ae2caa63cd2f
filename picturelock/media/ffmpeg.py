"""Runs ffmpeg: progress, stall watchdog, and an end for the whole process group whatever happens.

The discipline is trio's: on cancel or stall the group is asked to end, given a moment, killed, and always waited for.
ffmpeg also dies with the worker (`picturelock.media.tether`), so a `kill -9` of the worker leaves no orphan.
"""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from picturelock.errors import DiskFull, RenderFailed, RenderStalled
from picturelock.media.tether import tethered
from picturelock.media.tools import ffmpeg_path

TERMINATE_SECONDS = 2.0
STDERR_BYTES = 8_192
_POLL_SECONDS = 0.25
_PATH = re.compile(r"(?<![\w.])/(?:[\w.+@%=-]+/)+")

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

    stdout: bytes
    stderr: str
    progress: Progress


def redact(stderr: str) -> str:
    """A stderr tail without the server's folders."""
    return _PATH.sub("…/", stderr).strip()


async def run(
    arguments: list[str],
    *,
    stall_seconds: float,
    feed: Feed | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    read_stdout: bool = False,
    environment: dict[str, str] | None = None,
    nice: int = 0,
) -> Completed:
    """Runs ffmpeg with `arguments` (without the program's own name) to its end; `nice` is how far it gives way.

    Progress comes through a pipe of its own, so that standard output stays free for data (`read_stdout`). The run
    counts as stalled when neither frames nor time advance for `stall_seconds`.

    Raises:
        RenderFailed: exit code other than 0, with the end of stderr.
        RenderStalled: no advance for `stall_seconds`; the process group was killed.
        DiskFull: ffmpeg found no room.
    """
    reading, writing = os.pipe()
    flags = [
        "-hide_banner",
        "-nostdin",
        "-y",
        "-nostats",
        "-stats_period",
        f"{_POLL_SECONDS}",
        "-progress",
        f"pipe:{writing}",
    ]
    try:
        program = tethered([ffmpeg_path(), *flags, *arguments])
        process = await asyncio.create_subprocess_exec(
            *program.command,
            stdin=subprocess.PIPE if feed else subprocess.DEVNULL,
            stdout=subprocess.PIPE if read_stdout else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=(writing,),
            start_new_session=True,
            preexec_fn=program.preexec,
            env={**os.environ, **(environment or {}), "AV_LOG_FORCE_NOCOLOR": "1"},
        )
    except BaseException:
        os.close(reading)
        raise
    finally:
        os.close(writing)
    if nice:
        with contextlib.suppress(ProcessLookupError):  # its exit is told below
            os.setpriority(os.PRIO_PROCESS, process.pid, os.getpriority(os.PRIO_PROCESS, process.pid) + nice)
    supervised = _Run(process, reading, stall_seconds, on_progress)
    try:
        return await supervised.finish(feed)
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None
    finally:
        await asyncio.shield(_end(process))


class _Run:
    """One ffmpeg process and the tasks around it."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        progress_pipe: int,
        stall_seconds: float,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self._process = process
        self._pipe = os.fdopen(progress_pipe, "rb", buffering=0)
        self._stall_seconds = stall_seconds
        self._on_progress = on_progress or (lambda _: None)
        self._progress = Progress()
        self._stdout = b""
        self._stderr = b""

    async def finish(self, feed: Feed | None) -> Completed:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read_progress())
            group.create_task(self._drain_stdout())
            group.create_task(self._drain_stderr())
            watchdog = group.create_task(self._watch())
            if feed is not None:
                group.create_task(self._feed(feed))
            code = await self._process.wait()
            watchdog.cancel()
        stderr = self._stderr.decode(errors="replace")
        if code != 0:
            raise _failure(code, stderr)
        return Completed(self._stdout, stderr, self._progress)

    async def _read_progress(self) -> None:
        stream = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stream), self._pipe)
        try:
            while line := await stream.readline():
                self._progress.update(line.decode(errors="replace"))
                if line.startswith(b"progress="):
                    self._on_progress(self._progress)
        finally:
            transport.close()

    async def _drain_stdout(self) -> None:
        if self._process.stdout is not None:
            self._stdout = await self._process.stdout.read()

    async def _drain_stderr(self) -> None:
        stream = self._process.stderr
        while stream is not None and (chunk := await stream.read(65_536)):
            self._stderr = (self._stderr + chunk)[-STDERR_BYTES:]

    async def _feed(self, feed: Feed) -> None:
        transport = self._process.stdin.transport if self._process.stdin else None
        pipe = transport.get_extra_info("pipe") if transport else None
        if pipe is None:
            return
        descriptor = os.dup(pipe.fileno())
        os.set_blocking(descriptor, True)
        if self._process.stdin:
            self._process.stdin.close()

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
                _signal_group(self._process, signal.SIGKILL)
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
    cause = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    return RenderFailed(f"ffmpeg ended with {cause}", detail=tail or None)


def _signal_group(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Terminate, wait, kill, and always see the exit. A stopped process is continued so that it can die."""
    if process.returncode is not None:
        return
    _signal_group(process, signal.SIGTERM)
    _signal_group(process, signal.SIGCONT)
    try:
        await asyncio.wait_for(process.wait(), TERMINATE_SECONDS)
    except TimeoutError:
        _signal_group(process, signal.SIGKILL)
        await process.wait()
