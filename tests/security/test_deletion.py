"""What is deleted is gone, what others need stays, and what was deleted is told as that."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from picturelock.jobs.deletion import DeletionNote, JobDeletion
from picturelock.jobs.retention import Retention
from picturelock.models import ArtifactRef
from picturelock.store.assets import ingest
from picturelock.store.owned_assets import OwnedAssets
from picturelock.store.references import References, job_holder, owner_holder
from picturelock.store.store import Store
from tests.api.conftest import Installation
from tests.api.test_jobs import SCRIPT
from tests.faults.stack import SMALL, create, long_script, until, upload
from tests.security.conftest import Guarded
from tests.security.hostile import wav
from tests.security.test_access import job_of, uploaded

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_leftovers")]


def blob(guarded: Guarded, sha256: str) -> Path:
    return guarded.up.data / "store" / "blobs" / sha256[:2] / sha256


async def test_a_deleted_job_is_gone_with_its_film(guarded: Guarded) -> None:
    http = guarded.http
    job_id = await create(http, {**long_script(1), "video": SMALL})
    job = await until(http, job_id, "completed")
    assert job.output is not None
    film = blob(guarded, job.output.sha256)
    assert film.exists()
    assert (await guarded.other.delete(f"/api/jobs/{job_id}")).status_code == 404
    assert (await http.delete(f"/api/jobs/{job_id}")).status_code == 204
    assert not film.exists()
    for method, end in (("GET", ""), ("GET", "/output"), ("GET", "/history"), ("GET", "/artifacts/poster.jpg"),
                        ("POST", "/retry"), ("POST", "/cancel"), ("DELETE", "")):  # fmt: skip
        answer = await http.request(method, f"/api/jobs/{job_id}{end}")
        assert (answer.status_code, answer.json()["code"]) == (410, "DELETED"), (method, end)
        assert (await guarded.other.request(method, f"/api/jobs/{job_id}{end}")).status_code == 404
    assert job_id not in (await http.get("/api/jobs", params={"limit": 100})).text
    left = [path for path in (guarded.up.data / "store" / "jobs" / job_id).rglob("*") if path.is_file()]
    assert [path.name for path in left] == ["deleted.json"]


async def test_a_film_that_two_jobs_share_stays_until_both_are_deleted(guarded: Guarded) -> None:
    http, request = guarded.http, {**long_script(1), "video": SMALL}
    first, second = await create(http, request), await create(http, request)
    films = [(await until(http, job, "completed")).output for job in (first, second)]
    assert films[0] is not None
    assert films[1] is not None
    assert films[0].sha256 == films[1].sha256
    await http.delete(f"/api/jobs/{first}")
    assert (await http.get(f"/api/jobs/{second}/output")).status_code == 200
    await http.delete(f"/api/jobs/{second}")
    assert not blob(guarded, films[0].sha256).exists()
    third = await create(http, request)
    assert (await until(http, third, "completed")).output is not None, "and what was deleted can be made again"


async def test_whoever_uploads_a_film_of_somebody_else_cannot_delete_it(guarded: Guarded) -> None:
    job_id = await create(guarded.http, {**long_script(1), "video": SMALL})
    await until(guarded.http, job_id, "completed")
    film = (await guarded.http.get(f"/api/jobs/{job_id}/output")).content
    asset = await upload(guarded.other, film)
    assert (await guarded.other.delete(f"/api/assets/{asset}")).status_code == 204
    assert (await guarded.http.get(f"/api/jobs/{job_id}/output")).content == film


async def test_a_deletion_that_was_broken_off_goes_on(guarded: Guarded) -> None:
    job_id = await create(guarded.http, {**long_script(1), "video": SMALL})
    job = await until(guarded.http, job_id, "completed")
    assert job.output is not None
    note = DeletionNote(owner="victim", deleted_at=datetime.now(UTC))
    await guarded.store.put_job_file(job_id, "deleted.json", note.model_dump_json().encode())
    assert (await guarded.http.get(f"/api/jobs/{job_id}")).status_code == 410
    assert blob(guarded, job.output.sha256).exists()
    assert (await guarded.other.delete(f"/api/jobs/{job_id}")).status_code == 404
    assert (await guarded.http.delete(f"/api/jobs/{job_id}")).status_code == 204
    assert not blob(guarded, job.output.sha256).exists()
    assert (await guarded.http.delete(f"/api/jobs/{job_id}")).status_code == 410


async def test_an_open_job_is_not_deleted(installation: Installation) -> None:
    async with await installation.client("first") as client:
        job_id = await job_of(client)
        answer = await client.delete(f"/api/jobs/{job_id}")
        assert (answer.status_code, answer.json()["code"]) == (409, "NOT_ENDED")
        await client.post(f"/api/jobs/{job_id}/cancel")


async def test_a_deleted_jobs_key_is_not_used_again(guarded: Guarded) -> None:
    headers = {"Idempotency-Key": "once and never again"}
    answer = await guarded.http.post("/api/jobs", json={**SCRIPT, "video": SMALL}, headers=headers)
    job_id = answer.json()["jobId"]
    await until(guarded.http, job_id, "completed")
    await guarded.http.delete(f"/api/jobs/{job_id}")
    again = await guarded.http.post("/api/jobs", json={**SCRIPT, "video": SMALL}, headers=headers)
    assert (again.status_code, again.json()["code"]) == (410, "DELETED")


async def test_a_file_that_two_owners_have_sent_stays_until_both_have_deleted_it(guarded: Guarded) -> None:
    asset = await uploaded(guarded.http, 91)
    assert await uploaded(guarded.other, 91) == asset
    sha256 = asset.removeprefix("sha256-")
    assert (await guarded.http.delete(f"/api/assets/{asset}")).status_code == 204
    assert (await guarded.http.get(f"/api/assets/{asset}")).status_code == 404
    assert (await guarded.other.get(f"/api/assets/{asset}")).status_code == 200
    assert blob(guarded, sha256).exists()
    assert (await guarded.other.delete(f"/api/assets/{asset}")).status_code == 204
    assert not blob(guarded, sha256).exists()


async def test_a_file_that_an_open_export_uses_is_not_deleted(installation: Installation) -> None:
    async with await installation.client("first") as client:
        asset = await uploaded(client, 17)
        scene = {"narration": "Hello.", "visual": {"kind": "image", "assetId": asset}}
        job_id = (await client.post("/api/jobs", json={"script": {"scenes": [scene]}})).json()["jobId"]
        answer = await client.delete(f"/api/assets/{asset}")
        assert (answer.status_code, answer.json()["code"]) == (409, "IN_USE")
        await client.post(f"/api/jobs/{job_id}/cancel")


async def test_everything_of_an_owner_is_deleted_in_one_call(guarded: Guarded) -> None:
    job_id = await create(guarded.other, {**long_script(1), "video": SMALL})
    await until(guarded.other, job_id, "completed")
    asset = await upload(guarded.other, wav())
    kept = await uploaded(guarded.http, 55)
    answer = (await guarded.http.request("DELETE", "/api/owners/other")).json()
    assert answer["jobs"] >= 1
    assert answer["assets"] >= 1
    assert answer["stillOpen"] == []
    assert (await guarded.other.get(f"/api/jobs/{job_id}")).status_code == 410
    assert (await guarded.other.get(f"/api/assets/{asset}")).status_code == 404
    assert (await guarded.other.get("/api/jobs")).json()["jobs"] == []
    assert (await guarded.http.get(f"/api/assets/{kept}")).status_code == 200


async def test_files_that_no_job_uses_go_after_their_time(store: Store, tmp_path: Path) -> None:
    owned, references = OwnedAssets(store), References(store)
    ids = []
    for number in range(3):
        path = tmp_path / f"{number}.wav"
        path.write_bytes(wav(0.2 + number / 10))
        asset = await ingest(path, store)
        ids.append(asset.asset_id)
        sha256 = asset.asset_id.removeprefix("sha256-")
        if number < 2:
            await owned.add("somebody", asset)
            await references.add(owner_holder("somebody"), [sha256])
        if number == 1:
            await references.add(job_holder("a-job"), [sha256])
    retention, now = Retention(store), datetime.now(UTC)
    assert await retention.delete_unused_assets(now - timedelta(days=1)) == 0
    assert await retention.delete_unused_assets(now + timedelta(seconds=5)) == 1
    assert [await store.find_asset(one) is None for one in ids] == [True, False, False], "a provider's are a cache"
    assert [one.asset.asset_id for one in await owned.all("somebody")] == [ids[1]]


async def test_a_broken_off_deletion_is_made_again(store: Store) -> None:
    """The note comes first, and everything after it may be done twice."""
    await store.put_job_file("a-job", "manifest.json", b"{}")
    await store.put_job_file("a-job", "attempts/1.json", b"{}")
    deletion = JobDeletion(store)
    await deletion.delete("a-job", "somebody", None, [])
    await deletion.delete("a-job", "somebody", None, [])
    assert await store.job_files("a-job") == ["deleted.json"]
    note = await deletion.find("a-job")
    assert note is not None
    assert note.owner == "somebody"


@pytest.mark.parametrize("wrong", ["../../../etc/passwd", "a" * 63, "A" * 64, "a" * 64 + "/..", "a" * 64 + "\n", ""])
def test_a_hash_that_is_none_names_no_file(wrong: str) -> None:
    """Whoever writes into a history must not read other files with it."""
    with pytest.raises(ValidationError):
        ArtifactRef(sha256=wrong, size_bytes=1, media_type="text/plain")
