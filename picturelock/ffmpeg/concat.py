"""ffmpeg's concat lists: files that are read one after the other, each as long as it says there."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SegmentFile:
    """A segment's file and its length in frames."""

    path: Path
    frames: int


def concat_list(segments: list[SegmentFile], fps: int, output: Path) -> Path:
    """The concat list: each file with its duration."""
    lines = ["ffconcat version 1.0"]
    for segment in segments:
        quoted = str(segment.path).replace("'", "'\\''")
        lines += [f"file 'file:{quoted}'", f"duration {segment.frames / fps:.9f}"]
    path = output.with_suffix(".txt")
    path.write_text("\n".join(lines) + "\n")
    return path
