"""Words that belong to the one after them: articles, prepositions, conjunctions. A line that ends in one reads badly.

The lists follow the rule of the subtitle guidelines of the BBC (https://www.bbc.co.uk/accessibility/forproducts/guides/subtitles/,
"Line breaks") and Netflix ("Timed Text Style Guide: Subtitle Templates"): never part these from what follows.
"""

from typing import Final

_ENGLISH: Final = (
    "a an the this these those my your his her its our their of to in on at by for with from into onto upon over "
    "under about above across after against along among around as before behind below beneath beside between "
    "beyond during except inside near off out outside past since through throughout toward towards until up via "
    "within without and or but nor so yet if because although though while when where that which who whose whom "
    "than like unless whether is are was were be been am has have had will would can could may might must shall "
    "should do does did not no very more most each every some any i you he she it we they"
)
_GERMAN: Final = (
    "der die das den dem des ein eine einen einem einer eines dieser diese dieses diesen diesem mein dein sein "
    "ihr unser in im an am auf aus bei beim mit nach von vom zu zum zur für gegen ohne um durch über unter vor "
    "hinter neben zwischen seit während wegen trotz bis ab und oder aber denn sondern dass ob wenn weil als wie "
    "damit obwohl bevor nachdem welche welcher welches ist sind war waren hat haben wird werden kann nicht kein "
    "keine sehr ich du er sie es wir"
)
_FRENCH: Final = (
    "le la les un une des du de d' l' ce cet cette ces mon ton son notre votre leur mes tes ses nos vos leurs à "
    "au aux en dans sur sous chez par pour avec sans vers contre entre depuis pendant avant après et ou mais donc "
    "or ni car que qui dont où si comme quand lorsque parce quoique est sont était a ont sera ne pas très plus je "
    "tu il elle on nous vous ils elles"
)
_SPANISH: Final = (
    "el la los las un una unos unas este esta estos estas ese esa mi tu su nuestro nuestra sus mis a al ante bajo "
    "con contra de del desde en entre hacia hasta para por según sin sobre tras y e o u pero ni sino que quien "
    "cuyo donde si como cuando porque aunque mientras es son era eran ha han será no muy más yo tú él ella "
    "nosotros ellos"
)
_LISTS: Final = {
    language: frozenset(words.split())
    for language, words in {"en": _ENGLISH, "de": _GERMAN, "fr": _FRENCH, "es": _SPANISH}.items()
}


def leans_on_the_next(word: str, language: str) -> bool:
    """Whether a word belongs to the one after it.

    >>> leans_on_the_next("the", "en-GB"), leans_on_the_next("The", "en"), leans_on_the_next("the,", "en")
    (True, True, False)
    """
    return word.casefold() in _LISTS.get(language.partition("-")[0].casefold(), ())
