"""Reads raw frames from an ffmpeg that decodes for whoever draws: synchronously, in the thread that draws."""

import contextlib
import select
import subprocess
import time
from typing import Final

from picturelock.errors import RenderFailed
from picturelock.ffmpeg import confinement
from picturelock.ffmpeg.tools import ffmpeg_path

_READ_SECONDS: Final = 60.0


class FrameReader:
    """One decoder of a stranger's file, confined. It dies with the thread that has started it, should nobody close it.

    Example:
        reader = FrameReader(["-i", "file:clip.mp4", "-f", "rawvideo", "-pix_fmt", "yuv420p", "pipe:1"])
        reader.read_into(memoryview(frame.data).cast("B"))
        reader.close()
    """

    def __init__(self, arguments: list[str]) -> None:
        program = confinement.tied([ffmpeg_path(), "-v", "quiet", "-nostdin", *arguments], confinement.DECODER)
        self._process = subprocess.Popen(
            program.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=confinement.environment(),
            preexec_fn=program.preexec,  # noqa: PLW1509 - nothing, or nothing but one system call
        )

    def read_into(self, frame: memoryview) -> None:
        """Fills the whole buffer with the next frame.

        Raises:
            RenderFailed: the decoder stands still for a minute, or has ended before its time.
        """
        stream = self._process.stdout
        if stream is None:  # pragma: no cover - it was asked for
            raise RenderFailed("the clip's decoder has no output")
        left, deadline = frame, time.monotonic() + _READ_SECONDS
        while left:
            with contextlib.suppress(InterruptedError):
                # A decoder that was stopped (SIGSTOP) must not hold the thread that waits for it.
                ready, _, _ = select.select([stream], [], [], max(0.0, deadline - time.monotonic()))
                if not ready:
                    raise RenderFailed("the clip's decoder stands still")
                count = stream.readinto1(left)  # type: ignore[attr-defined] # a BufferedReader
                if not count:
                    raise RenderFailed("the clip ended before its time")
                left = left[count:]

    def close(self) -> None:
        """Ends the decoder."""
        self._process.kill()
        if self._process.stdout:
            self._process.stdout.close()
        self._process.wait()
