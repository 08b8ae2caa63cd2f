"""What the options of `picturelock export` wish for, put into a request."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

from picturelock.cli.script_file import Uploads
from picturelock.client.asynchronous import ApiError
from picturelock.models.request import Mood

SHAPES: Final = {"16:9": "youtube-1080p", "9:16": "tiktok", "1:1": "facebook", "4:5": "instagram-feed"}
"""The preset of a shape that is named by its sides."""

_MOODS: Final = get_args(Mood)
NO_CAPTIONS: Final = "none"


@dataclass(frozen=True, slots=True)
class Wishes:
    """Options that were given; None is "as the script or the request says"."""

    preset: str | None = None
    shape: str | None = None
    theme: str | None = None
    voice: str | None = None
    language: str | None = None
    captions: str | None = None
    transition: str | None = None
    music: str | None = None
    watermark: Path | None = None
    opening: bool | None = None
    ending: bool | None = None

    def check(self) -> None:
        """Refuses now what would be refused after a stack has been started. Raises ApiError."""
        if self.preset and self.shape:
            raise ApiError("--preset and --format name the same thing: give one of them")
        if self.shape and self.shape not in SHAPES:
            raise ApiError(f"--format {self.shape!r}: one of {', '.join(SHAPES)}, or a preset with --preset")
        if self.watermark is not None and not self.watermark.is_file():
            raise ApiError(f"--watermark: there is no file {self.watermark}")
        if self.music is not None and self.music not in _MOODS and not Path(self.music).is_file():
            raise ApiError(f"--music: there is no file {self.music}, and no such mood: {', '.join(_MOODS)}")

    async def put_into(self, request: Mapping[str, Any], uploads: Uploads) -> dict[str, Any]:
        """The request with the options over what it says itself; files are uploaded."""
        changed = dict(request)
        if preset := self.preset or SHAPES.get(self.shape or ""):
            changed["video"] = _over(changed.get("video"), {"preset": preset})
        if self.theme:
            changed["theme"] = self.theme
        if self.voice:
            engine, _, name = self.voice.rpartition("/")
            changed["voice"] = _over(changed.get("voice"), {"voice": name, **({"engine": engine} if engine else {})})
        if self.language:
            _name_language(changed, self.language)
        if self.captions:
            wish = {"burnIn": False} if self.captions == NO_CAPTIONS else {"style": self.captions}
            changed["captions"] = _over(changed.get("captions"), wish)
        if self.transition:
            changed["transition"] = _over(changed.get("transition"), {"kind": self.transition})
        if self.music in _MOODS:
            changed["music"] = {"mood": self.music}
        elif self.music:
            changed["music"] = {"assetId": await uploads.upload(Path(self.music))}
        if self.watermark:
            changed["watermark"] = _over(changed.get("watermark"), {"assetId": await uploads.upload(self.watermark)})
        cards = {"opening": self.opening, "ending": self.ending}
        return changed | {name: value for name, value in cards.items() if value is not None}


def _over(present: object, wish: Mapping[str, object]) -> object:
    """A wish over what is there; what is no object is left for the API to refuse."""
    return {**present, **wish} if isinstance(present, Mapping) else dict(wish) if present is None else present


def _name_language(request: dict[str, Any], language: str) -> None:
    """The language of a script or a brief; Markdown takes it in its front matter."""
    for name in ("script", "brief"):
        part = request.get(name)
        if isinstance(part, Mapping):
            request[name] = {**part, "language": language}
        elif isinstance(part, str):
            request[name] = with_front_matter(part, "language", language)


def with_front_matter(source: str, name: str, value: str) -> str:
    r"""A Markdown script with one more line in its front matter, over one of that name.

    >>> with_front_matter("Hello.", "language", "de")
    '---\nlanguage: de\n---\nHello.'
    """
    lines = source.split("\n")
    line = f"{name}: {value}"
    end = next((number for number, text in enumerate(lines[1:], start=1) if text.rstrip() == "---"), None)
    if lines[0].rstrip() != "---" or end is None:
        return f"---\n{line}\n---\n{source}"
    kept = [text for text in lines[1:end] if not text.startswith(f"{name}:")]
    return "\n".join(["---", *kept, line, *lines[end:]])
