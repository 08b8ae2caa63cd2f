"""Runs a command for as long as a process lives, where the kernel does not do that by itself (macOS).

    python -I guard.py PARENT SIGNAL COMMAND …

It has the command's standard streams and ends as the command does. When the process PARENT is gone, the command gets
the signal, and is killed two seconds later. Signals that ask it to end are passed on. Nothing but the standard library.
"""

import os
import select
import signal
import subprocess
import sys
import threading
import time

_LOOK_SECONDS = 0.2
_GRACE_SECONDS = 2.0
_PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def _until_gone(parent: int) -> None:
    """Waits until the process is gone: told by the kernel where it can, else by looking."""
    kqueue = getattr(select, "kqueue", None)
    if kqueue is not None:
        event = select.kevent(parent, select.KQ_FILTER_PROC, select.KQ_EV_ADD, select.KQ_NOTE_EXIT)  # type: ignore[attr-defined,unused-ignore]
        try:
            kqueue().control([event], 1)
        except OSError:  # it is gone already
            return
        return
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)


def _end_with(parent: int, number: int, child: "subprocess.Popen[bytes]") -> None:
    _until_gone(parent)
    child.send_signal(number)
    try:
        child.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()


def main() -> int:
    """Runs the command; its exit code, or 128 and the signal that ended it."""
    parent, number, *command = sys.argv[1:]
    if os.getppid() != int(parent):  # it was gone before we looked
        return 1
    asked: list[int] = []
    for ending in _PASSED_ON:  # before there is anybody to pass it on to: none is lost
        signal.signal(ending, lambda received, _frame: asked.append(received))
    child = subprocess.Popen(command)
    for ending in _PASSED_ON:
        signal.signal(ending, lambda received, _frame: child.send_signal(received))
    for received in asked:
        child.send_signal(received)
    threading.Thread(target=_end_with, args=(int(parent), int(number), child), daemon=True).start()
    code = child.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
