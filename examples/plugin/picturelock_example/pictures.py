"""A source of pictures that draws stripes for whatever is asked for."""

import asyncio
import zlib
from pathlib import Path
from typing import Self

import cv2
import numpy as np

from picturelock.composition.visuals.source import Received, SourceKind, Wanted
from picturelock.errors import PictureUnavailable
from picturelock.models import Attribution
from picturelock.settings import Settings


class Stripes:
    """Implements `picturelock.composition.visuals.source.VisualSource`."""

    name = "stripes"
    kind: SourceKind = "stock"  # it answers `visual.query`; "generated" would answer `visual.prompt`

    @classmethod
    def from_settings(cls, _settings: Settings, /) -> Self | None:
        """It needs no configuration. A source that needs a key reads it here, and returns None without it."""
        return cls()

    def key(self, wanted: Wanted) -> str:
        """The same text gives the same stripes."""
        return f"1 {wanted.text} {wanted.ordinal}"

    async def fetch(self, wanted: Wanted, target: Path, max_bytes: int, received: Received) -> Attribution:
        """Writes a picture to `target`, and says whose it is."""
        if wanted.kind == "clip":
            raise PictureUnavailable("stripes do not move")
        width = 8 + zlib.crc32(self.key(wanted).encode()) % 56
        row = np.where(np.arange(wanted.width) // width % 2, 220, 60).astype(np.uint8)
        encoded = cv2.imencode(".png", np.tile(row, (wanted.height, 1)))[1].tobytes()
        if len(encoded) > max_bytes:
            raise PictureUnavailable("the stripes are too large", limit=max_bytes)
        await asyncio.to_thread(target.write_bytes, encoded)
        received(len(encoded))
        return Attribution(source=self.name, author="a pattern", url="")
