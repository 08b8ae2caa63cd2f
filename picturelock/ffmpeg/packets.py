"""The packets of a file as digests: what was encoded is what was delivered, packet for packet."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from picturelock.errors import OutputInvalid
from picturelock.ffmpeg import runner


@dataclass(frozen=True, slots=True)
class VideoPackets:
    """The video stream of a file: one digest a packet, in order, and the digest of its extradata."""

    digests: list[str]
    extradata: str

    def combined(self, start: int = 0, count: int | None = None) -> str:
        """One digest over `count` packets from `start`."""
        end = len(self.digests) if count is None else start + count
        return hashlib.sha256("".join(self.digests[start:end]).encode()).hexdigest()


async def read_packets(path: Path) -> VideoPackets:
    """Reads the packets of the first video stream (ffmpeg's framehash muxer, no decoding)."""
    done = await runner.run(
        [
            "-v",
            "error",
            "-i",
            str(path),
            "-map",
            "0:v:0",
            "-c",
            "copy",
            "-f",
            "framehash",
            "-hash",
            "sha256",
            "pipe:1",
        ],
        stall_seconds=300,
        read_stdout=True,
    )
    digests: list[str] = []
    extradata = ""
    for line in done.stdout.decode().splitlines():
        fields = [field.strip() for field in line.split(",")]
        if line.startswith("#extradata"):
            extradata = fields[-1]
        elif not line.startswith("#") and len(fields) >= 6:
            digests.append(fields[5])
    if not digests:
        raise OutputInvalid("the file has no video packets")
    return VideoPackets(digests, extradata)
