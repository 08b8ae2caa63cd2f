"""Scratch folders: gone with their block, swept when their process was killed, left alone while it lives."""

import signal
import subprocess
import sys
from pathlib import Path

from picturelock.store.scratch import sweep, workspace

PROGRAM = """
import sys, pathlib
from picturelock.store.scratch import workspace
with workspace(pathlib.Path(sys.argv[1]), "film") as folder:
    (folder / "half").write_bytes(b"x" * 1000)
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_a_folder_ends_with_its_block(tmp_path: Path) -> None:
    with workspace(tmp_path, "film") as folder:
        (folder / "file").touch()
    assert not folder.exists()


def test_what_a_killed_process_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdin is not None
    folder = Path(process.stdout.readline().decode().strip())
    with workspace(tmp_path, "mine") as mine:
        assert sweep(tmp_path) == []
        assert (folder / "half").exists()
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert sweep(tmp_path) == [folder.parent]
        assert not folder.exists()
        assert mine.exists()
    process.stdin.close()
    process.stdout.close()
