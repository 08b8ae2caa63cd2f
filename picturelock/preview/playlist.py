"""HLS playlists (RFC 8216) of a film's finished beginning."""

import math
from collections.abc import Sequence
from typing import Literal

from picturelock.models import Segment

PlaylistKind = Literal["EVENT", "VOD"]


def playlist(
    segments: Sequence[Segment], fps: int, kind: PlaylistKind, version: str, *, longest: int, ended: bool
) -> str:
    """A playlist of fragments below `preview/`. It only ever grows until it has ended.

    Args:
        segments: the stretches that can be played.
        fps: frames per second.
        kind: `EVENT` while the film is made, `VOD` for the finished film.
        version: part of every address; another one has other bytes.
        longest: frames of the film's longest segment, whether it is there or not.
        ended: nothing will be added.
    """
    head = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{math.ceil(longest / fps)}",
        f"#EXT-X-PLAYLIST-TYPE:{kind}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        "#EXT-X-START:TIME-OFFSET=0,PRECISE=YES",
        f'#EXT-X-MAP:URI="preview/init.mp4?v={version}"',
    ]
    body = [
        line
        for segment in segments
        for line in (f"#EXTINF:{segment.frames / fps:.6f},", f"preview/{segment.id}.m4s?v={version}")
    ]
    return "\n".join([*head, *body, *(["#EXT-X-ENDLIST"] if ended else [])]) + "\n"
