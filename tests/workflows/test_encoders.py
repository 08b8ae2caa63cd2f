"""One encoder for a whole film: a hardware encoder that fails takes all its segments with it."""

from typing import Any

from temporalio.client import Client

from picturelock.errors import EncoderFailed, NotOffered
from picturelock.jobs.status import assemble
from picturelock.models import JobStatus
from picturelock.temporal import contracts
from picturelock.temporal.reader import JobReader
from tests.fake_activities import Studio
from tests.workflows.conftest import start, studio_open


async def finished(client: Client, studio: Studio) -> JobStatus:
    async with studio_open(client, studio):
        handle = await start(client)
        await handle.result()
        return assemble(await JobReader(client).observe(handle.id))


async def test_all_segments_are_by_the_encoder_that_passed_its_trial(client: Client) -> None:
    studio = Studio(hardware=contracts.ChosenEncoder(encoder="h264_nvenc"))
    job = await finished(client, studio)
    assert sorted(one for one in studio.ran if one.startswith("render")) == [
        f"render-00{number}-h264_nvenc" for number in range(3)
    ]
    assert not job.warnings


async def test_without_one_the_film_is_made_by_software_and_a_warning_says_so(client: Client) -> None:
    studio = Studio(hardware=contracts.ChosenEncoder(failures=["h264_nvenc: no card"]))
    job = await finished(client, studio)
    assert {one for one in studio.ran if one.startswith("render")} == {f"render-00{number}" for number in range(3)}
    assert [one.code for one in job.warnings] == ["SOFTWARE_ENCODER"]
    assert "no card" in job.warnings[0].message


async def test_a_trial_that_fails_is_no_reason_to_fail(client: Client) -> None:
    studio = Studio(hardware=contracts.ChosenEncoder(encoder="h264_nvenc"))

    async def hang(_task: Any) -> None:
        raise NotOffered("the driver never answered")

    studio.hooks["choose_encoder"] = hang
    job = await finished(client, studio)
    assert job.status == "completed"
    assert "the driver never answered" in job.warnings[0].message


async def test_a_failure_on_the_way_restarts_all_segments_by_software(client: Client) -> None:
    studio = Studio(hardware=contracts.ChosenEncoder(encoder="h264_nvenc"))

    async def fall_off(task: contracts.BatchTask) -> None:
        if task.encoder and task.segment_ids[-1] == "render-002":
            raise EncoderFailed("h264_nvenc: the card has fallen off the bus")

    studio.hooks["render"] = fall_off
    job = await finished(client, studio)
    assert {f"render-00{number}" for number in range(3)} <= set(studio.ran)
    assert job.status == "completed"
    assert [one.code for one in job.warnings] == ["SOFTWARE_ENCODER"]
    assert "fallen off the bus" in job.warnings[0].message


async def test_segments_that_would_not_join_are_made_again(client: Client) -> None:
    studio = Studio(hardware=contracts.ChosenEncoder(encoder="h264_nvenc"))
    studio.headers = lambda task: task.segment_ids[-1] if task.encoder else "b"
    job = await finished(client, studio)
    assert job.status == "completed"
    assert "one set of headers" in job.warnings[0].message


async def test_progress_does_not_go_back_when_the_rendering_begins_again(client: Client) -> None:
    studio = Studio(hardware=contracts.ChosenEncoder(encoder="h264_nvenc"))
    seen: list[float] = []

    async def look(task: Any) -> None:
        job = assemble(await JobReader(client).observe(task_id[0]))
        seen.append(job.progress)
        if task.encoder and len(seen) == 3:  # whichever of them it is
            raise EncoderFailed("h264_nvenc: gone")

    task_id: list[str] = []
    studio.hooks["render"] = look
    async with studio_open(client, studio, render_slots=1):
        handle = await start(client, job_id="job-that-begins-again")
        task_id.append(handle.id)
        await handle.result()
    assert seen == sorted(seen)
    assert len(seen) == 6
