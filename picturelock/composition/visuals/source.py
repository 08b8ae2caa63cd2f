"""The protocol of picture sources and the registry of those this installation has."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, Protocol

import httpx

from picturelock.errors import NotOffered, PictureFailed, PictureUnavailable
from picturelock.models import Attribution, Model, Script
from picturelock.models.script import PictureSource
from picturelock.settings import Settings

RETRYABLE: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
Received = Callable[[int], None]
_TIMEOUT: Final = httpx.Timeout(60.0, read=110.0)  # a model may think for long


class Wanted(Model):
    """What a picture should show, and the frame it is for."""

    kind: Literal["image", "clip"]
    text: str
    width: int
    height: int
    ordinal: int = 0
    """How many scenes of the film have asked for just this before: each gets another picture."""

    @property
    def orientation(self) -> Literal["landscape", "portrait", "square"]:
        """The frame's shape, in the words of stock libraries."""
        ratio = self.width / self.height
        return "landscape" if ratio > 1.1 else "portrait" if ratio < 0.9 else "square"


class VisualSource(Protocol):
    """Anything that finds or makes pictures."""

    name: str

    def key(self, wanted: Wanted) -> str:
        """What determines the answer: the same key, the same picture. A preview gets its final film's pictures."""
        ...

    async def fetch(self, wanted: Wanted, target: Path, max_bytes: int, received: Received) -> Attribution:
        """Writes a picture or clip into `target` and tells whose it is. `received` is told bytes as they come.

        Raises:
            PictureUnavailable: it has none of that.
            PictureFailed: it did not deliver; trying again may help.
        """
        ...


def sources(settings: Settings) -> dict[PictureSource, VisualSource]:
    """The configured sources: `stock` and `generated`."""
    from picturelock.composition.visuals.openai import OpenAIImages  # noqa: PLC0415 - they import this module
    from picturelock.composition.visuals.pexels import Pexels  # noqa: PLC0415

    found: dict[PictureSource, VisualSource] = {}
    if settings.pexels_api_key is not None:
        found["stock"] = Pexels(settings.pexels_base_url, settings.pexels_api_key.get_secret_value())
    if settings.image_base_url is not None:
        found["generated"] = OpenAIImages.from_settings(settings)
    return found


def require(available: dict[PictureSource, VisualSource], asked: PictureSource, path: str) -> VisualSource:
    """The source that was asked for. Raises NotOffered, with the field that asks and the setting that is missing."""
    if asked in available:
        return available[asked]
    setting = {"stock": "PICTURELOCK_PEXELS_API_KEY", "generated": "PICTURELOCK_IMAGE_BASE_URL"}[asked]
    raise NotOffered(f"{path}: this installation has no source of {asked} pictures ({setting} is not set)")


def demands(script: Script, pictures: PictureSource) -> list[tuple[str, PictureSource]]:
    """What a film needs of sources, with the field that asks for it. `auto` asks for nothing."""
    found: list[tuple[str, PictureSource]] = []
    for index, scene in enumerate(script.scenes):
        if scene.visual is None and pictures in {"stock", "generated"}:
            found.append(("pictures", pictures))
        elif scene.visual and scene.visual.query:
            found.append((f"script.scenes[{index}].visual.query", "stock"))
        elif scene.visual and scene.visual.prompt:
            found.append((f"script.scenes[{index}].visual.prompt", "generated"))
    return found


async def ask(method: str, url: str, name: str, **options: object) -> httpx.Response:
    """One request to a source's API, its failures in our words.

    Raises:
        PictureFailed: no answer, or one that may be another later.
        PictureUnavailable: a refusal.
    """
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=True) as client:
            response = await client.request(method, url, **options)  # type: ignore[arg-type]
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _failed(f"{name} did not answer", error) from error
    if response.status_code in RETRYABLE:
        raise PictureFailed(f"{name} answered {response.status_code}", outage=True)
    if response.is_error:
        raise PictureUnavailable(
            f"{name} refused the request with {response.status_code}", detail=response.text[:500] or None
        )
    return response


async def download(url: str, target: Path, max_bytes: int, received: Received, name: str) -> None:
    """A file from a source, as long as it is not too large. Raises PictureFailed, PictureUnavailable."""
    try:
        async with (
            httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=True) as client,
            client.stream("GET", url) as response,
        ):
            if response.is_error:
                raise PictureFailed(f"{name} answered {response.status_code} for the file")
            size = 0
            with target.open("wb") as file:
                async for chunk in response.aiter_bytes():
                    size += len(chunk)
                    if size > max_bytes:
                        raise PictureUnavailable(f"{name}: the file is larger than {max_bytes / 1e6:.0f} MB")
                    await asyncio.to_thread(file.write, chunk)
                    received(size)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _failed(f"{name} did not deliver the file", error) from error


def _failed(what: str, error: Exception) -> PictureFailed:
    """A wrong address is wrong for good; anything else may pass."""
    return PictureFailed(f"{what}: {type(error).__name__}", outage=not isinstance(error, httpx.InvalidURL))
