"""An ffmpeg on a machine with a graphics card: NVENC is played by x264. FAKE_GPU says what is wrong with the card:

fine       nothing
absent     the encoder cannot be opened, as on a machine without a card
headers    every run writes other headers
green      the pictures are not the ones that were given
breaks     works for the trial and fails for real segments
black      works for the trial and paints real segments black
hangs      never comes back
"""

import os
import sys
import time
from pathlib import Path

real, kind = os.environ["REAL_FFMPEG"], os.environ["FAKE_GPU"]
arguments = sys.argv[1:]
if "h264_nvenc" in arguments and kind != "absent":
    dropped = {"-cq": 2, "-rc": 2, "-forced-idr": 2, "-preset": 2}
    kept: list[str] = []
    at = 0
    while at < len(arguments):
        if arguments[at] in dropped:
            at += dropped[arguments[at]]
            continue
        kept.append("libx264" if arguments[at] == "h264_nvenc" else arguments[at])
        at += 1
    files = len(list(Path(arguments[-1]).parent.iterdir()))  # one more than there were before
    level = ["-level", str(40 + files % 3)] if kind == "headers" else []
    if kind == "hangs":
        time.sleep(3600)
    if kind == "green" or (kind == "black" and arguments[-1].endswith("segment.mp4")):
        kept = [one.replace("setparams=", "lutyuv=y=16,setparams=") for one in kept]
    if kind == "breaks" and arguments[-1].endswith("segment.mp4"):
        sys.exit("the card has fallen off the bus")
    arguments = [*kept[:-1], "-crf", "30", "-preset", "ultrafast", "-threads", "1", *level, kept[-1]]
os.execv(real, [real, *arguments])  # noqa: S606
