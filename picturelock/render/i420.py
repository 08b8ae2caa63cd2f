"""Pictures as I420 planes in bt709 limited range, the only form in which frames are drawn.

A frame is one array of shape (height * 3 / 2, width), uint8: Y, then U and V at half size. Conversion from RGB uses
the bt709 matrix of ITU-R BT.709-6 section 3; limited range puts black at 16 and white at 235.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Bytes2D = npt.NDArray[np.uint8]
RGB = npt.NDArray[np.uint8]

_KR, _KG, _KB = 0.2126, 0.7152, 0.0722
_Y, _C = 219.0 / 255.0, 224.0 / 255.0
_TO_YUV: Final = np.array(
    [
        [_Y * _KR, _Y * _KG, _Y * _KB, 16.0],
        [-_C * _KR / (2 * (1 - _KB)), -_C * _KG / (2 * (1 - _KB)), _C * 0.5, 128.0],
        [_C * 0.5, -_C * _KG / (2 * (1 - _KR)), -_C * _KB / (2 * (1 - _KR)), 128.0],
    ],
    dtype=np.float32,
)
_TO_RGB: Final = np.linalg.inv(np.vstack([_TO_YUV, [0.0, 0.0, 0.0, 1.0]]))[:3].astype(np.float32)


@dataclass(frozen=True, slots=True)
class Planes:
    """Views of one frame's three planes. Width and height are even."""

    y: Bytes2D
    u: Bytes2D
    v: Bytes2D

    @property
    def width(self) -> int:
        """Pixels across."""
        return int(self.y.shape[1])

    @property
    def height(self) -> int:
        """Pixels down."""
        return int(self.y.shape[0])

    def __iter__(self) -> Iterator[Bytes2D]:
        """Y, U and V."""
        yield from (self.y, self.u, self.v)


def new_frame(width: int, height: int) -> Bytes2D:
    """An uninitialised frame of shape (height * 3 / 2, width)."""
    return np.empty((height * 3 // 2, width), np.uint8)


def views(frame: Bytes2D) -> Planes:
    """The planes of a frame, without a copy."""
    height, width = frame.shape[0] * 2 // 3, frame.shape[1]
    chroma = frame[height:].reshape(2, height // 2, width // 2)
    return Planes(frame[:height], chroma[0], chroma[1])


def yuv_of(rgb: tuple[int, int, int]) -> tuple[int, int, int]:
    """One colour as Y, U, V."""
    converted = _TO_YUV @ np.array([*rgb, 1.0], np.float32)
    y, u, v = (round(float(value)) for value in converted)
    return y, u, v


def from_rgb(rgb: RGB) -> Bytes2D:
    """RGB of shape (height, width, 3), even sides, as a frame."""
    height, width = rgb.shape[:2]
    frame = new_frame(width, height)
    planes = views(frame)
    converted = cv2.transform(rgb, _TO_YUV)
    planes.y[:] = converted[:, :, 0]
    size = (width // 2, height // 2)
    planes.u[:] = cv2.resize(np.ascontiguousarray(converted[:, :, 1]), size, interpolation=cv2.INTER_AREA)
    planes.v[:] = cv2.resize(np.ascontiguousarray(converted[:, :, 2]), size, interpolation=cv2.INTER_AREA)
    return frame


def to_rgb(frame: Bytes2D, width: int, height: int) -> RGB:
    """A frame as RGB of shape (height, width, 3), made smaller."""
    planes = [cv2.resize(np.ascontiguousarray(plane), (width, height), interpolation=cv2.INTER_AREA)
              for plane in views(frame)]  # fmt: skip
    return np.asarray(cv2.transform(np.dstack(planes), _TO_RGB), np.uint8)


def pack(frame: Bytes2D) -> bytes:
    """A frame as a stored file (NumPy's npy format)."""
    buffer = io.BytesIO()
    np.save(buffer, frame, allow_pickle=False)
    return buffer.getvalue()


def load_frame(path: Path) -> Bytes2D:
    """The frame of a stored file, mapped into memory: what slots only read of one picture they share."""
    frame: Bytes2D = np.load(path, mmap_mode="r", allow_pickle=False)
    return frame


def rgb_of_bytes(data: bytes | bytearray, width: int, height: int) -> RGB:
    """Raw rgb24 bytes as a picture of shape (height, width, 3)."""
    return np.frombuffer(data, np.uint8).reshape(height, width, 3)
