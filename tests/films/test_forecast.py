"""What a plan says is what then happens: ten kinds of edits, each foreseen, made, and foreseen again."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from picturelock.errors import PicturelockError, VoiceUnavailable, WriterUnavailable
from picturelock.forecast import foresee
from picturelock.models import ExportRequest
from picturelock.models.forecast import Forecast, Need
from picturelock.providers import Providers
from picturelock.script.intake import read_request
from picturelock.store.lookup import Lookup
from tests.film_maker import FilmMaker

pytestmark = [pytest.mark.slow]
VIDEO = {"preset": "preview", "width": 256, "height": 144, "fps": 24}
SCENES: list[dict[str, Any]] = [
    {"title": "Rise", "narration": "The sea rises."},
    {
        "narration": "It stays for a while, and nobody says a word about it.",
        "visual": {"kind": "color", "colors": ["#204060"]},
    },
    {"title": "Fall", "narration": "Then it falls.", "blocks": [{"kind": "list", "items": ["Out", "In"]}]},
    {"narration": "Twice a day.", "visual": {"kind": "image", "assetId": ""}},
]
Body = dict[str, Any]


def request_of(body: Body) -> ExportRequest:
    return read_request(json.dumps(body).encode())


@pytest.fixture
def maker(tmp_path: Path) -> FilmMaker:
    return FilmMaker(tmp_path)


async def body_of(maker: FilmMaker, tmp_path: Path, color: tuple[int, int, int] = (200, 60, 40)) -> Body:
    picture = tmp_path / f"{color[0]}.png"
    Image.new("RGB", (300, 200), color).save(picture)
    scenes = [dict(scene) for scene in SCENES]
    scenes[3]["visual"] = {"kind": "image", "assetId": await maker.upload(picture)}
    return {"script": {"title": "Tides", "scenes": scenes}, "video": VIDEO, "transition": {"kind": "fade"}}


async def foreseen(maker: FilmMaker, body: Body) -> Forecast:
    lookup = Lookup(maker.store.location, maker.scratch)
    return await foresee(request_of(body), lookup, maker.scratch, maker.providers)


async def made(maker: FilmMaker, body: Body) -> dict[str, Need]:
    """Makes the film; what was found and what was made."""

    def need(cached: list[bool]) -> Need:
        return Need(found=sum(cached), missing=len(cached) - sum(cached))

    pipeline = maker.pipeline(request_of(body))
    script = await pipeline.script()
    narrations = await pipeline.narrations(script)
    composed = await pipeline.compose(script, narrations)
    segments = await pipeline.segments(composed.plan)
    sound = await pipeline.sound(composed.plan)
    result = await pipeline.finish(script, composed.plan, narrations, segments, sound)
    return {
        "narrations": need([narration.cached for narration in narrations]),
        "pictures": Need(found=composed.pictures_found, missing=composed.pictures_made),
        "segments": need([segment.cached for segment in segments]),
        "sound": need([sound.cached]),
        "film": need([result.cached]),
        "duration": Need(found=round(1000 * result.facts.duration_seconds)),
    }


def needs(forecast: Forecast) -> dict[str, Need]:
    return {name: getattr(forecast, name) for name in ("narrations", "pictures", "segments", "sound", "film")}


def said_otherwise(body: Body) -> None:
    body["script"]["scenes"][1]["narration"] = "It stays, and nobody says a word."


def titled_otherwise(body: Body) -> None:
    body["script"]["scenes"][0]["title"] = "It rises"


def one_more(body: Body) -> None:
    body["script"]["scenes"].insert(1, {"narration": "A new thought.", "title": "New"})


def one_less(body: Body) -> None:
    del body["script"]["scenes"][2]


def in_another_order(body: Body) -> None:
    body["script"]["scenes"][1:3] = body["script"]["scenes"][1:3][::-1]


def moving_otherwise(body: Body) -> None:
    body["script"]["scenes"][3]["visual"]["motion"] = "zoom-in"


def listing_otherwise(body: Body) -> None:
    body["script"]["scenes"][2]["blocks"][0]["items"] = ["Out", "In", "Out again"]


def in_another_theme(body: Body) -> None:
    body["theme"] = "paper"


def captioned_otherwise(body: Body) -> None:
    body["captions"] = {"style": "boxed"}


def spoken_faster(body: Body) -> None:
    body["voice"] = {"speed": 1.2}


def with_music(body: Body) -> None:
    body["music"] = {"mood": "calm"}


def under_another_name(body: Body) -> None:
    body["metadata"] = {"same": "film"}


def in_another_size(body: Body) -> None:
    body["video"] = {**VIDEO, "width": 144, "height": 256}


def with_cards(body: Body) -> None:
    body["opening"] = True
    body["ending"] = True


EDITS = [
    said_otherwise, titled_otherwise, one_more, one_less, in_another_order, moving_otherwise, listing_otherwise,
    in_another_theme, captioned_otherwise, spoken_faster, with_music, under_another_name, in_another_size, with_cards,
]  # fmt: skip


async def test_every_edit_is_foreseen_exactly(maker: FilmMaker, tmp_path: Path) -> None:
    body = await body_of(maker, tmp_path)
    cold = await foreseen(maker, body)
    assert (cold.narrations, cold.film) == (Need(missing=4), Need(missing=1))
    assert (cold.exact, cold.eta_seconds, cold.size_bytes) == (False, None, None)
    assert needs(cold)["segments"].found == 0
    first = await made(maker, body)
    assert needs(cold)["pictures"] == first["pictures"]
    assert cold.duration_seconds == pytest.approx(first["duration"].found / 1000, rel=0.35)
    for edit in EDITS:
        changed = await body_of(maker, tmp_path)
        edit(changed)
        before = await foreseen(maker, changed)
        result = await made(maker, changed)
        unknown = before.narrations.missing > 0
        expected = {name: need for name, need in result.items() if name != "duration"}
        if unknown:  # how many segments a narration will take is known when it is spoken
            assert before.segments.found == expected["segments"].found, edit.__name__
            expected["segments"] = before.segments
        assert needs(before) == expected, edit.__name__
        assert before.exact is not unknown
        after = await foreseen(maker, changed)
        assert {need.missing for need in needs(after).values()} == {0}, edit.__name__
        assert round(1000 * after.duration_seconds) == pytest.approx(result["duration"].found, abs=30)
        assert before.eta_seconds is not None or before.width < before.height
        assert after.eta_seconds == 0.0


async def test_lines_that_move_in_the_markdown_change_nothing(maker: FilmMaker) -> None:
    body: Body = {"script": "## One\n\n- A list\n- of two\n\n## Two\n\n> A quotation.\n", "video": VIDEO}
    await made(maker, body)
    moved = {**body, "script": body["script"].replace("## One", "\n\n<!-- a remark\nof two lines -->\n\n## One")}
    assert {need.missing for need in needs(await foreseen(maker, moved)).values()} == {0}


async def test_planning_leaves_no_trace(maker: FilmMaker, tmp_path: Path) -> None:
    body = await body_of(maker, tmp_path)

    def files() -> dict[str, float]:
        root = tmp_path / "store"
        return {str(path): path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()}

    before = await asyncio.to_thread(files)
    await foreseen(maker, body)
    assert await asyncio.to_thread(files) == before


async def test_each_scene_is_told_of(maker: FilmMaker, tmp_path: Path) -> None:
    body = await body_of(maker, tmp_path)
    await made(maker, body)
    titled_otherwise(body)
    said_otherwise(body)
    scenes = (await foreseen(maker, body)).scenes
    assert [scene.title for scene in scenes] == ["It rises", "", "Fall", ""]
    assert [scene.shown for scene in scenes] == ["card", "color", "list", "image"]
    assert [scene.narration_found for scene in scenes] == [True, False, True, True]
    assert [scene.picture_found for scene in scenes] == [False, True, True, True]
    assert [scene.segments.found > 0 for scene in scenes] == [False, False, True, True]
    assert scenes[1].spoken.startswith("It stays, and")
    assert 1 < scenes[3].seconds < 4


async def test_what_an_export_would_be_refused_for_is_refused(maker: FilmMaker, tmp_path: Path) -> None:
    body = await body_of(maker, tmp_path)
    body["voice"] = {"voice": "nobody"}
    with pytest.raises(VoiceUnavailable):
        await foreseen(maker, body)
    gone = await body_of(maker, tmp_path)
    gone["script"]["scenes"][3]["visual"]["assetId"] = "sha256-" + "0" * 64
    with pytest.raises(PicturelockError) as caught:
        await foreseen(maker, gone)
    assert caught.value.code == "ASSET_MISSING"


async def test_a_brief_is_planned_where_no_model_is_asked(maker: FilmMaker) -> None:
    body = {"brief": {"topic": "The sea rises. It falls again."}, "video": VIDEO}
    assert len((await foreseen(maker, body)).scenes) >= 1

    class Model:
        async def write(self, _brief: object) -> None: ...

    maker.providers = Providers(maker.providers.voices, {}, Model())  # type: ignore[arg-type]
    with pytest.raises(WriterUnavailable):
        await foreseen(maker, body)
