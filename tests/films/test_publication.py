"""Publication is whole or not there: the manifest is written last, and without it nothing is published."""

from collections.abc import Callable, Iterator

import pytest
from temporalio.exceptions import ApplicationError

from activities.finalize import finalize_film
from picturelock.store.hashing import sha256_of
from picturelock.temporal.contracts import FinalizeTask
from tests.fake_s3 import CREDENTIALS, FakeS3
from tests.films.studio import Body, Studio, changed

pytestmark = pytest.mark.slow

FILM: Body = {
    "script": {"title": "Published", "scenes": [{"narration": "One."}, {"narration": "Two."}]},
    "video": {"preset": "preview", "width": 128, "height": 128, "fps": 24},
}


@pytest.fixture
def server(fresh_settings: Callable[..., None], tmp_path: object) -> Iterator[FakeS3]:
    """A store that can be made to fail, as the activities' store."""
    started = FakeS3()
    fresh_settings(
        PICTURELOCK_STORE_URL="s3://media/films", PICTURELOCK_SCRATCH_DIR=f"{tmp_path}/scratch",
        AWS_ENDPOINT=started.url, **CREDENTIALS,
    )  # fmt: skip
    yield started
    started.stop()


def manifests(server: FakeS3) -> list[str]:
    return [path for path in server.objects if path.endswith("/manifest.json")]


async def test_a_store_that_fails_at_each_write_in_turn_publishes_nothing(server: FakeS3) -> None:
    studio = Studio()
    task = await studio.finalize_task(FILM)
    before = dict(server.objects)
    assert manifests(server) == []
    for number in range(1, 30):
        server.objects, server.writes, server.fail_from = dict(before), [], number
        refused = await refusal(studio, task)
        if refused is None:
            break
        assert (refused.type, refused.non_retryable) == ("STORE_UNAVAILABLE", False)
        assert manifests(server) == []
    assert number > 8, "film, its record, poster, captions, script, timeline: eight files come before it"
    assert [path for path in server.writes if path.endswith("/manifest.json")] == [server.writes[-1]]


async def refusal(studio: Studio, task: FinalizeTask) -> ApplicationError | None:
    """How publication fails; None when it does not."""
    try:
        await studio.environment.run(finalize_film, task)
    except ApplicationError as error:
        return error
    return None


async def test_a_found_film_that_is_damaged_is_made_again(studio: Studio) -> None:
    first = await studio.film(FILM)
    film = bytearray(first.path.read_bytes())
    film[-10:] = bytes(10)
    first.path.write_bytes(film)
    again = await studio.film(FILM)
    assert not again.result.cached
    assert sha256_of(again.path) == again.result.film.sha256 == first.result.film.sha256
    assert (await studio.film(FILM)).result.cached


async def test_a_segment_that_is_damaged_is_rendered_again(studio: Studio) -> None:
    body = changed(FILM, "script.title", "Damaged")
    rendered = await studio.rendered(body, 0)
    path = await studio.store.local(rendered.artifact)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    anew = Studio()
    again = await anew.rendered(body, 0)
    assert not again.cached
    assert sha256_of(await anew.store.local(again.artifact)) == again.artifact.sha256 == rendered.artifact.sha256
