"""Why something failed, and whose request it was, is on every line about a job."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.faults.stack import SMALL, create, long_script, start_up, status, stop, until

pytestmark = pytest.mark.slow


def lines_of(log: Path, job_id: str) -> list[dict[str, Any]]:
    """The lines about a job."""
    found = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return [one for one in found if one.get("job") == job_id]


async def test_every_line_about_a_job_says_whose_it_is_and_failures_say_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PICTURELOCK_LOG_FORMAT", "json")
    monkeypatch.setenv("PICTURELOCK_LOG_LEVEL", "debug")
    up = await start_up(tmp_path)
    store, away = tmp_path / "store", tmp_path / "store.away"
    async with httpx.AsyncClient(base_url=up.api, timeout=30, headers={"X-Correlation-ID": "mine"}) as http:
        store.rename(away)
        store.touch()
        made = await create(http, {**long_script(1), "video": SMALL})
        while not (job := await status(http, made)).warnings:
            assert job.status in {"queued", "running"}
        store.unlink()
        away.rename(store)
        assert [one.code for one in job.warnings] == ["ATTEMPT_FAILED"]
        await until(http, made, "completed")
        [kept] = (await http.get(f"/api/jobs/{made}/history")).json()["warnings"]
        assert kept["code"] == "RETRIED"
        assert kept["message"].endswith("attempts: the artifact store does not answer: Not a directory")
        ended = await create(http, long_script(1))
        await http.post(f"/api/jobs/{ended}/cancel")
        await until(http, ended, "cancelled")
    await stop(up)

    worker, api = tmp_path / "logs" / "worker.log", tmp_path / "logs" / "api.log"
    said = lines_of(worker, made)
    assert {one["correlation_id"] for one in said} == {"mine"}
    assert all("activity" in one or one["event"].startswith("job ") for one in said)
    assert [one["event"] for one in said if one["event"].startswith("job ")] == ["job begins", "job ended"]
    assert [(one["status"], one["attempt"]) for one in said if one["event"] == "job ended"] == [("completed", 1)]
    begun = {one["activity"] for one in said if one["event"] == "activity begins"}
    assert begun >= {"script", "tts-00", "composition", "sound", "finalize"}
    failed = [one for one in said if one["event"] == "activity failed"]
    assert failed, "the store was away"
    assert {(one["activity"], one["code"]) for one in failed} == {("script", "STORE_UNAVAILABLE")}
    assert [one["attempt"] for one in failed] == list(range(1, len(failed) + 1))
    assert all(one["reason"] in job.warnings[0].message for one in failed)
    [end] = [one for one in lines_of(worker, ended) if one["event"] == "job ended"]
    assert end["status"] == "cancelled"
    assert [one["event"] for one in lines_of(api, made)] == ["job accepted"]
    assert [one["event"] for one in lines_of(api, ended)] == ["job accepted", "asked for"]
    assert lines_of(api, ended)[-1]["what"] == "cancel"
    assert {one["correlation_id"] for one in lines_of(api, ended)} == {"mine"}
