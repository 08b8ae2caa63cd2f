"""Every field of a request changes something that can be seen, heard, probed or read. A new field fails until it does.

One row for each leaf of `ExportRequest`: two values, and what differs between the two films. A value may bring other
fields with it, where one makes no sense alone.
"""

import importlib
import json
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, get_args

import numpy as np
import pytest
from pydantic import BaseModel

from picturelock.models import ExportRequest
from picturelock.models.base import Input
from tests.films.material import plain
from tests.films.studio import HEARD_RATE, Body, Picture, Studio, changed
from tests.servers import FakeServer, Reply

pytestmark = pytest.mark.slow

SMALL = {"preset": "preview", "width": 192, "height": 128, "fps": 24, "encoderPreset": "ultrafast"}
SILENT: Body = {"captions": {"burnIn": False}, "transition": {"kind": "none"}}
TALK = "One word."

Observe = Callable[[Studio, Body], Awaitable[Any]]
Values = Callable[[dict[str, str]], tuple[object, object]]


def script(*scenes: Body, **fields: object) -> Body:
    return {"script": {"title": "Film", "scenes": list(scenes), **fields}, "video": SMALL}


def scene(**fields: object) -> Body:
    return {"narration": TALK, **fields}


def visual(**fields: object) -> Callable[[dict[str, str]], Body]:
    """A film of one scene that shows something."""
    return lambda assets: {**script(scene(visual=_named(fields, assets))), **SILENT}


def _named(fields: Body, assets: dict[str, str]) -> Body:
    return {key: assets[str(value)] if key == "assetId" else value for key, value in fields.items()}


def same(body: Body) -> Callable[[dict[str, str]], Body]:
    return lambda _: body


def asset(one: str, other: str) -> Values:
    return lambda assets: (assets[one], assets[other])


def either(one: object, other: object) -> Values:
    return lambda _: (one, other)


ON_OFF, OFF_ON = either(*(True, False)), either(*(False, True))


# What can be observed of a film.


def drawn(frame: int) -> Observe:
    return lambda studio, body: studio.drawn(body, frame)


def shown(frame: int) -> Observe:
    return lambda studio, body: studio.shown(body, frame)


async def narration(studio: Studio, body: Body) -> bytes:
    """The samples of the first scene's voice."""
    return await studio.store.read((await studio.narrations(body))[0].audio)


async def speech_samples(studio: Studio, body: Body) -> int:
    return (await studio.narrations(body))[0].samples


async def written(studio: Studio, body: Body) -> str:
    return (await studio.written(body))[1].model_dump_json()


async def cues(studio: Studio, body: Body) -> list[list[str]]:
    return [cue.lines for cue in (await studio.planned(body)).plan.timeline.cues]


async def layers(studio: Studio, body: Body) -> list[str]:
    """What is drawn over the first scene's picture, and when."""
    return [layer.model_dump_json() for layer in (await studio.planned(body)).plan.pictures[0].layers]


async def transcript(studio: Studio, body: Body) -> bytes:
    film = await studio.film(body)
    return await studio.store.read(next(one for one in film.result.artifacts if one.name == "transcript.txt"))


async def frames_planned(studio: Studio, body: Body) -> int:
    return (await studio.planned(body)).plan.timeline.total_frames


async def segment_bytes(studio: Studio, body: Body) -> int:
    return (await studio.rendered(body, 30)).artifact.size_bytes


async def hardware_wished(studio: Studio, body: Body) -> bool:
    return (await studio.planned(body)).composition.hardware


async def film_tags(studio: Studio, body: Body) -> tuple[str, str]:
    film = await studio.film(body)
    return film.probed["format"]["tags"]["title"], film.stream("audio")["tags"]["language"]


async def chapters(studio: Studio, body: Body) -> list[str]:
    return [one["tags"]["title"] for one in (await studio.film(body)).probed["chapters"]]


