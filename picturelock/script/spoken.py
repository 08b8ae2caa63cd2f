"""What a scene says as one text, and which of its words belong to which of its blocks."""

from typing import Final, NamedTuple

from picturelock.models import Scene
from picturelock.models.script import SpokenPart
from picturelock.script.plain import plain_text
from picturelock.script.words import join_words, split_words

_ENDS: Final = ".!?…:;。！？।؟"
_CLOSERS: Final = "\"'”’)]»」』"
_HEADLINE_WORDS: Final = 6
_HEADLINE_CHARACTERS: Final = 60


class PartSpan(NamedTuple):
    """A spoken piece of a scene, and its words' place among all of the scene's words."""

    part: SpokenPart
    first_word: int
    words: int


def spoken_text(scene: Scene) -> str:
    """All that is spoken, without markup. An item of a list is a sentence of its own.

    >>> from picturelock.models.blocks import ListBlock
    >>> spoken_text(Scene(narration="Two colours.", blocks=[ListBlock(items=["Red", "Blue"])]))
    'Two colours. Red. Blue.'
    """
    return " ".join(text for text in map(_text, scene.parts()) if text)


def part_spans(scene: Scene) -> list[PartSpan]:
    """The pieces in order, with the words that they are of `spoken_text`."""
    spans: list[PartSpan] = []
    first = 0
    for part in scene.parts():
        count = len(split_words(_text(part)))
        spans.append(PartSpan(part, first, count))
        first += count
    return spans


def _text(part: SpokenPart) -> str:
    text = plain_text(part.text)
    if part.block is None or not text or text.rstrip(_CLOSERS).endswith(tuple(_ENDS)):
        return text
    return f"{text}."


def headline_of(text: str) -> str:
    """The beginning of a text, short enough to stand large: its first sentence, clause or words.

    >>> headline_of("The sea rises. It falls again.")
    'The sea rises'
    """
    for characters in (".!?…。", ".!?…。,;:—"):
        cut = next(
            (i for i, character in enumerate(text) if character in characters and not text[i + 1 : i + 2].isalnum()),
            len(text),
        )
        if cut <= _HEADLINE_CHARACTERS:
            return text[:cut].strip() or text[:_HEADLINE_CHARACTERS]
    words = split_words(text)
    return join_words(words[:_HEADLINE_WORDS])[:_HEADLINE_CHARACTERS].rstrip(",;:—") + "…"
