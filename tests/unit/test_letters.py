"""A voice never reads what its language has no letters for."""

import pytest

from picturelock.errors import VoiceUnavailable
from picturelock.speech.letters import foreign_letters, refuse_foreign


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Café, naïve, Åse, 1ª vez: ﬁne.", "en"),
        ("Привет, YouTube!", "ru"),
        ("नमस्ते दुनिया", "hi"),
        ("مرحبا بالعالم", "ar-EG"),
        ("東京タワーへ ようこそ ＡＢＣ", "ja"),
        ("안녕하세요 漢字", "ko"),
        ("1, 2, 3! 😀 €", "de"),
    ],
)
def test_what_a_language_is_written_with_is_its_own(text: str, language: str) -> None:
    assert foreign_letters(text, language) == ""


@pytest.mark.parametrize(
    ("text", "language", "letters"),
    [("The word 月亮 means moon", "en", "亮月"), ("π", "de", "π"), ("नमस्ते", "ru", "तनमस"), ("Привет", "pl", "Пвеирт")],
)
def test_other_letters_are_named(text: str, language: str, letters: str) -> None:
    assert foreign_letters(text, language) == letters
    with pytest.raises(VoiceUnavailable, match="narrationAssetId"):
        refuse_foreign(text, language, "some/voice")
