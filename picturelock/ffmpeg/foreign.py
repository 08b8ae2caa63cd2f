"""Files of strangers: which formats are opened at all, and how.

A demuxer may open other files than the one it is given (playlists, manifests, references), and the program that looks
at a file may take it for another format than the one that decodes it. So a foreign file is opened by the demuxer that
was found, never by a guess; that demuxer is on a list of those that read one file alone; and no protocol but that of a
local file is spoken.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from picturelock.errors import AssetUnreadable
from picturelock.ffmpeg.confinement import PROBE, confined
from picturelock.ffmpeg.process import capture, redact
from picturelock.ffmpeg.tools import ffmpeg_path

DEMUXERS: Final = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "mpegts", "wav", "mp3", "flac", "ogg", "aac", "aiff")
"""By ffmpeg's own names. None of them opens another file (mov follows references only with `-enable_drefs`)."""

WHITELIST: Final = ("-protocol_whitelist", "file,pipe", "-format_whitelist", ",".join(DEMUXERS))
"""For whoever finds out what a file is."""

MAX_PIXELS: Final = 50_000_000
"""The largest picture of a clip that is decoded: 8K has 33 million."""

MAX_STREAMS: Final = 64
"""A file of a thousand tracks is none that a film needs."""

BOUNDED: Final = ("-max_streams", str(4 * MAX_STREAMS), "-max_probe_packets", "2500")
"""What is looked at of a file before it is known what it is."""

_LARGEST_BLOCK: Final = 512 * 1024**2
"""Of memory, at once: a picture of MAX_PIXELS with 16 bits a channel takes 400 MB."""

_SECONDS: Final = 30.0


def foreign_input(path: Path, demuxer: str) -> list[str]:
    """Ffmpeg's arguments that open a foreign file by one demuxer, given by the name that ffprobe has found.

    >>> foreign_input(Path("/a.mp4"), "mov,mp4,m4a,3gp,3g2,mj2")[:2]
    ['-max_alloc', '536870912']

    Raises:
        AssetUnreadable: the demuxer is none of those that are used for foreign files.
    """
    if demuxer not in DEMUXERS:
        raise AssetUnreadable(f"files of the format {demuxer} are not supported")
    name = demuxer.split(",", 1)[0]
    return [
        "-max_alloc", str(_LARGEST_BLOCK), "-f", name, *WHITELIST[:2], *BOUNDED, "-max_pixels", str(MAX_PIXELS),
        "-i", f"file:{path}",
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class ForeignFile:
    """A stranger's file, with the demuxer that opens it."""

    path: Path
    demuxer: str

    @property
    def options(self) -> dict[str, str]:
        """What opens it, as options of an input."""
        options = foreign_input(self.path, self.demuxer)[:-2]
        return {name.removeprefix("-"): value for name, value in zip(options[::2], options[1::2], strict=True)}


async def require_one_face(path: Path) -> None:
    """Has the program that decodes look at a file, too, before it is believed to be what ffprobe says.

    The two are different builds: a file may be a recording for one and a manifest of other files for the other.

    Raises:
        AssetUnreadable: the decoder takes it for something that is not on the list, or cannot open it.
    """
    command = [
        ffmpeg_path(), "-v", "error", "-nostdin", *WHITELIST, *BOUNDED, "-i", f"file:{path}",
        "-map", "0", "-c", "copy", "-t", "0.1", "-f", "null", "-",
    ]  # fmt: skip
    try:
        code, _, stderr = await capture(confined(command, PROBE), _SECONDS)
    except TimeoutError as error:
        raise AssetUnreadable("the file could not be opened in half a minute") from error
    if code != 0:
        said = redact(stderr.decode(errors="replace")[-500:])
        raise AssetUnreadable("the file is no picture, film or sound", detail=said)
