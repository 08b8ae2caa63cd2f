"""A program ends with the process that started it, however that one ended."""

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from picturelock.ffmpeg.parent_death import find_setpriv, guarded

_STARTS = """
import subprocess, sys, time
from picturelock.ffmpeg.parent_death import with_death_signal
program = with_death_signal([sys.argv[1], "600"])
child = subprocess.Popen(program.command, preexec_fn=program.preexec)
print(child.pid, program.preexec is None, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("by_setpriv", [True, False])
def test_it_dies_with_a_process_that_is_killed(by_setpriv: bool, tmp_path: Path) -> None:
    if by_setpriv and find_setpriv() is None:
        pytest.skip("no setpriv here that can do it")
    sleep = shutil.which("sleep") or "/bin/sleep"
    path = os.environ["PATH"] if by_setpriv else str(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", _STARTS, sleep], stdout=subprocess.PIPE, text=True, env={**os.environ, "PATH": path}
    ) as parent:
        assert parent.stdout
        pid, without_python = parent.stdout.readline().split()
        watched = os.pidfd_open(int(pid))
        parent.kill()
    assert without_python == str(by_setpriv)
    assert select.select([watched], [], [], 30)[0], "it is still there"
    os.close(watched)


_STARTS_AND_DIES = _STARTS.replace("time.sleep(600)", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")


def test_it_dies_even_if_its_parent_was_faster() -> None:
    """The parent is gone before setpriv can have asked; more than one try, for each is a race."""
    sleep = shutil.which("sleep") or "/bin/sleep"
    for _ in range(10):
        with subprocess.Popen(
            [sys.executable, "-c", _STARTS_AND_DIES, sleep], stdout=subprocess.PIPE, text=True
        ) as parent:
            assert parent.stdout
            pid = int(parent.stdout.readline().split()[0])
            try:
                watched = os.pidfd_open(pid)
            except ProcessLookupError:
                continue
        assert select.select([watched], [], [], 30)[0], "it is still there"
        os.close(watched)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"#!/bin/sh\necho 'unrecognized option' >&2\nexit 1\n", id="another one"),
        pytest.param(b"\x7fELF is not all it takes", id="no program"),
        pytest.param(b"#!/nowhere/sh\n", id="no interpreter"),
    ],
)
def test_a_setpriv_that_cannot_do_it_is_left_alone(content: bytes, tmp_path: Path) -> None:
    other = tmp_path / "setpriv"
    other.write_bytes(content)
    other.chmod(0o755)
    asked = "from picturelock.ffmpeg.parent_death import with_death_signal; print(with_death_signal(['true']).command)"
    done = subprocess.run(
        [sys.executable, "-c", asked],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
    )
    assert done.stdout.strip() == "['true']"


STARTER = """
import os, signal, subprocess, sys, time
from picturelock.ffmpeg.parent_death import guarded
child = subprocess.Popen(guarded(["sleep", "300"], signal.SIGTERM))
print(child.pid, flush=True)
time.sleep(300)
"""


def children_of(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.slow
def test_without_the_kernels_help_a_guard_ends_the_program_with_its_parent() -> None:
    deadline = time.monotonic() + 20
    with subprocess.Popen([sys.executable, "-c", STARTER], stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        guard = int(starter.stdout.readline())
        while not (sleeping := children_of(guard)):
            assert time.monotonic() < deadline
        starter.kill()
    while Path(f"/proc/{sleeping[0]}").exists() or Path(f"/proc/{guard}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_guard_ends_as_its_program_does_and_passes_signals_on() -> None:
    assert subprocess.run(guarded(["sh", "-c", "exit 7"], signal.SIGKILL), check=False).returncode == 7
    piped = subprocess.run(guarded(["cat"], signal.SIGKILL), input=b"through", capture_output=True, check=True)
    assert piped.stdout == b"through"
    running = subprocess.Popen(guarded(["sleep", "300"], signal.SIGKILL))
    deadline = time.monotonic() + 20
    while not children_of(running.pid):
        assert time.monotonic() < deadline
    running.terminate()
    assert running.wait(20) == 128 + signal.SIGTERM