async def picture_facts(studio: Studio, body: Body) -> tuple[object, ...]:
    video = (await studio.film(body)).stream("video")
    return tuple(video[name] for name in ("width", "height", "r_frame_rate", "codec_name"))


async def subtitle_streams(studio: Studio, body: Body) -> int:
    return sum(one["codec_type"] == "subtitle" for one in (await studio.film(body)).probed["streams"])


async def manifest_metadata(studio: Studio, body: Body) -> dict[str, str]:
    return (await studio.film(body)).manifest.metadata


async def pitch(studio: Studio, body: Body) -> float:
    """The strongest tone of the film's beginning, in hertz."""
    heard = await studio.heard(body)
    spectrum = np.abs(np.fft.rfft(heard[:HEARD_RATE]))
    return float(np.argmax(spectrum))


async def sound_bytes(studio: Studio, body: Body) -> bytes:
    return (await studio.heard(body)).tobytes()


async def music_level(studio: Studio, body: Body) -> float:
    """The music's tone after the speech, relative to the whole film, in decibels."""
    return await _tone_level(studio, body, speaking=False)


async def music_level_under_speech(studio: Studio, body: Body) -> float:
    """How much quieter the music's tone is while somebody speaks, in decibels."""
    return await _tone_level(studio, body, speaking=False) - await _tone_level(studio, body, speaking=True)


