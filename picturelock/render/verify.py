"""Whether an encoded segment is what was drawn, before anybody believes it."""

from pathlib import Path
from typing import Final

import numpy as np

from picturelock.errors import OutputInvalid
from picturelock.ffmpeg.luma import decode_luma
from picturelock.ffmpeg.packets import VideoPackets, read_packets

LUMA_TOLERANCE: Final = 16.0
"""How far the mean luma (0-255) of a decoded picture may be from the drawn one."""

_SIZE: Final = (96, 54)
"""Pictures are looked at in this size: an area-scaled picture has the picture's own mean."""


async def check_segment(path: Path, frames: int) -> VideoPackets:
    """The packets of a segment; raises OutputInvalid unless there is one for each frame."""
    packets = await read_packets(path)
    if len(packets.digests) != frames:
        raise OutputInvalid(f"the segment has {len(packets.digests)} frames; {frames} were drawn")
    return packets


async def check_all_pictures(path: Path, drawn: list[float]) -> None:
    """Decodes every picture of a segment strictly and compares its mean luma with what was drawn, frame by frame.

    Raises:
        RenderFailed: it does not decode.
        OutputInvalid: a picture is not the one that was drawn.
    """
    decoded = (await decode_luma(path, _SIZE)).mean(axis=(1, 2))
    if len(decoded) != len(drawn):
        raise OutputInvalid(f"{len(decoded)} of {len(drawn)} pictures came back")
    difference = np.abs(decoded - np.asarray(drawn))
    if difference.max() > LUMA_TOLERANCE:
        worst = int(difference.argmax())
        raise OutputInvalid(f"picture {worst} has a luma of {decoded[worst]:.0f}; {drawn[worst]:.0f} was drawn")
