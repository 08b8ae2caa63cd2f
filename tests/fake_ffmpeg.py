"""A stand-in for ffmpeg, put in place as an executable. FAKE_FFMPEG says how it behaves:

encode   reads all of stdin, reports a frame for every block, writes the output file
hang     reports one frame, then neither advances nor ends, and ignores SIGTERM
fail     prints an error with a server path, ends with 1
enospc   prints what ffmpeg prints on a full disk, ends with 1
crash    dies of a signal
noisy    fills stderr and stdout beyond any pipe buffer, ends with 0
slow     advances a frame every 0.3 s, ten times
"""

import os
import signal
import sys
import time

behaviour = os.environ["FAKE_FFMPEG"]
folder = os.environ["FAKE_FFMPEG_DIR"]

if "-version" in sys.argv:
    print("ffmpeg version fake-1 Copyright nobody")
    sys.exit(0)

with open(os.path.join(folder, "ffmpeg.pid"), "w") as file:
    file.write(str(os.getpid()))


target = sys.argv[sys.argv.index("-progress") + 1]
pipe = os.fdopen(int(target.removeprefix("pipe:")), "w")


def progress(frame: int, state: str = "continue") -> None:
    print(f"frame={frame}\nout_time_us=N/A\nspeed=1.5x\nprogress={state}", file=pipe, flush=True)


if behaviour == "encode":
    size = int(os.environ.get("FAKE_FRAME_BYTES", "3110400"))
    frame, left = 0, b""
    while block := sys.stdin.buffer.read(size):
        frame += 1
        progress(frame)
    with open(sys.argv[-1], "wb") as film:
        film.write(b"fake film")
    progress(frame, "end")
elif behaviour == "hang":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    progress(1)
    while True:
        time.sleep(60)
elif behaviour == "fail":
    sys.stderr.write("Error opening /srv/secret/place/input.png: Invalid data\n")
    sys.exit(1)
elif behaviour == "enospc":
    sys.stderr.write("av_interleaved_write_frame(): No space left on device\n")
    sys.exit(1)
elif behaviour == "crash":
    os.kill(os.getpid(), signal.SIGSEGV)
elif behaviour == "noisy":
    for number in range(20_000):
        sys.stderr.write("a warning that nobody reads\n")
        if number % 10 == 0:
            progress(number)
    progress(20_000, "end")
elif behaviour == "slow":
    for number in range(1, 11):
        progress(number)
        time.sleep(0.3)
    progress(10, "end")