async def _tone_level(studio: Studio, body: Body, *, speaking: bool) -> float:
    """The level of a tone at 1,760 Hz where somebody speaks or where nobody does."""
    heard, timeline = await studio.heard(body), (await studio.planned(body)).plan.timeline
    spoken = timeline.scenes[0]
    start, end = (at * HEARD_RATE // timeline.fps for at in (spoken.speech_start_frame, spoken.start_frame))
    end = start + spoken.speech_frames * HEARD_RATE // timeline.fps
    part = heard[start + HEARD_RATE // 4 : end] if speaking else heard[end + HEARD_RATE // 3 : -HEARD_RATE // 2]
    at = np.arange(len(part)) / HEARD_RATE
    strength = np.abs(np.mean(part * np.exp(-2j * np.pi * 1_760 * at)))
    return float(20 * np.log10(max(strength, 1e-9)))


# How two observations differ.


def differ(one: Any, other: Any) -> bool:
    """Not the same; of two pictures, more than encoding could do."""
    if isinstance(one, np.ndarray):
        apart: Picture = np.abs(one.astype(int) - other.astype(int))
        return one.shape == other.shape and bool((apart > 24).mean() > 0.002)
    return bool(one != other)


def falls(by: float) -> Callable[[float, float], bool]:
    return lambda one, other: one - other > by


def rises(by: float) -> Callable[[float, float], bool]:
    return lambda one, other: other - one > by


@dataclass(frozen=True)
class Row:
    """One field: the film without it, its two values, what is observed, and how the two differ."""

    path: str
    film: Callable[[dict[str, str]], Body]
    values: Values
    observe: Observe
    difference: Callable[[Any, Any], bool] = differ
    both: Body = field(default_factory=dict)
    """Fields that the second value brings along."""

    @property
    def place(self) -> str:
        """The path of the value, without the kinds of blocks."""
        return re.sub(r"\[\w+\]", "[]", self.path)


TWO = script(scene(title="One"), scene(title="Two"))
PLAIN = {**script(scene()), **SILENT}
IMAGE = visual(kind="image", assetId="chart", motion="none")
CLIP = visual(kind="clip", assetId="colors")
FROZEN = visual(kind="clip", assetId="colors", startSeconds=0, endSeconds=0.5, whenShort="loop")
LONG = "This sentence is long enough to be heard while the music plays under it, and then it ends."


def with_music(assets: dict[str, str]) -> Body:
    quiet = {"narrationAssetId": assets["low"], "narration": "Hum."}
    return {**script(scene(**quiet), scene(**quiet)), **SILENT, "music": {"assetId": assets["high"], "gainDb": -12}}


def with_mark(assets: dict[str, str]) -> Body:
    return {**PLAIN, "watermark": {"assetId": assets["mark"], "opacity": 1.0, "position": "top-left"}}


def recorded(assets: dict[str, str]) -> Body:
    return {**script(scene(narrationAssetId=assets["low"])), **SILENT}


def inserted(name: str) -> Callable[[dict[str, str]], Body]:
    return lambda assets: {**PLAIN, name: {"assetId": assets["colors"]}}


TWO_COLORS = [scene(visual={"kind": "color", "colors": [color]}) for color in ("#102030", "#d0c040")]


def on_color(said: Body) -> Body:
    return script({**said, "visual": {"kind": "color", "colors": ["#206040"]}})


def block_row(kind: str, name: str, block: Body, values: Values, observe: Observe) -> Row:
    """A row for a field of a block, which follows a sentence."""
    film = {**script(scene(blocks=[{"kind": kind, **block}])), **SILENT}
    return Row(f"script.scenes[].blocks[{kind}].{name}", same(film), values, observe)


COLUMNS = {"labels": ["a", "b"], "series": [{"name": "One", "values": [1, 2]}, {"name": "Two", "values": [2, 1]}]}
BLOCK_ROWS = [
    block_row("text", "text", {}, either("A first paragraph.", "Another one."), cues),
    block_row("list", "items", {}, either(["One thing", "Two"], ["One thing", "Three"]), cues),
    block_row("list", "ordered", {"items": ["One", "Two"]}, either(True, False), layers),  # noqa: FBT003
    block_row("quote", "text", {}, either("So he said.", "So she said."), cues),
    block_row("quote", "author", {"text": "So it is."}, either("A. Bee", "C. Dee"), layers),
    block_row("number", "value", {"text": "It is 40 times as long."}, either("40", "41"), layers),
    block_row("number", "text", {"value": "40"}, either("It is 40 now.", "It was 40 then."), cues),
    block_row("code", "code", {}, either("x = 1", "x = 2"), layers),
    block_row("code", "language", {"code": "def f(): return 1"}, either("python", "text"), layers),
    block_row("code", "highlight", {"code": "a = 1\nb = 2"}, either(["1"], ["2"]), layers),
    block_row("table", "header", {"rows": [["1", "2"]]}, either(["A", "B"], ["A", "C"]), layers),
    block_row("table", "rows", {"header": ["A", "B"]}, either([["1", "2"]], [["1", "3"]]), layers),
    block_row("chart", "chart", COLUMNS, either("column", "bar"), layers),
    block_row("chart", "labels", COLUMNS, either(["a", "b"], ["a", "c"]), layers),
    block_row("chart", "series[].name", COLUMNS, either("One", "First"), layers),
    block_row("chart", "series[].values", COLUMNS, either([1, 2], [1, 1.5]), layers),
    block_row("chart", "prefix", COLUMNS, either("€", "£"), layers),
    block_row("chart", "unit", COLUMNS, either("km", "mm"), layers),
    block_row("formula", "latex", {}, either("E = mc^2", "E = mc^3"), layers),
]


ROWS = [
    Row("script.title", same(TWO), either("Tides", "Moons"), film_tags),
    Row("script.language", recorded, either("en", "sv"), film_tags),
    Row("script.scenes[].narration", same(PLAIN), either("One thing.", "Another thing."), cues),
    Row("script.scenes[].title", same(TWO), either("Dawn", "Dusk"), chapters),
    Row("script.scenes[].narrationAssetId", recorded, asset("low", "high"), pitch, rises(1_000)),
    Row("script.scenes[].voice.engine", same(changed(PLAIN, "script.scenes[].voice.voice", "heart")),
        either("hibari", "espeak"), narration, both={"script.scenes[].voice.voice": "en"}),
    Row("script.scenes[].voice.voice", same(changed(PLAIN, "script.scenes[].voice.engine", "espeak")),
        either("en", "en-us"), narration),
    Row("script.scenes[].voice.speed", same(PLAIN), either(0.5, 2.0), speech_samples, falls(8_000)),
    Row("script.scenes[].visual.kind", visual(colors=["#102030"]), either("color", "card"), drawn(5)),
    Row("script.scenes[].visual.assetId", IMAGE, asset("chart", "red"), drawn(5)),
    Row("script.scenes[].visual.colors", visual(kind="gradient"), either(["#203040"], ["#a06020"]), drawn(5)),
    Row("script.scenes[].visual.fit", visual(kind="clip", assetId="wide"), either("cover", "contain"), drawn(5)),
    Row("script.scenes[].visual.focus.x", visual(kind="image", assetId="wide-chart", motion="none", focus={"y": 0.5}),
        either(0.0, 1.0), drawn(0)),
    Row("script.scenes[].visual.focus.y", visual(kind="image", assetId="tall", motion="none", focus={"x": 0.5}),
        either(0.0, 1.0), drawn(0)),
    Row("script.scenes[].visual.alt", IMAGE, either("A chart", "A map"), transcript),
    *BLOCK_ROWS,
    Row("script.scenes[].visual.motion", IMAGE, either("pan-left", "pan-right"), drawn(0)),
    Row("script.scenes[].visual.startSeconds", CLIP, either(0.0, 1.0), drawn(5)),
    Row("script.scenes[].visual.endSeconds", CLIP, either(0.5, 3.0), drawn(28)),
    Row("script.scenes[].visual.whenShort", visual(kind="clip", assetId="colors", endSeconds=1.2),
        either("loop", "freeze"), drawn(31)),
    Row("brief.topic", same({"brief": {}, "video": SMALL}), either("Tides. They rise.", "Moons. They wane."), written),
    Row("brief.language", same({"brief": {"topic": "Tides. They rise."}}), either("en", "en-GB"), written),
    Row("voice.engine", same(changed(PLAIN, "voice.voice", "heart")), either("hibari", "espeak"), narration,
        both={"voice.voice": "en"}),
    Row("voice.voice", same(changed(PLAIN, "voice.engine", "espeak")), either("en", "en-us"), narration),
    Row("voice.speed", same(PLAIN), either(0.5, 2.0), speech_samples, falls(8_000)),
    Row("pronunciations", same(PLAIN), either({"word": "bird"}, {"word": "lord"}), narration),
    Row("video.preset", same({**PLAIN, "video": {"width": 192, "height": 128}}), either("preview", "email"),
        picture_facts),
    Row("video.width", same(PLAIN), either(192, 128), picture_facts),
    Row("video.height", same(PLAIN), either(128, 192), picture_facts),
    Row("video.fps", same(PLAIN), either(24, 25), picture_facts),
    Row("video.codec", same({**PLAIN, "video": {**SMALL, "encoderPreset": None}}), either("h264", "h265"),
        picture_facts),
    Row("video.crf", same(PLAIN), either(12, 40), segment_bytes, falls(1_000)),
    Row("video.encoder", same(PLAIN), either("software", "hardware"), hardware_wished),
    Row("video.encoderPreset", same(PLAIN), either("ultrafast", "veryslow"), segment_bytes, falls(200)),
    Row("captions.burnIn", same(script(scene())), ON_OFF, shown(20)),
    Row("captions.track", same(PLAIN), OFF_ON, subtitle_streams),
    Row("captions.style", same(on_color(scene())), either("clean", "boxed"), shown(20)),
    Row("transition.kind", same({**script(*TWO_COLORS), "captions": {"burnIn": False}}), either("fade", "slide"),
        drawn(36)),
    Row("opening", same({**TWO, **SILENT}), OFF_ON, frames_planned, rises(40)),
    Row("ending", same({**TWO, **SILENT}), OFF_ON, frames_planned, rises(40)),
    Row("watermark.overInserts", lambda assets: {**with_mark(assets), "intro": {"assetId": assets["colors"]}}, OFF_ON,
        drawn(5)),
    Row("theme", same(PLAIN), either("midnight", "paper"), drawn(5)),
    Row("brand.name", same(script(scene(title="One"))), either("Acme", "Beta"), layers),
    Row("brand.logoAssetId", same({**PLAIN, "opening": True, "brand": {}}), asset("mark", "green-mark"), drawn(30)),
    Row("brand.colors", same(PLAIN), either(["#ffaa00", "#102030"], ["#aa0000", "#f0f0f0"]), drawn(5)),
    Row("transition.durationSeconds", same(TWO), either(0.2, 1.0), frames_planned),
    Row("music.assetId", with_music, asset("high", "low"), music_level, falls(20)),
    Row("music.gainDb", with_music, either(-6.0, -18.0), music_level, falls(4)),
    Row("music.mood", same({**script(scene()), **SILENT, "music": {}}), either("calm", "bright"), sound_bytes),
    Row("music.duck", with_music, ON_OFF, music_level_under_speech, falls(3)),
    Row("watermark.assetId", with_mark, asset("mark", "green-mark"), drawn(5)),
    Row("watermark.position", with_mark, either("top-left", "bottom-right"), drawn(5)),
    Row("watermark.opacity", with_mark, either(1.0, 0.3), drawn(5)),
    Row("metadata", same(PLAIN), either({"project": "a"}, {"project": "b"}), manifest_metadata),
    *(
        row
        for name, frame in (("intro", 5), ("outro", -5))
        for row in (
            Row(f"{name}.assetId", inserted(name), asset("colors", "white"), drawn(frame)),
            Row(f"{name}.fit", lambda assets, name=name: {**PLAIN, name: {"assetId": assets["wide"]}},  # type: ignore[misc]
                either("contain", "stretch"), drawn(frame)),
            Row(f"{name}.startSeconds", inserted(name), either(0.0, 1.2), frames_planned, falls(20)),
            Row(f"{name}.endSeconds", inserted(name), either(3.0, 1.0), frames_planned, falls(20)),
        )
    ),
]  # fmt: skip

ELSEWHERE = {
    "script.scenes[].visual.query": "tests.films.test_fields:test_a_query_decides_what_is_looked_for",
    "script.scenes[].visual.prompt": "tests.films.test_fields:test_a_prompt_is_what_the_model_is_asked",
    "brief.audience": "tests.unit.test_writers:test_a_model_is_told_all_of_the_brief",
    "brief.tone": "tests.unit.test_writers:test_a_model_is_told_all_of_the_brief",
    "brief.targetDurationSeconds": "tests.unit.test_writers:test_a_model_is_told_all_of_the_brief",
    **{
        f"script.scenes[].blocks[{kind}].line": "tests.unit.test_scenes:test_what_does_not_fit_is_refused_with_its_line"
        for kind in ("text", "list", "quote", "number", "code", "table", "chart", "formula")
    },
    "pictures": "tests.films.test_fields:test_pictures_decides_what_scenes_without_a_visual_show",
    "deadlineSeconds": "tests.workflows.test_export:test_an_export_that_does_not_end_is_ended_at_its_deadline",
    "webhook.url": "tests.workflows.test_post_export:test_the_webhook_tells_what_everybody_else_is_told_signed",
}
"""Fields that need a server of their own: shown by the tests below."""


def leaves(model: type[BaseModel], before: str = "") -> Iterator[str]:
    """The JSON paths of a model's leaves; lists are marked with []."""
    for name, info in model.model_fields.items():
        path = f"{before}{info.alias or name}"
        inner = _models_in(info.annotation)
        if len(inner) > 1:  # kinds of blocks: the row of each field names its kind
            for model_of_kind in inner:
                kind = model_of_kind.model_fields["kind"].default
                yield from (leaf for leaf in leaves(model_of_kind, f"{path}[{kind}].") if not leaf.endswith(".kind"))
        elif inner:
            many = "[]" if "list" in str(info.annotation) else ""
            yield from leaves(inner[0], f"{path}{many}.")
        else:
            yield path


def _models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, Input):
        return [annotation]
    return [model for one in get_args(annotation) for model in _models_in(one)]


def test_every_field_of_the_request_is_in_the_table() -> None:
    here = [*(row.path for row in ROWS), *ELSEWHERE]
    assert len(here) == len(set(here))
    assert set(here) == set(leaves(ExportRequest))
    for place in ELSEWHERE.values():
        module, _, name = place.partition(":")
        assert callable(getattr(importlib.import_module(module), name))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.path)
