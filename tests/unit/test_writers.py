"""Briefs become scripts: by the built-in writer, and by an endpoint that speaks the OpenAI protocol."""

import json
from collections.abc import Callable

import pytest

from picturelock.errors import InvalidScript, WriterFailed, WriterUnavailable
from picturelock.models import Brief, Script
from picturelock.script.openai import OpenAIWriter
from picturelock.script.sentences import sentences
from picturelock.script.spoken import spoken_text
from picturelock.script.writers import BuiltInWriter
from tests.servers import FakeServer, Reply

GOOD = {"title": "Tides", "scenes": [{"title": "One", "narration": "The sea rises."}]}


def chat(content: object) -> Reply:
    text = content if isinstance(content, str) else json.dumps(content)
    return Reply(200, {"choices": [{"message": {"role": "assistant", "content": text}}]})


@pytest.mark.parametrize("topic", ["How tides work", "photosynthesis", "Why do we sleep?", "Tides! 🌊", "- one item"])
async def test_a_bare_topic_is_refused_with_what_to_do(topic: str) -> None:
    """A film about nothing in seven sentences is worse than none."""
    with pytest.raises(WriterUnavailable, match="PICTURELOCK_LLM_BASE_URL") as caught:
        await BuiltInWriter().write(Brief(topic=topic))
    assert caught.value.field == "brief.topic"


async def test_a_brief_is_told_in_its_own_words_and_no_others() -> None:
    topic = "It records meetings. It writes them down. It costs $9 a month and starts on Dec. 1st. Nobody listens."
    script = await BuiltInWriter().write(Brief(topic=topic))
    assert " ".join(spoken_text(scene) for scene in script.scenes) == topic
    assert script.title == "It records meetings"
    assert len(script.scenes) == 2
    assert await BuiltInWriter().write(Brief(topic=topic)) == script


async def test_lists_and_headings_of_a_brief_stay_what_they_are() -> None:
    script = await BuiltInWriter().write(Brief(topic="# Tea\n\n## How\n\nThree steps.\n\n- Boil\n- Pour\n- Wait"))
    (scene,) = script.scenes
    assert (script.title, scene.title) == ("Tea", "How")
    assert [block.kind for block in scene.blocks] == ["text", "list"]


async def test_a_brief_in_another_language_is_told_in_it() -> None:
    script = await BuiltInWriter().write(Brief(topic="潮が満ちる。潮が引く。月が遠い。", language="ja"))
    assert script.language == "ja"
    assert [spoken_text(scene) for scene in script.scenes] == ["潮が満ちる。潮が引く。月が遠い。"]


@pytest.mark.parametrize("topic", ["Hello world. !!! That is it.", "... Hello there. Bye."])
async def test_strange_punctuation_is_survived(topic: str) -> None:
    assert (await BuiltInWriter().write(Brief(topic=topic))).scenes


@pytest.mark.parametrize("topic", ["One. Two.\n\n![a](b)", "One. Two.\n\n- " + "y " * 300, "# T\n\n## A title"])
async def test_a_brief_that_cannot_be_a_script_is_refused_at_its_own_path(topic: str) -> None:
    with pytest.raises(InvalidScript) as caught:
        await BuiltInWriter().write(Brief(topic=topic))
    assert caught.value.field == "brief.topic"


async def test_a_brief_of_nothing_but_markup_is_refused() -> None:
    with pytest.raises(WriterUnavailable, match="nothing is left"):
        await BuiltInWriter().write(Brief(topic="![abc](d)"))


async def write(server: FakeServer) -> Script:
    return await OpenAIWriter(server.url, "model", "a-key").write(Brief(topic="tides"))


async def test_an_endpoint_is_asked_with_a_schema(fake_server: Callable[[list[Reply]], FakeServer]) -> None:
    server = fake_server([chat(GOOD)])
    assert (await write(server)).scenes[0].narration == "The sea rises."
    request = server.requests[0]
    assert request.path == "/chat/completions"
    assert request.headers["authorization"] == "Bearer a-key"
    assert json.loads(request.body)["response_format"]["type"] == "json_schema"


async def test_a_model_is_told_all_of_the_brief(fake_server: Callable[[list[Reply]], FakeServer]) -> None:
    server = fake_server([chat(GOOD)])
    brief = Brief(topic="tides", audience="pilots", tone="calm", language="nl", target_duration_seconds=73)
    await OpenAIWriter(server.url, "model", "a-key").write(brief)
    asked = json.dumps(json.loads(server.requests[0].body)["messages"])
    assert all(word in asked for word in ("tides", "pilots", "calm", "nl", "73"))


async def test_one_repair_is_asked_for(fake_server: Callable[[list[Reply]], FakeServer]) -> None:
    server = fake_server([chat({"title": "Tides", "scenes": []}), chat(GOOD)])
    assert (await write(server)).title == "Tides"
    assert "scenes" in json.loads(server.requests[1].body)["messages"][-1]["content"]


async def test_a_second_bad_answer_is_final(fake_server: Callable[[list[Reply]], FakeServer]) -> None:
    server = fake_server([chat("no json"), chat("still none")])
    with pytest.raises(WriterUnavailable):
        await write(server)
    assert len(server.requests) == 2


async def test_an_overloaded_endpoint_may_be_asked_again(fake_server: Callable[[list[Reply]], FakeServer]) -> None:
    with pytest.raises(WriterFailed) as caught:
        await write(fake_server([Reply(429, {})]))
    assert (caught.value.retryable, caught.value.outage) == (True, True)


async def test_a_refusal_is_final(fake_server: Callable[[list[Reply]], FakeServer]) -> None:
    with pytest.raises(WriterUnavailable):
        await write(fake_server([Reply(401, {"error": "bad key"})]))


async def test_an_endpoint_that_is_away_may_be_asked_again() -> None:
    with pytest.raises(WriterFailed) as caught:
        await OpenAIWriter("http://127.0.0.1:9", "model", None).write(Brief(topic="tides"))
    assert caught.value.outage


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("It costs $9 a month and starts on Dec. 1st.", 1),
        ("Dr. Who met Mrs. Peel on Baker St. in London.", 1),
        ("See No. 7, approx. 1/2, e.g. here, i.e. there.", 1),
        ("He said no. Then he left.", 2),
        ("The U.S. is large. The U.K. is not.", 2),
        ("It is sold in the U.S. The price is low.", 2),
        ("J. R. R. Tolkien wrote it. Fig. 3 shows it.", 2),
        ("Really?! Yes… no. 12 of them!", 3),
        ("We met at 5 p.m. in the park.", 1),
        ("Das sind z.B. drei. Nr. 4 fehlt.", 2),
        ('"Stop." He ran.', 2),
        ("One. Two. Three", 3),
        ("", 0),
    ],
)  # fmt: skip
def test_no_sentence_ends_at_an_abbreviation(text: str, count: int) -> None:
    found = sentences(text)
    assert len(found) == count, found
    assert " ".join(found).split() == text.split()
