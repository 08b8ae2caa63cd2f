"""Stock photos and clips from Pexels (https://www.pexels.com/api/documentation/)."""

from pathlib import Path
from typing import Final, Self, TypeVar

from pydantic import BaseModel, ValidationError

from picturelock.composition.visuals.source import Received, SourceKind, Wanted
from picturelock.errors import PictureFailed, PictureUnavailable
from picturelock.http_client import ProviderClient
from picturelock.models import Attribution
from picturelock.settings import Settings

_CLIENT: Final = ProviderClient("pexels", PictureFailed, PictureUnavailable)
_PER_PAGE: Final = 40
_LARGE: Final = 1_080
"""Pixels of the shorter side from which on a picture is large; those are preferred, whatever the film's size."""

_NEARLY: Final = 0.9
"""A clip may be this share of the frame's size."""


Item = TypeVar("Item")


class _Photo(BaseModel):
    width: int
    height: int
    url: str
    photographer: str = ""
    photographer_url: str = ""
    src: dict[str, str] = {}


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

    @property
    def usable(self) -> list[_VideoFile]:
        """The files that can be taken, the smallest first."""
        files = [file for file in self.video_files if file.file_type == "video/mp4" and file.width and file.height]
        return sorted(files, key=lambda file: (file.width or 0) * (file.height or 0))


class _Found(BaseModel):
    photos: list[_Photo] = []
    videos: list[_Video] = []


class Pexels:
    """Looks for photos and clips in the film's orientation, and takes the best match that is large enough."""

    name = "pexels"
    kind: SourceKind = "stock"

    @classmethod
    def from_settings(cls, settings: Settings, /) -> Self | None:
        """The source, or None without a key."""
        key = settings.pexels_api_key
        return cls(settings.pexels_base_url, key.get_secret_value()) if key else None

    def __init__(self, base_url: str, key: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {"Authorization": key}

    def key(self, wanted: Wanted) -> str:
        """A photo is the same for every size; of a clip, the size decides which file."""
        size = f"{wanted.width}x{wanted.height}" if wanted.kind == "clip" else ""
        return "|".join([self._base_url, wanted.kind, wanted.text, wanted.orientation, size, str(wanted.ordinal)])

    async def fetch(self, wanted: Wanted, target: Path, max_bytes: int, received: Received) -> Attribution:
        """A photo or clip; see `VisualSource`."""
        if wanted.kind == "clip":
            return await self._clip(wanted, target, max_bytes, received)
        photos = [photo for photo in (await self._search("/v1/search", wanted)).photos if "original" in photo.src]
        photo = _choose([(photo, photo.width, photo.height) for photo in photos], wanted)
        received(0)
        await _CLIENT.download(photo.src["original"], target, max_bytes, received, trusted=self._base_url)
        return Attribution(
            source=self.name, author=photo.photographer, author_url=photo.photographer_url, url=photo.url
        )

    async def _clip(self, wanted: Wanted, target: Path, max_bytes: int, received: Received) -> Attribution:
        videos = [video for video in (await self._search("/videos/search", wanted)).videos if video.usable]
        largest = [(video, video.usable[-1].width or 0, video.usable[-1].height or 0) for video in videos]
        video = _choose(largest, wanted)
        file = _smallest_that_fills(video.usable, wanted)
        received(0)
        await _CLIENT.download(file.link, target, max_bytes, received, trusted=self._base_url)
        return Attribution(source=self.name, author=video.user.name, author_url=video.user.url, url=video.url)

    async def _search(self, path: str, wanted: Wanted) -> _Found:
        parameters = {"query": wanted.text, "per_page": str(_PER_PAGE), "orientation": wanted.orientation}
        answer = await _CLIENT.request("GET", self._base_url + path, params=parameters, headers=self._headers)
        try:
            return _Found.model_validate_json(answer)
        except (ValueError, ValidationError) as error:
            raise PictureFailed("pexels answered with something that is no list of results") from error


def _choose(candidates: list[tuple[Item, int, int]], wanted: Wanted) -> Item:
    """The first match that is large, or the next one for each time the same was asked for before."""
    if not candidates:
        raise PictureUnavailable(f"pexels has nothing for {wanted.text!r}")
    large = [item for item, *size in candidates if min(size) >= _LARGE]
    others = [item for item, *size in candidates if min(size) < _LARGE]
    return [*large, *others][wanted.ordinal % len(candidates)]


def _smallest_that_fills(files: list[_VideoFile], wanted: Wanted) -> _VideoFile:
    """The smallest file that fills the frame, else the largest one."""
    for file in files:
        if (file.width or 0) >= wanted.width * _NEARLY and (file.height or 0) >= wanted.height * _NEARLY:
            return file
    return files[-1]