async def test_a_field_changes_the_film(row: Row, studio: Studio, assets: dict[str, str]) -> None:
    film, (one, other) = row.film(assets), row.values(assets)
    first, second = changed(film, row.place, one), changed(film, row.place, other)
    for path, value in row.both.items():
        second = changed(second, path, value)
    observed = await row.observe(studio, first), await row.observe(studio, second)
    assert row.difference(*observed), observed
    assert not row.difference(observed[0], await row.observe(studio, first)), "it differs by itself"


async def test_a_query_decides_what_is_looked_for(
    studio: Studio, fake_server: Callable[[list[Reply]], FakeServer], fresh_settings: Callable[..., None], tmp_path: Any
) -> None:
    server = fake_server([Reply(404, {})])
    for name, color in (("red", (200, 20, 20)), ("blue", (20, 20, 200))):
        photo = {"id": color[0], "width": 640, "height": 360, "url": "https://stock.example/1", "photographer": "P",
                 "photographer_url": "https://stock.example/@p", "src": {"original": f"{server.url}/file/{name}"},
                 "alt": ""}  # fmt: skip
        server.routes[f"/v1/search?query={name}"] = Reply(200, {"photos": [photo]})
        picture = plain(tmp_path / f"{name}.png", color).read_bytes()
        server.routes[f"/file/{name}"] = Reply(200, picture, "image/png")
    fresh_settings(PICTURELOCK_PEXELS_API_KEY="key", PICTURELOCK_PEXELS_BASE_URL=server.url)
    film = visual(kind="image", motion="none")({})
    red, blue = [
        (await studio.drawn(changed(film, "script.scenes[].visual.query", query), 5)).mean(axis=(0, 1))
        for query in ("red", "blue")
    ]
    assert red[0] > 150 > red[2]
    assert blue[2] > 150 > blue[0]


