"""The kinds of text that a client may send: printable, speakable, on one line."""

import unicodedata
from typing import Annotated, Final

from pydantic import AfterValidator, StringConstraints

MAX_TITLE_CHARACTERS: Final = 200
MAX_NARRATION_CHARACTERS: Final = 5_000


def printable(text: str) -> str:
    """The text, as long as it has no control characters but line ends and tabs. Raises ValueError."""
    for character in text:
        if unicodedata.category(character) == "Cc" and character not in "\n\t\r":
            raise ValueError(f"control character U+{ord(character):04X} cannot be spoken or shown")
    return text


def has_words(text: str) -> bool:
    """Whether there is a letter or a digit in the text."""
    return any(unicodedata.category(character)[0] in "LN" for character in text)


def speakable(text: str) -> str:
    """The text, as long as it has something to speak. Raises ValueError."""
    if not has_words(text):
        raise ValueError("there is nothing to speak: a narration needs at least one letter or digit")
    return text


def _one_line(text: str) -> str:
    return " ".join(text.split())


Title = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=MAX_TITLE_CHARACTERS),
    AfterValidator(printable),
    AfterValidator(_one_line),
]
NarrationText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NARRATION_CHARACTERS),
    AfterValidator(printable),
    AfterValidator(speakable),
]
Sentence = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=300),
    AfterValidator(printable),
    AfterValidator(speakable),
    AfterValidator(_one_line),
]
"""Something short that is both spoken and shown."""

Label = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=80),
    AfterValidator(printable),
    AfterValidator(_one_line),
]
"""A few words that are shown and not spoken; may be empty."""
