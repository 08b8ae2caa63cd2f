"""Writers turn a `Brief` into a `Script`; the one that is built in.

A writer is a class that an entry point of the group `picturelock.writers` names (docs/plugins.md).
"""

from typing import Final, Protocol, Self

from picturelock.errors import WriterUnavailable
from picturelock.models import Brief, Scene, Script
from picturelock.models.script import MAX_TITLE_CHARACTERS
from picturelock.plugins import PluginConflict, configured
from picturelock.script.markdown import plain_text
from picturelock.script.sentences import sentences as split_sentences
from picturelock.settings import Settings

_BUILT_IN: Final = "builtin"

WORDS_PER_SECOND = 2.4
"""How fast the built-in voice reads; measured on its own prose."""


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
    """Writes English from the brief's own words: same brief, same script. It invents no facts.

    A brief of several sentences is told as it stands, a sentence or two a scene, framed by an opening and a close.
    A short topic is introduced, and the viewer is led from the question to what to take along.
    """

    @classmethod
    def from_settings(cls, _settings: Settings, /) -> Self:
        """It needs no configuration."""
        return cls()

    async def write(self, brief: Brief) -> Script:
        """The script; see `Writer`."""
        if not brief.language.lower().startswith("en"):
            raise WriterUnavailable(f"the built-in writer writes English, not {brief.language!r}")
        topic = plain_text(brief.topic).lstrip(".!?… ")
        if not any(character.isalnum() for character in topic):
            raise WriterUnavailable("nothing is left to write about without the markup", field="brief.topic")
        sentences = _sentences(topic)
        if len(sentences) > 1:
            return _told(sentences, brief)
        return _introduced(topic.rstrip(".!?… "), brief)


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
        if sentences and not any(character.isalnum() for character in part):
            sentences[-1] = f"{sentences[-1]} {part}".strip()
        elif part.strip():
            sentences.append(part.strip())
    return sentences


def _told(sentences: list[str], brief: Brief) -> Script:
    title = _shorten(sentences[0].rstrip(".!?… "))
    per_scene = 2 if len(sentences) > 6 else 1
    groups = [" ".join(sentences[at : at + per_scene]) for at in range(0, len(sentences), per_scene)]
    scenes = [Scene(title=title, narration=groups[0])]
    scenes += [Scene(narration=_closed(group)) for group in groups[1:]]
    scenes.append(Scene(title="To remember", narration=f"That is the story{_for(brief)}: {_lower(title)}."))
    return Script(title=title, language=brief.language, scenes=scenes)


def _introduced(topic: str, brief: Brief) -> Script:
    subject = _lower(topic)
    tone = f" Expect it to be {brief.tone.strip().rstrip('.')}." if brief.tone else ""
    body = [
        (
            "The question",
            f"We begin with the question itself: {subject}. A good question is half of the answer.",
        ),
        (
            "Look closely",
            f"Look closely at {subject}, and take it one piece at a time. What do you see first?",
        ),
        ("Why it matters", f"Why does it matter? Because {subject} touches more of our days than we notice."),
        ("Try it", f"Now it is your turn. Explain {subject} to somebody in three sentences of your own."),
        (
            "Ask again",
            f"Then ask again. Every time you come back to {subject}, there is a little more to find.",
        ),
    ]
    opening = Scene(
        title=_shorten(topic),
        narration=f"{_upper(topic)}. This is a short film about {subject}{_for(brief)}.{tone}",
    )
    close = Scene(
        title="To remember",
        narration=f"Keep one thing in mind: {subject} is worth a second look. Thank you for watching.",
    )
    budget = brief.target_duration_seconds * WORDS_PER_SECOND - _words(opening.narration) - _words(close.narration)
    scenes = [opening]
    for title, narration in body:
        if len(scenes) > 1 and budget < _words(narration):
            break
        budget -= _words(narration)
        scenes.append(Scene(title=title, narration=narration))
    return Script(title=_shorten(topic), language=brief.language, scenes=[*scenes, close])


def _for(brief: Brief) -> str:
    return f", made for {brief.audience.strip().rstrip('.')}" if brief.audience else ""


def _words(text: str) -> int:
    return len(text.split())


def _closed(text: str) -> str:
    return text if text[-1] in ".!?…" else f"{text}."


def _lower(text: str) -> str:
    first = text.split(" ", 1)[0]
    keep = first.isupper() or any(character.isupper() for character in first[1:])
    return text if keep else text[0].lower() + text[1:]


def _upper(text: str) -> str:
    return text[0].upper() + text[1:]


def _shorten(text: str) -> str:
    if len(text) <= MAX_TITLE_CHARACTERS // 2:
        return _upper(text)
    return _upper(text[: MAX_TITLE_CHARACTERS // 2].rsplit(" ", 1)[0]) + "…"
