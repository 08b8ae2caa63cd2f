"""Stock photos and clips from Pexels (https://www.pexels.com/api/documentation/)."""

from pathlib import Path
from typing import Final, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from picturelock.errors import PictureFailed, PictureUnavailable
from picturelock.models import Attribution
from picturelock.visuals.source import Wanted, ask, download

_PER_PAGE: Final = 40
_LARGE_ENOUGH: Final = 0.9
"""A photo may be this share of the frame's size before a larger one is preferred."""


Item = TypeVar("Item")


class _Photo(BaseModel):
    width: int
    height: int
    url: str
    photographer: str = ""
    photographer_url: str = ""
    src: dict[str, str]


class _User(BaseModel):
    name: str = ""
    url: str = ""


class _VideoFile(BaseModel):
    link: str
    file_type: str = "video/mp4"
    width: int | None = None
    height: int | None = None


class _Video(BaseModel):
    url: str
    user: _User = _User()
    video_files: list[_VideoFile]


class _Found(BaseModel):
    photos: list[_Photo] = []
    videos: list[_Video] = []


class Pexels:
    """Looks for photos and clips in the film's orientation, and takes the best match that is large enough."""

    name = "pexels"
    version = "1"
    kinds: frozenset[Literal["image", "clip"]] = frozenset({"image", "clip"})

    def __init__(self, base_url: str, key: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {"Authorization": key}

    async def fetch(self, wanted: Wanted, target: Path, max_bytes: int) -> Attribution:
        """A photo or clip; see `VisualSource`."""
        if wanted.kind == "clip":
            return await self._clip(wanted, target, max_bytes)
        photos = (await self._search("/v1/search", wanted)).photos
        photo = _choose([(one, one.width, one.height) for one in photos], wanted)
        await download(photo.src["original"], target, max_bytes, self.name)
        return Attribution(
            source=self.name, author=photo.photographer, author_url=photo.photographer_url, url=photo.url
        )

    async def _clip(self, wanted: Wanted, target: Path, max_bytes: int) -> Attribution:
        videos = (await self._search("/videos/search", wanted)).videos
        pairs = [(video, file) for video in videos if (file := _smallest_that_fills(video.video_files, wanted))]
        video, file = _choose([(pair, pair[1].width or 0, pair[1].height or 0) for pair in pairs], wanted)
        await download(file.link, target, max_bytes, self.name)
        return Attribution(source=self.name, author=video.user.name, author_url=video.user.url, url=video.url)

    async def _search(self, path: str, wanted: Wanted) -> _Found:
        parameters = {"query": wanted.text, "per_page": str(_PER_PAGE), "orientation": wanted.orientation}
        response = await ask("GET", self._base_url + path, self.name, params=parameters, headers=self._headers)
        try:
            return _Found.model_validate(response.json())
        except (ValueError, ValidationError) as error:
            raise PictureFailed("pexels answered with something that is no list of results") from error


def _choose(found: list[tuple[Item, int, int]], wanted: Wanted) -> Item:
    """The first match that is large enough, or the next one for each time the same was asked for before."""
    if not found:
        raise PictureUnavailable(f"pexels has nothing for {wanted.text!r}")
    large = [one for one, width, height in found if _fills(width, height, wanted)]
    others = [one for one, width, height in found if not _fills(width, height, wanted)]
    return [*large, *others][wanted.ordinal % len(found)]


def _fills(width: int, height: int, wanted: Wanted) -> bool:
    return width >= wanted.width * _LARGE_ENOUGH and height >= wanted.height * _LARGE_ENOUGH


def _smallest_that_fills(files: list[_VideoFile], wanted: Wanted) -> _VideoFile | None:
    """The smallest file that fills the frame, else the largest one."""
    usable = [one for one in files if one.file_type == "video/mp4" and one.width and one.height]
    by_size = sorted(usable, key=lambda one: (one.width or 0) * (one.height or 0))
    filling = [one for one in by_size if _fills(one.width or 0, one.height or 0, wanted)]
    return next(iter(filling or by_size[::-1]), None)