async def test_a_prompt_is_what_the_model_is_asked(
    studio: Studio, fake_server: Callable[[list[Reply]], FakeServer], fresh_settings: Callable[..., None], tmp_path: Any
) -> None:
    picture = b64encode(plain(tmp_path / "made.png", (20, 200, 20)).read_bytes()).decode()
    server = fake_server([Reply(200, {"data": [{"b64_json": picture}]})])
    fresh_settings(PICTURELOCK_IMAGE_BASE_URL=server.url)
    film = visual(kind="image", motion="none")({})
    for prompt in ("a lighthouse", "a harbour"):
        frame = await studio.drawn(changed(film, "script.scenes[].visual.prompt", prompt), 5)
        assert frame[:, :, 1].mean() > 150
        assert prompt in json.loads(server.requests[-1].body)["prompt"]


async def test_pictures_decides_what_scenes_without_a_visual_show(
    studio: Studio, fake_server: Callable[[list[Reply]], FakeServer], fresh_settings: Callable[..., None], tmp_path: Any
) -> None:
    picture = b64encode(plain(tmp_path / "made.png", (20, 200, 20)).read_bytes()).decode()
    server = fake_server([Reply(200, {"data": [{"b64_json": picture}]})])
    fresh_settings(PICTURELOCK_IMAGE_BASE_URL=server.url)
    for wish, sees_it in (("generated", True), ("auto", True), ("card", False)):
        # Planned films are kept by their request: another title makes another one.
        frame = await studio.drawn({**changed(PLAIN, "script.title", wish), "pictures": wish}, 5)
        assert (frame[:, :, 1].mean() > 150) == sees_it, wish
