"""How English signs, units, currencies, abbreviations and names of the trade are spoken.

The voice reads words. What people write beside words is written out here first; captions keep what was written.

    >>> spoken_form("It costs US$5m, i.e. ≤ 3 % of 12,500 km².")
    'It costs 5 million U.S. dollars, that is at most 3 percent of 12,500 square kilometers.'
"""

import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from picturelock.languages import primary
from picturelock.speech.english import (
    CENTS,
    CURRENCIES,
    DAYS,
    DIGITS,
    FRACTION_SIGNS,
    MEASURES,
    MONTHS,
    NUMBERED,
    PARTS,
    PER,
    SAID,
    SAME_IN_PLURAL,
    SCALES,
    SHORT,
    UNITS,
)

VERSION: Final = "1"
_NUMBER: Final = r"\d+(?:,\d+)*(?:\.\d+)?"


class _Rule(NamedTuple):
    pattern: re.Pattern[str]
    spoken: Callable[[re.Match[str]], str]


def _plural(amount: str, one: str) -> str:
    """A unit's name for an amount: "3 square meters", "1 mile per hour"."""
    head, per, rest = one.partition(" per ")
    if amount in {"1", "1.0"} or head.endswith(SAME_IN_PLURAL):
        return one
    first, _, tail = head.partition(" Celsius")
    if head.startswith("degree"):
        return head.replace("degree", "degrees", 1)
    many = "feet" if first == "foot" else f"{first}s"
    return f"{many}{tail}{per}{rest}"


def _money(match: re.Match[str]) -> str:
    sign, amount, scale = match.group("sign"), match.group("amount"), match.group("scale")
    one, many = CURRENCIES[sign]
    if scale:
        return f"{amount} {SCALES[scale]} {many}"
    whole, point, cents = amount.partition(".")
    if point and len(cents) == 2 and sign in CENTS:
        if int(whole.replace(",", "")) == 0:
            return f"{int(cents)} {CENTS[sign]}"
        part = f" and {int(cents)} {CENTS[sign]}" if int(cents) else ""
        return f"{whole} {one if whole == '1' else many}{part}"
    return f"{amount} {one if amount == '1' else many}"


def _unit(match: re.Match[str]) -> str:
    amount, unit, power, per = match.group("amount"), match.group("unit"), match.group("power"), match.group("per")
    name = UNITS[unit.replace("\u03bc", "µ")]
    if power:
        name = f"{'square' if power in '²2' else 'cubic'} {name}"
    return f"{amount} {_plural(amount, name)}{f' per {PER[per]}' if per else ''}"


def _fraction(match: re.Match[str]) -> str:
    above, below, measure = match.group("above"), match.group("below"), match.group("measure")
    one, many = PARTS[below]
    words = f"{_small(above)} {one if above == '1' else many}"
    if not measure:
        return words
    article = "an" if measure[0] in "aeio" or measure == "hour" else "a"
    return f"{words} of {article} {measure}"


def _small(number: str) -> str:
    return DIGITS[int(number)] if len(number) == 1 and number != "0" else number


def _digits(match: re.Match[str]) -> str:
    return f"{match.group(1)} {' '.join(DIGITS[int(digit)] for digit in match.group(2))}"


def _version(match: re.Match[str]) -> str:
    return "version " + " point ".join(match.group(1).split("."))


def _address(match: re.Match[str]) -> str:
    host = match.group("host").removeprefix("www.").rstrip(".")
    return " dot ".join(host.split("."))


def _mail(match: re.Match[str]) -> str:
    return f"{' dot '.join(match.group(1).split('.'))} at {' dot '.join(match.group(2).split('.'))}"


def _words(table: Mapping[str, str], before: str = r"(?<![\w.])", after: str = r"(?![\w])") -> _Rule:
    names = "|".join(re.escape(name) for name in sorted(table, key=len, reverse=True))
    return _Rule(re.compile(f"{before}({names}){after}"), lambda match: table[match.group(1)])


def _rule(pattern: str, spoken: str | Callable[[re.Match[str]], str]) -> _Rule:
    fixed = spoken if callable(spoken) else None
    return _Rule(re.compile(pattern), fixed or (lambda match: match.expand(str(spoken))))


def _any(table: Mapping[str, object]) -> str:
    return "|".join(re.escape(name) for name in sorted(table, key=len, reverse=True))


