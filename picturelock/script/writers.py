"""Writers turn a `Brief` into a `Script`; the one that is built in.

A writer is a class that an entry point of the group `picturelock.writers` names (docs/plugins.md).
"""

import math
from itertools import pairwise
from typing import Final, Protocol, Self

from pydantic import ValidationError

from picturelock.errors import InvalidScript, WriterUnavailable
from picturelock.models import Brief, Scene, Script
from picturelock.models.text import has_words
from picturelock.plugins import PluginConflict, configured
from picturelock.script.markdown import parse_script
from picturelock.script.plain import plain_text
from picturelock.script.sentences import sentences as split_sentences
from picturelock.script.spoken import headline_of, spoken_text
from picturelock.settings import Settings

_BUILT_IN: Final = "builtin"
_LEAST_SENTENCES: Final = 2
_SENTENCES: Final = 2
_MOST_SENTENCES: Final = 3
_BARE: Final = (
    "a topic alone says nothing that could be told, and facts are not invented: configure a language model "
    "(PICTURELOCK_LLM_BASE_URL, or a writer of your own), or give the facts as several sentences or a list"
)


class Writer(Protocol):
    """Anything that makes a script of a brief.

    Example:
        >>> class Echo:
        ...     @classmethod
        ...     def from_settings(cls, settings: Settings, /) -> "Echo": return cls()
        ...     async def write(self, brief: Brief) -> Script:
        ...         return Script(title=brief.topic, scenes=[Scene(narration=brief.topic)])
    """

    @classmethod
    def from_settings(cls, settings: Settings, /) -> Self | None:
        """The writer, or None where it is not configured."""
        ...

    async def write(self, brief: Brief) -> Script:
        """The script.

        Raises:
            WriterUnavailable: this writer cannot write it.
            WriterFailed: it could, but something failed that may pass.
        """
        ...


class BuiltInWriter:
    """Makes scenes of what the brief says, in its own words and order: same brief, same script. It invents nothing.

    Paragraphs become scenes of a sentence or two, lists stay lists, headings stay titles. A bare topic has nothing
    that could be told, and is refused.
    """

    @classmethod
    def from_settings(cls, _settings: Settings, /) -> Self:
        """It needs no configuration."""
        return cls()

    async def write(self, brief: Brief) -> Script:
        """The script; see `Writer`."""
        if not has_words(plain_text(brief.topic)):
            raise WriterUnavailable("nothing is left to write about without the markup", field="brief.topic")
        material = _read(brief)
        scenes = [scene for drawn in material.scenes for scene in _split(drawn)]
        if sum(len(_sentences(part.text)) for scene in scenes for part in scene.parts()) < _LEAST_SENTENCES:
            raise WriterUnavailable(_BARE, field="brief.topic")
        title = material.title or headline_of(spoken_text(scenes[0]))
        return material.model_copy(update={"title": title, "scenes": scenes})


def _read(brief: Brief) -> Script:
    """The topic as Markdown. Raises InvalidScript, with the brief's own path."""
    try:
        return parse_script(brief.topic, brief.language)
    except InvalidScript as error:
        raise InvalidScript(error.reason, field="brief.topic") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidScript(f"{where}: {first['msg']}", field="brief.topic") from error


def _split(scene: Scene) -> list[Scene]:
    """A scene of many sentences as several, of about two each; the first one keeps the title and the picture."""
    sentences = _sentences(scene.narration or "")
    if scene.blocks or len(sentences) <= _MOST_SENTENCES:
        return [scene]
    count = math.ceil(len(sentences) / _SENTENCES)
    cuts = [round(number * len(sentences) / count) for number in range(count + 1)]
    texts = [" ".join(sentences[begin:end]) for begin, end in pairwise(cuts)]
    first = scene.model_copy(update={"narration": texts[0]})
    return [first, *(Scene(narration=text) for text in texts[1:])]


def chosen_writer(settings: Settings) -> Writer:
    """The writer that the settings name; else the one that is configured; else the built-in one.

    Raises:
        PluginConflict: several are configured, and the settings name none of them.
    """
    offered: dict[str, Writer] = configured("picturelock.writers", settings)
    if settings.writer is not None:
        if settings.writer not in offered:
            raise PluginConflict(f"there is no writer {settings.writer!r}; installed: {', '.join(offered)}")
        return offered[settings.writer]
    others = {name: writer for name, writer in offered.items() if name != _BUILT_IN}
    if len(others) > 1:
        raise PluginConflict(f"{', '.join(others)} are configured: name one in PICTURELOCK_WRITER")
    return next(iter(others.values()), BuiltInWriter())


def _sentences(text: str) -> list[str]:
    """The sentences; what has no letter or digit of its own stays with the sentence before it."""
    sentences: list[str] = []
    for part in split_sentences(text):
        if sentences and not has_words(part):
            sentences[-1] = f"{sentences[-1]} {part}"
        else:
            sentences.append(part)
    return sentences
