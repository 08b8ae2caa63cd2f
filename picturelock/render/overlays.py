"""What lies over frames: pictures with transparency, and when and how they appear."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from picturelock.models import Level
from picturelock.models.film import Enter
from picturelock.render.i420 import RGB, Bytes2D, Planes, from_rgb, views
from picturelock.render.motion import eased

ThreePlanes = tuple[Bytes2D, Bytes2D, Bytes2D]
"""Y, U and V of a part of the frame."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """A picture with transparency that is laid over frames at (x, y), both even.

    Of what is there `inverse_alpha` / 255 stays, and the `premultiplied` colour is added.

    Whole numbers are enough: a value is at most one step off, where it is neither covered nor free.
    """

    x: int
    y: int
    inverse_alpha: ThreePlanes
    premultiplied: ThreePlanes

    def over(self, out: Planes, opacity: float = 1.0, *, down: int = 0, crop: tuple[float, float] = (1.0, 1.0)) -> None:
        """Composites onto a frame; what hangs out of it is cut off.

        Args:
            out: the frame.
            opacity: how much of it is seen.
            down: how many pixels below its place it is drawn (even).
            crop: which share of its width (from the left) and of its height (from its top) is drawn.
        """
        layers = zip(out, self.inverse_alpha, self.premultiplied, (1, 2, 2), strict=True)
        rows, columns = (2 * round(side * share / 2) for side, share in zip(self._size(), crop[::-1], strict=True))
        for plane, inverse_alpha, premultiplied, subsampling in layers:
            part = np.s_[: rows // subsampling, : columns // subsampling]
            place = self.x // subsampling, (self.y + down) // subsampling
            _composite(plane, inverse_alpha[part], premultiplied[part], place, opacity)

    def _size(self) -> tuple[int, int]:
        return self.inverse_alpha[0].shape[0], self.inverse_alpha[0].shape[1]


def _composite(
    plane: Bytes2D, inverse_alpha: Bytes2D, premultiplied: Bytes2D, place: tuple[int, int], opacity: float
) -> None:
    x, y = place
    height = min(inverse_alpha.shape[0], plane.shape[0] - y)
    width = min(inverse_alpha.shape[1], plane.shape[1] - x)
    if height <= 0 or width <= 0:
        return
    region = plane[y : y + height, x : x + width]
    kept = cv2.multiply(region, inverse_alpha[:height, :width], scale=1 / 255)
    if opacity >= 1.0:
        cv2.add(kept, premultiplied[:height, :width], dst=region)
    else:
        covered = cv2.add(kept, premultiplied[:height, :width])
        cv2.addWeighted(region, 1 - opacity, covered, opacity, 0, dst=region)


_LEVEL_SECONDS_INVERSE: Final = 4
"""A change of brightness takes a quarter of a second."""

_RISE: Final = 0.028
"""How far below its place a part begins to rise, as a share of the frame's height."""


@dataclass(frozen=True, slots=True)
class TimedOverlay:
    """An overlay with its times, in frames of its scene."""

    overlay: Overlay
    fps: int
    enter_frame: int = 0
    enter: Enter = "none"
    enter_frames: int = 0
    leave_frame: int | None = None
    levels: tuple[Level, ...] = ()

    def over(self, frame: int, out: Planes, opacity: float = 1.0) -> None:
        """Draws it as it is at a frame of the scene, with `opacity` of what it would be."""
        opacity *= self._level(frame)
        if frame < self.enter_frame or opacity <= 0.0:
            return
        share = 1.0 if self.enter_frames == 0 else min(1.0, (frame - self.enter_frame + 1) / self.enter_frames)
        shown = eased(share)
        if share >= 1.0:
            self.overlay.over(out, opacity)
        elif self.enter == "rise":
            down = 2 * round(_RISE * out.height * (1 - shown) / 2)
            self.overlay.over(out, opacity * shown, down=down)
        elif self.enter == "grow-up":
            height = self.overlay.inverse_alpha[0].shape[0]
            kept = 2 * round(height * shown / 2)
            self.overlay.over(out, opacity, down=height - kept, crop=(1.0, kept / height))
        elif self.enter in {"wipe", "grow-right"}:
            self.overlay.over(out, opacity, crop=(shown, 1.0))
        else:
            self.overlay.over(out, opacity * shown)

    def _level(self, frame: int) -> float:
        """How much is seen at a frame: by levels, and going at the end."""
        steps = max(1, self.fps // _LEVEL_SECONDS_INVERSE)
        level = 1.0
        for change in self.levels:
            if frame < change.frame:
                break
            level += (change.opacity - level) * min(1.0, (frame - change.frame + 1) / steps)
        if self.leave_frame is not None:
            level *= min(1.0, max(0.0, (self.leave_frame - frame) / steps))
        return level


def rgba_overlay(x: int, y: int, rgba: RGB) -> Overlay:
    """An overlay of a picture of shape (height, width, 4), even sides."""
    return picture_overlay(x, y, from_rgb(np.ascontiguousarray(rgba[:, :, :3])), rgba[:, :, 3], 1.0)


def picture_overlay(x: int, y: int, frame: Bytes2D, mask: Bytes2D, opacity: float) -> Overlay:
    """An overlay of a picture (I420 frame) through an 8-bit mask of the same size."""
    planes = views(frame)
    return _premultiplied(x, y, _cover(mask, opacity), (planes.y, planes.u, planes.v))


def _cover(mask: Bytes2D, opacity: float) -> ThreePlanes:
    """What share of each pixel is covered, in 255ths."""
    luma = mask.astype(np.float32) * opacity
    half = cv2.resize(luma, (mask.shape[1] // 2, mask.shape[0] // 2), interpolation=cv2.INTER_AREA)
    chroma = np.rint(half).astype(np.uint8)
    return np.rint(luma).astype(np.uint8), chroma, chroma


def _premultiplied(x: int, y: int, cover: ThreePlanes, colors: ThreePlanes) -> Overlay:
    """Colours multiplied by their coverage, once for all frames."""
    luma, u, v = (cv2.multiply(color, part, scale=1 / 255) for color, part in zip(colors, cover, strict=True))
    premultiplied = np.asarray(luma, np.uint8), np.asarray(u, np.uint8), np.asarray(v, np.uint8)
    return Overlay(x, y, (255 - cover[0], 255 - cover[1], 255 - cover[2]), premultiplied)