_SCALE: Final = rf"(?:\s?(?P<scale>{_any(SCALES)})\b)?"
_RULES: Final[tuple[_Rule, ...]] = (
    _rule(r"\bhttps?://(?P<host>[\w.-]+)(?:[/?#][^\s]*?)?(?=[.,;:!?)]*(?:\s|$))", _address),
    _rule(r"(?<![\w.])(?P<host>www\.[\w-]+(?:\.[\w-]+)+)(?:/[^\s]*?)?(?=[.,;:!?)]*(?:\s|$))", _address),
    _rule(r"\b([\w+-]+(?:\.[\w+-]+)*)@([\w-]+(?:\.[\w-]+)+)\b", _mail),
    _rule(r"\bHTTP/(\d)\b", r"H T T P \1"),
    _rule(r"\bv(\d+(?:\.\d+)+)\b", _version),
    _rule(r"\bv(\d+)\b", r"version \1"),
    _rule(r"(?<!\w)(\d+\.\d+\.\d+(?:\.\d+)*)(?![\w])", lambda match: " point ".join(match.group(1).split("."))),
    *(_rule(rf"(\d)\s?{re.escape(sign)}", rf"\1 and {spoken}") for sign, spoken in FRACTION_SIGNS.items()),
    *(_rule(re.escape(sign), spoken) for sign, spoken in FRACTION_SIGNS.items()),
    _rule(r"(?<![\w/.])(\d+)\s(?=\d{1,2}/\d{1,2}(?![\w/]))", r"\1 and "),
    _rule(rf"(?<!\w)([$€£¥])({_NUMBER})\s?[-–]\s?({_NUMBER})(?![\w/])", r"\2 to \1\3"),
    _rule(rf"(?<!\w)([$€£¥]{_NUMBER})/(month|year|day|hour|week|user|person|seat|night|mile|km|kg)\b", r"\1 per \2"),
    _rule(rf"(?<!\w)(?P<sign>{_any(CURRENCIES)})\s?(?P<amount>{_NUMBER}){_SCALE}", _money),
    _rule(rf"(?<![\w.,])(?P<amount>{_NUMBER}){_SCALE}\s?(?P<sign>[€£¥₹])(?!\w)", _money),
    _rule(
        rf"(?<![\w.,])(?P<amount>{_NUMBER})(?!s\b)\s?(?P<unit>{_any(UNITS)}|\u03bcm|\u03bcs|\u03bcg)(?P<power>[²³])?"
        rf"(?:/(?P<per>{_any(PER)}))?(?![\w²³/])(?:\.(?=\s[a-z]))?",
        _unit,
    ),
    _rule(r"\b24/7\b", "twenty-four seven"),
    _rule(r"\b50/50\b", "fifty-fifty"),
    _rule(r"\b9/11\b", "nine eleven"),
    _rule(
        rf"(?<![\w/.])(?P<above>\d{{1,2}})/(?P<below>{_any(PARTS)})(?![\w/])(?:\s(?P<measure>{MEASURES})\b)?",
        _fraction,
    ),
    _rule(r"\b(Room|room|Flight|flight|Gate|Route|Highway|[Ee]rror|status|HTTP)\s([1-9](?!00)\d{2})\b", _digits),
    *(
        _rule(rf"(?<![\w.]){re.escape(short)}\s?(?=\d)", f"{word} ")
        for short, word in sorted(NUMBERED.items(), key=lambda item: -len(item[0]))
    ),
    *(_rule(rf"\b{re.escape(short)}(?=\s\d)", month) for short, month in MONTHS.items()),
    *(_rule(rf"\b{re.escape(short)}(?=,?\s[A-Z\d])", day) for short, day in DAYS.items()),
    _rule(r"\b([A-Z]\w+)\sSt\.(?=\s)", r"\1 Street"),
    _rule(r"\b([A-Z]\w+)\sDr\.(?=\s[a-z])", r"\1 Drive"),
    _rule(r"\bSt\.(?=\s[A-Z])", "Saint"),
    _words(SAID, after=r"(?![\w+#])"),
    _rule(r"(?<![\w.])(etc\.|Inc\.|Ltd\.|Corp\.|Co\.|Jr\.|Sr\.)(?=\s+[A-Z]|\s*$)",
          lambda match: f"{SHORT[match.group(1)]}."),
    _words(SHORT, after=r"(?!\w)"),
    _rule(r"(\d(?:st|nd|rd|th))\s?[–—-]\s?(?=\d+(?:st|nd|rd|th))", r"\1 to "),
    _rule(r"(?<=\d)\s?–\s?(?=\d)", " to "),
    _rule(r"(?<=\d)\s?×\s?(?=\d)", " times "),
    _rule(r"(?<=\d)\s?[×x](?!-)(?=\W|$)", " times"),
    _rule(r"\s?×\s?", " times "),
    _rule(r"\s?÷\s?", " divided by "),
    _rule(r"\s?±\s?", " plus or minus "),
    _rule(r"√\s?", "the square root of "),
    _rule(r"≤\s?", "at most "),
    _rule(r"≥\s?", "at least "),
    _rule(r"(?:≈|(?<!\w)~)\s?(?=[\d$€£¥])", "about "),
    _rule(r"\s?≈\s?", " about "),
    _rule(r"\s?≠\s?", " is not "),
    _rule(r"\s?(?:→|->|⇒|=>)\s?", " to "),
    _rule(r"(?<=\d)\s?%", " percent"),
    _rule(r"(?<=\d)\s?‰", " per mille"),
    _rule(r"(?<=[\w)])\s=\s(?=[\w(])", " equals "),
    _rule(r"(?<=\d)\s?\+\s?(?=\d)", " plus "),
    _rule(r"(?<=\d)\s[−-]\s(?=\d+(?:\.\d+)?\s(?:=|equals\b))", " minus "),
    _rule(r"(?<=\d)\s[−-]\s(?=\d)", " to "),
    _rule(r"(?<!\w)[−](?=\d)", "minus "),
    _rule(r"(?<=\s)<\s?(?=[\d$€£])", "less than "),
    _rule(r"(?<=\s)>\s?(?=[\d$€£])", "more than "),
    _rule(r"\s&\s", " and "),
    _rule(r"°(?=\W|$)", " degrees"),
)  # fmt: skip


def spoken_form(text: str, language: str = "en", pronunciations: Mapping[str, str] | None = None) -> str:
    """The text as words to be spoken. Other languages than English keep their signs: their voices know them better.

    Args:
        text: what was written, without markup.
        language: its BCP 47 tag.
        pronunciations: how words are spoken, by the words as they are written (case does not matter).
    """
    for word, spoken in sorted((pronunciations or {}).items(), key=lambda item: -len(item[0])):
        text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", spoken.replace("\\", r"\\"), text, flags=re.IGNORECASE)
    if primary(language) != "en":
        return text
    for rule in _RULES:
        text = rule.pattern.sub(rule.spoken, text)
    return " ".join(text.split())
