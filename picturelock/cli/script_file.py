"""Reads what `picturelock export` is given: Markdown or JSON, with pictures from beside the file."""

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, Self

from picturelock.client.asynchronous import ApiError

_IMAGE: Final = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
_ASSET: Final = re.compile(r"sha256-[0-9a-f]{64}")
_STANDARD_INPUT: Final = Path("-")


class Uploads(Protocol):
    """Whoever turns files into assets: an API, or a store on this machine."""

    async def upload(self, path: Path) -> str:
        """A file's asset id."""


@dataclass(frozen=True, slots=True)
class ScriptFile:
    """A script that was read and whose pictures are there; nothing of it has been sent anywhere."""

    name: str
    stem: str
    content: str | Mapping[str, Any]
    """Markdown, or a whole request."""

    pictures: Mapping[str, Path]
    """Where the pictures are, by their names in the Markdown."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """A Markdown script, a JSON script, or a whole JSON request; `-` is Markdown from standard input.

        Raises:
            ApiError: the file cannot be read, or one of its pictures is not there.
        """
        if path == _STANDARD_INPUT:
            return cls._markdown("standard input", "film", sys.stdin.read(), Path())
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise ApiError(f"{path}: {error}") from error
        if path.suffix.lower() != ".json":
            return cls._markdown(path.name, path.stem, text, path.parent)
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ApiError(f"{path}: not JSON: {error}") from error
        whole = isinstance(data, dict) and ("script" in data or "brief" in data)
        return cls(path.name, path.stem, data if whole else {"script": data}, {})

    @classmethod
    def _markdown(cls, name: str, stem: str, text: str, folder: Path) -> Self:
        targets = dict.fromkeys(match.group(2) for match in _IMAGE.finditer(text))
        pictures = {target: folder / target for target in targets if not _ASSET.fullmatch(target)}
        for picture in pictures.values():
            if not picture.is_file():
                raise ApiError(f"there is no picture {picture}")
        return cls(name, stem, text, pictures)

    async def request(self, uploads: Uploads) -> dict[str, Any]:
        """The request, once the pictures are uploaded and their asset ids stand in their places."""
        if not isinstance(self.content, str):
            return dict(self.content)
        text = self.content
        for target, picture in self.pictures.items():
            text = text.replace(f"]({target})", f"]({await uploads.upload(picture)})")
        return {"script": text}
