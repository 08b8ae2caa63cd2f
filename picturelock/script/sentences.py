"""A text cut into sentences. A full stop that belongs to an abbreviation ends none."""

import re
from typing import Final

_STOP: Final = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|(?<=[。！？])[」』）]*\s*")
_LAST_WORD: Final = re.compile(r"([^\s(\"'“‘\[]+)$")
_INITIALS: Final = re.compile(r"(?:[^\W\d_]\.)+")
_NEVER: Final = frozenset(
    {
        "dr.", "mr.", "mrs.", "ms.", "prof.", "st.", "mt.", "ft.", "gen.", "col.", "lt.", "sgt.", "capt.", "rev.",
        "hon.", "pres.", "gov.", "sen.", "rep.",
        "eds.", "vs.", "cf.", "e.g.", "i.e.", "approx.", "ca.", "resp.", "incl.",
        "excl.", "esp.", "z.b.", "d.h.", "u.a.", "bzw.", "hr.", "fr.", "m.", "mme.", "mlle.", "sra.",
        "dra.",
    }
)  # fmt: skip
"""What is always followed by what it is about."""

_NUMBERED: Final = frozenset(
    {
        "no.", "nos.", "fig.", "figs.", "p.", "pp.", "vol.", "ch.", "sec.", "art.", "eq.", "ed.", "nr.", "bd.", "núm.",
        "pág.",
    }
)  # fmt: skip
"""What stands before a number; elsewhere some of them are words."""

_SELDOM: Final = frozenset(
    {
        "jan.", "feb.", "mar.", "apr.", "jun.", "jul.", "aug.", "sep.", "sept.", "oct.", "nov.", "dec.", "mon.",
        "tue.", "wed.", "thu.", "fri.", "sat.", "sun.", "etc.", "inc.", "ltd.", "co.", "corp.", "bros.", "jr.",
        "sr.", "dept.", "univ.", "est.", "min.", "max.", "usw.", "a.m.", "p.m.", "u.s.", "u.k.", "e.u.", "u.n.",
        "ph.d.", "b.c.", "a.d.",
    }
)  # fmt: skip
"""What may end a sentence: it does where a capital letter follows."""


def sentences(text: str) -> list[str]:
    """The sentences of a text, each with what ends it.

    >>> sentences("It starts on Dec. 1st. Dr. Who waits! See No. 7, e.g. here.")
    ['It starts on Dec. 1st.', 'Dr. Who waits!', 'See No. 7, e.g. here.']
    """
    found: list[str] = []
    begin = 0
    for stop in _STOP.finditer(text):
        if _ends(text[begin : stop.start()], text[stop.end() :]):
            found.append(text[begin : stop.end()].strip())
            begin = stop.end()
    return [*found, *([text[begin:].strip()] if text[begin:].strip() else [])]


def _ends(before: str, after: str) -> bool:
    """Whether what stands before a gap is a whole sentence."""
    match = _LAST_WORD.search(before)
    word = match.group(1).casefold() if match else ""
    if word in _NUMBERED:
        return not after[:1].isdigit()
    if word in _NEVER or (_INITIALS.fullmatch(word) and word not in _SELDOM and len(word) == 2 and word != "i."):
        return False
    if word in _SELDOM or _INITIALS.fullmatch(word):
        return after[:1].isupper()
    return True
