"""What is written beside words is said as people say it."""

import re

import pytest

from picturelock.models import Scene, VoiceWish
from picturelock.script.sentences import sentences
from picturelock.speech.hibari import HibariEngine, pronounced
from picturelock.speech.narrate import Speaker, narrate
from picturelock.speech.spoken_forms import spoken_form
from picturelock.store.store import Store

SAID = [
    ("It costs $5bn.", "It costs 5 billion dollars."),
    ("It costs US$5m.", "It costs 5 million U.S. dollars."),
    ("It costs $5 bn now.", "It costs 5 billion dollars now."),
    ("They made €1.2M of it.", "They made 1.2 million euros of it."),
    ("It was £20 or ¥500.", "It was 20 pounds or 500 yen."),
    ("It costs $9 a month.", "It costs 9 dollars a month."),
    ("It costs $1,299.99.", "It costs 1,299 dollars and 99 cents."),
    ("It costs $0.50.", "It costs 50 cents."),
    ("It costs $1.", "It costs 1 dollar."),
    ("That is 20 € each.", "That is 20 euros each."),
    ("It has 12,500 km².", "It has 12,500 square kilometers."),
    ("Hairs of 3 µm.", "Hairs of 3 micrometers."),
    ("Hairs of 3 \u03bcm.", "Hairs of 3 micrometers."),
    ("It took 5 kWh.", "It took 5 kilowatt hours."),
    ("It runs at 2 GHz.", "It runs at 2 gigahertz."),
    ("It holds 40 mAh.", "It holds 40 milliamp hours."),
    ("It goes 1 mph.", "It goes 1 mile per hour."),
    ("It goes 90 km/h.", "It goes 90 kilometers per hour."),
    ("It is 20 °C outside.", "It is 20 degrees Celsius outside."),
    ("It is 16GB of RAM.", "It is 16 gigabytes of RAM."),
    ("It is 6 ft long.", "It is 6 feet long."),
    ("It is ≤ 5 now.", "It is at most 5 now."),
    ("It is ≥5 now.", "It is at least 5 now."),
    ("It is ≈ 3 now.", "It is about 3 now."),
    ("It is 5 ± 2 now.", "It is 5 plus or minus 2 now."),
    ("It is 3 × 4 now.", "It is 3 times 4 now."),
    ("It is 40× as long.", "It is 40 times as long."),
    ("It is 8 ÷ 2 now.", "It is 8 divided by 2 now."),
    ("It is √2 now.", "It is the square root of 2 now."),
    ("From a → b now.", "From a to b now."),
    ("From a -> b now.", "From a to b now."),
    ("Turn it by 90° now.", "Turn it by 90 degrees now."),
    ("It grew by 12 % now.", "It grew by 12 percent now."),
    ("It grew by 3 ‰ now.", "It grew by 3 per mille now."),
    ("It is open 24/7.", "It is open twenty-four seven."),
    ("It is 50/50 now.", "It is fifty-fifty now."),
    ("Take 3/4 cup of it.", "Take three quarters of a cup of it."),
    ("Take ½ hour of it.", "Take one half of an hour of it."),
    ("It is 1/2 of it.", "It is one half of it."),
    ("It is in JSON.", "It is in Jason."),
    ("It is NaN.", "It is nan."),
    ("It is CO₂ or H₂O.", "It is C O two or H two O."),
    ("It is C# or C++.", "It is C sharp or C plus plus."),
    ("It is v2.0.1 now.", "It is version 2 point 0 point 1 now."),
    ("It is HTTP/2 now.", "It is H T T P 2 now."),
    ("See https://example.org/docs?page=2#top.", "See example dot org."),
    ("Write to info@example.com.", "Write to info at example dot com."),
    ("Take No. 7 of them.", "Take number 7 of them."),
    ("It is approx. 3 of them.", "It is approximately 3 of them."),
    ("It starts on Dec. 1st.", "It starts on December 1st."),
    ("It is St. Paul's.", "It is Saint Paul's."),
    ("It is this vs. that.", "It is this versus that."),
    ("It is Dr. Smith.", "It is Doctor Smith."),
    ("From the 1st–3rd of it.", "From the 1st to 3rd of it."),
    ("From 2019–2024 on.", "From 2019 to 2024 on."),
    ("It is in Room 404.", "It is in Room four oh four."),
    ("It is Fig. 3 here.", "It is figure 3 here."),
    ("I use nginx here.", "I use engine ex here."),
    ("It is x = 3 here.", "It is x equals 3 here."),
    ("It costs $5, which is cheap.", "It costs 5 dollars, which is cheap."),
    ("Take 2½ cups of it.", "Take 2 and one half cups of it."),
    ("Take 1 1/2 cups of it.", "Take 1 and one half cups of it."),
    ("It is on Main St. in town.", "It is on Main Street in town."),
    ("We won 2 - 0 today.", "We won 2 to 0 today."),
    ("It is 5 - 3 = 2 here.", "It is 5 minus 3 equals 2 here."),
    ("It costs $5-10 now.", "It costs 5 to 10 dollars now."),
    ("It costs $5/month now.", "It costs 5 dollars per month now."),
    ("He is 6 ft. tall.", "He is 6 feet tall."),
    ("It runs on AWS here.", "It runs on eh W S here."),
]  # fmt: skip


def phonemes(text: str) -> str:
    return re.sub(r"[ˈˌ .,]", "", "".join(sounds for _, sounds in pronounced(text)))


@pytest.mark.parametrize(("written", "said"), SAID)
def test_what_is_written_is_said_as_people_say_it(written: str, said: str) -> None:
    assert spoken_form(written) == said
    assert phonemes(written) == phonemes(said)
    assert len(sentences(written)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "The 1990s were long.", "It has IT and an ID.", "No. He said no.", "I met him at 5 p.m. today.",
        "In 2024, W. Smith came.", "He took 3 x-rays.", "Error 500 came.",
        "Henry VIII and World War II.", "Well-known words (and more).", "It's 10:30 now.", "He ran 5 times.",
    ],
)  # fmt: skip
def test_what_needs_no_help_stays_as_it_is(text: str) -> None:
    assert spoken_form(text) == text


def test_other_languages_keep_what_their_voices_know() -> None:
    assert spoken_form("Es kostet 5 € bei 20 °C.", "de") == "Es kostet 5 € bei 20 °C."


def test_a_pronunciation_is_taken_in_every_language() -> None:
    known = {"Nguyen": "win", "C3PO": "see three pee oh", "Win": "lose"}
    assert spoken_form("NGUYEN and C3PO.", "en", known) == "lose and see three pee oh."
    assert spoken_form("Herr Nguyen.", "de", {"Nguyen": "Nüen"}) == "Herr Nüen."
    assert spoken_form("Nguyens stay.", "en", known) == "Nguyens stay."


@pytest.mark.slow
async def test_captions_keep_what_is_written_at_the_time_it_is_said(store: Store) -> None:
    said = Scene(narration="It costs $5bn, or ≤ 3 % of it.")
    speaker = Speaker(VoiceWish(), "en", {"costs": "takes"})
    narration = await narrate(said, 0, speaker, {"hibari": HibariEngine()}, store)
    assert [word.text for word in narration.words] == ["It", "costs", "$5bn,", "or", "≤", "3", "%", "of", "it."]
    times = [word.start_seconds for word in narration.words]
    assert times == sorted(times)
    money = narration.words[2]
    assert money.end_seconds - money.start_seconds > 0.6
