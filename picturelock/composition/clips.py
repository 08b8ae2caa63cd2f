"""A clip as a scene's picture: cut, counted, and found readable before anything is rendered."""

from collections.abc import Callable

from picturelock.errors import AssetUnreadable
from picturelock.media.clips import ClipFile
from picturelock.models import ArtifactRef, ClipCut, Visual
from picturelock.storage import Store

_STALL_SECONDS = 60.0


async def cut_clip(
    visual: Visual, index: int, scene_frames: int, fps: int, store: Store, report: Callable[[float], None]
) -> tuple[ArtifactRef, ClipCut]:
    """The clip's file, and which of its frames the scene shows. No more of it is decoded than the scene needs.

    Raises:
        AssetUnreadable: the clip is damaged, or ends before its own start.
    """
    path = f"script.scenes[{index}].visual"
    _, ref = await store.asset(visual.asset_id or "")
    first = round(visual.start_seconds * fps)
    last = round(visual.end_seconds * fps) if visual.end_seconds is not None else first + scene_frames
    wanted = ClipCut(
        first=first, frames=max(1, min(scene_frames, last - first)), when_short=visual.when_short, fit=visual.fit
    )
    try:
        file = await ClipFile.open(await store.local(ref))
        frames = await file.count(
            wanted, fps, _STALL_SECONDS, lambda progress: report(min(0.9, progress.frame / wanted.frames))
        )
    except AssetUnreadable as error:
        raise AssetUnreadable(f"{path}: {error.message}", detail=error.detail) from error
    return ref, wanted.model_copy(update={"frames": frames})
