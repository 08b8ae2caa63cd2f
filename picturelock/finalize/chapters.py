"""What a film carries beside picture and sound: chapters and a subtitle track."""

import re
from dataclasses import dataclass
from pathlib import Path

from picturelock.models import VideoFormat

_SPECIAL = re.compile(r"([=;#\\\n])")


@dataclass(frozen=True, slots=True)
class Chapter:
    """A titled stretch of the film, in frames."""

    title: str
    start_frame: int
    end_frame: int


@dataclass(frozen=True, slots=True)
class ChaptersAndSubtitles:
    """Both may be missing. `subtitles` is SubRip."""

    chapters: list[Chapter]
    subtitles: str | None = None

    def arguments(self, video: VideoFormat, language: str, folder: Path, inputs: int) -> tuple[list[str], list[str]]:
        """Ffmpeg's arguments for them: further inputs (after so many), and options of the output."""
        more: list[str] = []
        options: list[str] = ["-map_chapters", "-1"]
        if self.chapters:
            path = folder / "chapters.txt"
            path.write_text(_metadata(self.chapters, video.fps), encoding="utf-8")
            more += ["-f", "ffmetadata", "-i", str(path)]
            options = ["-map_chapters", str(inputs)]
            inputs += 1
        if self.subtitles:
            path = folder / "captions.srt"
            path.write_text(self.subtitles, encoding="utf-8")
            more += ["-f", "srt", "-i", str(path)]
            codec = "webvtt" if video.container == "webm" else "mov_text"
            options += ["-map", f"{inputs}:s:0", "-c:s", codec, "-metadata:s:s:0", f"language={language}"]
            options += ["-disposition:s:0", "0"]  # there for who wants it, not switched on
        return more, options


def _metadata(chapters: list[Chapter], fps: int) -> str:
    """Chapters as ffmpeg reads them (https://ffmpeg.org/ffmpeg-formats.html#Metadata-2)."""
    lines = [";FFMETADATA1"]
    for chapter in chapters:
        title = _SPECIAL.sub(r"\\\1", chapter.title)
        # ffmpeg takes the end of the line for escaped after any number of backslashes.
        title += " " * title.endswith("\\")
        lines += [
            "[CHAPTER]",
            f"TIMEBASE=1/{fps}",
            f"START={chapter.start_frame}",
            f"END={chapter.end_frame}",
            f"title={title}",
        ]
    return "\n".join(lines) + "\n"
