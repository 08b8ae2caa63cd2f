"""Reads what `picturelock export` is given: Markdown or JSON, with pictures from beside the file."""

import json
import re
from pathlib import Path
from typing import Final

from picturelock.cli.client import ApiClient, ApiError

_IMAGE: Final = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
_ASSET: Final = re.compile(r"sha256-[0-9a-f]{64}")


async def read_script(path: Path, api: ApiClient) -> dict[str, object]:
    """The request for a file: a Markdown script, a JSON script, or a whole JSON request.

    Raises:
        ApiError: the file cannot be read, or one of its pictures.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ApiError(f"{path}: {error}") from error
    if path.suffix.lower() != ".json":
        return {"script": await _with_pictures(text, path.parent, api)}
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ApiError(f"{path}: not JSON: {error}") from error
    whole = isinstance(data, dict) and ("script" in data or "brief" in data)
    return data if whole else {"script": data}


async def _with_pictures(text: str, folder: Path, api: ApiClient) -> str:
    """Uploads the pictures that the Markdown names and puts their asset ids in their places."""
    for target in dict.fromkeys(match.group(2) for match in _IMAGE.finditer(text)):
        if _ASSET.fullmatch(target):
            continue
        picture = folder / target
        if not picture.is_file():
            raise ApiError(f"there is no picture {picture}")
        asset_id = await api.upload(picture)
        text = text.replace(f"]({target})", f"]({asset_id})")
    return text
