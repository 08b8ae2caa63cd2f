"""Language tags: codes for files, scripts for voices and faces."""

import pytest

from picturelock.languages import UNDETERMINED, alpha3, primary, reads_leftwards, script
from picturelock.settings import Settings
from picturelock.speech.engine import installed_voices
from picturelock.speech.letters import foreign_letters


@pytest.mark.parametrize(
    ("tag", "code", "written"),
    [
        ("en", "eng", "Latn"), ("en-GB", "eng", "Latn"), ("sv", "swe", "Latn"), ("de-CH", "deu", "Latn"),
        ("cs", "ces", "Latn"), ("el", "ell", "Grek"), ("sr", "srp", "Cyrl"), ("sr-Latn", "srp", "Latn"),
        ("zh", "zho", "Hans"), ("zh-TW", "zho", "Hant"), ("ja", "jpn", "Jpan"), ("ko", "kor", "Kore"),
        ("pa", "pan", "Guru"), ("haw", "haw", "Latn"), ("en-12345678", "eng", "Latn"), ("tt", "tat", "Cyrl"),
        ("xx", UNDETERMINED, "Latn"), ("nb", "nob", "Latn"),
    ],
)  # fmt: skip
def test_a_tag_has_a_code_and_a_script(tag: str, code: str, written: str) -> None:
    assert (alpha3(tag), script(tag)) == (code, written)


def test_every_language_that_a_voice_speaks_has_a_code() -> None:
    spoken = {language for voice in installed_voices(Settings()) for language in voice.languages}
    assert len(spoken) > 50
    assert {language for language in spoken if alpha3(language) == UNDETERMINED} == set()


@pytest.mark.parametrize("tag", ["ar", "he", "fa-IR", "ur", "yi", "dv", "ckb", "az-Arab"])
def test_what_is_written_from_right_to_left(tag: str) -> None:
    assert reads_leftwards(tag)


@pytest.mark.parametrize("tag", ["en", "az", "ru", "ja", "hi", "ku", "xx"])
def test_what_is_written_from_left_to_right(tag: str) -> None:
    assert not reads_leftwards(tag)


def test_the_primary_language() -> None:
    assert [primary(tag) for tag in ("pt-BR", "EN", "yue")] == ["pt", "en", "yue"]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("tt", "Диңгез"), ("be", "Мора"), ("mk", "Море"), ("am", "ባሕር"), ("bo", "རྒྱ་མཚོ"), ("or", "ସମୁଦ୍ର"),
        ("zh-TW", "海"), ("ko", "바다 海"), ("ja", "うみ海ウミ"), ("dv", "ކަނޑު"), ("ug", "دېڭىز"), ("en", "sea"),
        ("hy", "ծով"), ("ka", "ზღვა"), ("th", "ทะเล"), ("my", "ပင်လယ်"), ("km", "សមុទ្រ"), ("lo", "ທະເລ"), ("si", "මුහුද"),
        ("ta", "கடல்"), ("te", "సముద్రం"), ("kn", "ಸಮುದ್ರ"), ("ml", "കടൽ"), ("gu", "દરિયો"), ("pa", "ਸਮੁੰਦਰ"), ("bn", "সাগর"),
        ("hi", "समुद्र"), ("he", "ים"), ("ar", "بحر"), ("el", "θάλασσα"), ("ru", "море"),
    ],
)  # fmt: skip
def test_no_language_finds_its_own_letters_foreign(language: str, text: str) -> None:
    assert foreign_letters(text, language) == ""
    if language != "en":
        assert foreign_letters(text, "fr") != ""
