"""A clip as a scene's picture: cut, counted, and found readable before anything is rendered."""

from collections.abc import Callable

from picturelock.errors import AssetUnreadable
from picturelock.models import ArtifactRef, ClipCut, Visual
from picturelock.render.clips import ClipFile
from picturelock.store.store import Store

_STALL_SECONDS = 20.0
"""Less than rendering allows: what is slow to find here would stand still there."""


async def cut_clip(
    visual: Visual, path: str, scene_frames: int, fps: int, store: Store, report: Callable[[float], None]
) -> tuple[ArtifactRef, ClipCut]:
    """The clip's file, and which of its frames the scene shows. No more of it is decoded than the scene needs.

    `path` is where the request names it, for the error.

    Raises:
        AssetUnreadable: the clip is damaged, or ends before its own start.
    """
    _, ref = await store.asset(visual.asset_id or "")
    entered = round(visual.start_seconds * fps)
    left = round(visual.end_seconds * fps) if visual.end_seconds is not None else entered + scene_frames
    length = max(1, min(scene_frames, left - entered))
    try:
        file = await ClipFile.open(await store.local(ref))
        first = await file.origin(fps) + entered
        wanted = ClipCut(first=first, frames=length, when_short=visual.when_short, fit=visual.fit)
        frames = await file.count(
            wanted, fps, _STALL_SECONDS, lambda progress: report(min(0.9, progress.frame / wanted.frames))
        )
    except AssetUnreadable as error:
        raise AssetUnreadable(error.message, field=path, detail=error.detail) from error
    return ref, wanted.model_copy(update={"frames": frames})
