"""Every verb does what it says to a job of a real API, says so, and ends with the documented exit code."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from picturelock.errors import InvalidScript
from picturelock.models import JobStatus
from tests.api.test_jobs import OpenStudio, create, until
from tests.cli.terminal import ROOT, Terminal, ended, piped, start
from tests.fake_activities import Studio, beat
from tests.servers import FakeServer, Reply

pytestmark = [pytest.mark.usefixtures("no_leftovers"), pytest.mark.slow]


class Gated(Studio):
    """Activities that stand still in `speak_scene` until the gate opens."""

    def __init__(self, **hooks: Any) -> None:
        self.gate = asyncio.Event()
        super().__init__(hooks={"speak_scene": self._wait, **hooks})

    async def _wait(self, _task: Any) -> None:
        await self.gate.wait()


async def fail(_task: Any) -> None:
    raise InvalidScript("script.scenes[0].narration: it says nothing")


async def test_cancel(http: httpx.AsyncClient, api_url: str, studio: OpenStudio) -> None:
    await studio(Gated())
    job_id = await create(http)
    await until(http, job_id, lambda one: one.stage == "tts")
    said = await piped("cancel", job_id, "--api", api_url)
    assert (said.code, said.out) in [(0, "cancel requested\n"), (0, "cancelled\n")]
    await until(http, job_id, lambda one: one.status == "cancelled")
    again = await piped("cancel", job_id, "--api", api_url)
    assert (again.code, again.out) == (0, "cancelled\n")


async def test_pause_and_resume(http: httpx.AsyncClient, api_url: str, studio: OpenStudio) -> None:
    gated = Gated()
    await studio(gated)
    job_id = await create(http)
    await until(http, job_id, lambda one: one.stage == "tts")
    said = await piped("pause", job_id, "--api", api_url)
    assert (said.code, said.out) == (0, "pause requested: what runs is finished first\n")
    gated.gate.set()
    await until(http, job_id, lambda one: one.status == "paused")
    assert (await piped("pause", job_id, "--api", api_url)).out == "paused\n"
    said = await piped("resume", job_id, "--api", api_url)
    assert (said.code, said.out) == (0, "resumed\n")
    done = await until(http, job_id, lambda one: one.status == "completed")
    assert not done.pause_requested


async def test_retry(http: httpx.AsyncClient, api_url: str, studio: OpenStudio) -> None:
    await studio(Studio(hooks={"compose": fail}))
    job_id = await create(http)
    await until(http, job_id, lambda one: one.status == "failed")
    said = await piped("retry", job_id, "--api", api_url)
    assert (said.code, said.out) == (0, "attempt 2 has begun\n")
    job = await until(http, job_id, lambda one: one.status == "failed" and one.attempt == 2)
    assert job.earlier_attempts[0].attempt == 1


async def test_jobs_as_a_table_and_as_json(http: httpx.AsyncClient, api_url: str, studio: OpenStudio) -> None:
    await studio(Studio())
    first = await create(http)
    await until(http, first, lambda one: one.status == "completed")
    second = await create(http)
    await until(http, second, lambda one: one.status == "completed")
    table = await piped("jobs", "--limit", "2", "--api", api_url)
    assert table.code == 0
    rows = [line.split() for line in table.out.splitlines()]
    assert rows[0] == ["id", "status", "progress", "stage", "created", "title"]
    assert [row[:4] for row in rows[1:]] == [[one, "completed", "100.0", "%"] for one in (second, first)]
    assert table.err.startswith("2 of ")
    listed = await piped("jobs", "--json", "--limit", "2", "--status", "completed", "--api", api_url)
    assert [JobStatus.model_validate_json(line).id for line in listed.out.splitlines()] == [second, first]
    assert listed.err == ""
    none = await piped("jobs", "--json", "--status", "paused", "--api", api_url)
    assert (none.code, none.out) == (0, "")


async def test_watch_in_a_pipe_says_a_line_for_every_stage(
    http: httpx.AsyncClient, api_url: str, studio: OpenStudio
) -> None:
    gated = Gated()
    await studio(gated)
    job_id = await create(http)
    await until(http, job_id, lambda one: one.stage == "tts")
    watching = await start("watch", job_id, "--api", api_url)
    assert watching.stderr is not None
    first = (await watching.stderr.readline()).decode()
    gated.gate.set()
    said = await ended(watching)
    assert (said.code, said.out) == (0, "")
    lines = [first, *said.err.splitlines()]
    assert lines[-1] == "100.0 %  complete    The film is ready"
    assert "\x1b" not in said.err
    assert " tts " in first
    percents = [float(line.split("%")[0]) for line in lines]
    assert percents == sorted(percents)


@pytest.mark.parametrize("state", ["failed", "cancelled"])
async def test_watch_ends_with_one_and_says_why(
    state: str, http: httpx.AsyncClient, api_url: str, studio: OpenStudio
) -> None:
    await studio(Studio(hooks={"compose": fail}) if state == "failed" else Gated())
    job_id = await create(http)
    if state == "cancelled":
        await until(http, job_id, lambda one: one.stage == "tts")
        await http.post(f"/api/jobs/{job_id}/cancel")
    await until(http, job_id, lambda one: one.status == state)
    said = await piped("watch", job_id, "--api", api_url)
    assert said.code == 1
    if state == "failed":
        assert "INVALID_SCRIPT: script.scenes[0].narration: it says nothing\n" in said.err
        assert InvalidScript.remediation in said.err
    else:
        assert said.err.splitlines()[-1] == "Cancelled"


async def test_ctrl_c_leaves_the_job_alone(http: httpx.AsyncClient, api_url: str, studio: OpenStudio) -> None:
    gated = Gated()
    await studio(gated)
    job_id = await create(http)
    watching = await start("watch", job_id, "--api", api_url)
    assert watching.stderr is not None
    await watching.stderr.readline()
    watching.send_signal(signal.SIGINT)
    said = await ended(watching)
    assert (said.code, "Traceback" in said.err) == (130, False)
    gated.gate.set()
    await until(http, job_id, lambda one: one.status == "completed")


async def test_the_terminal_shows_every_state_of_a_job(
    http: httpx.AsyncClient, api_url: str, studio: OpenStudio
) -> None:
    job_id = await create(http)
    screen = await Terminal.open("watch", job_id, "--api", api_url)
    await screen.shows("0.0 %", "· script", "· finalize")  # queued: nobody works
    gated = Gated(compose=lambda _: asyncio.sleep(0))
    await studio(gated)
    await screen.shows("✓ script", "▸ tts", "Speaking 2 scenes")
    await http.post(f"/api/jobs/{job_id}/pause")
    gated.gate.set()
    await until(http, job_id, lambda one: one.status == "paused")
    await screen.shows("‖ ", "Paused")
    await http.post(f"/api/jobs/{job_id}/resume")
    assert await screen.ends() == 0
    assert "100.0 %" in screen.text
    assert all(f"✓ {name}" in screen.text for name in ("script", "tts", "composition", "render", "finalize"))
    assert "The film is ready" in screen.text
    assert b"\x1b[?25h" in screen.raw  # the cursor is there again


async def test_the_terminal_shows_a_failure_with_what_to_do(
    http: httpx.AsyncClient, api_url: str, studio: OpenStudio
) -> None:
    await studio(Studio(hooks={"compose": fail}))
    job_id = await create(http)
    screen = await Terminal.open("watch", job_id, "--api", api_url)
    assert await screen.ends() == 1
    assert "✗ composition" in screen.text
    assert "INVALID_SCRIPT" in screen.text
    assert InvalidScript.remediation[:60] in screen.text


async def test_the_terminal_shows_a_cancelled_job_and_its_warnings(
    http: httpx.AsyncClient, api_url: str, studio: OpenStudio
) -> None:
    async def tell(_task: Any) -> None:
        from temporalio import activity

        activity.heartbeat(beat(0.5))
        await gated.gate.wait()

    gated = Gated(compose=tell)
    gated.gate.set()
    await studio(gated)
    gated.gate.clear()
    job_id = await create(http)
    screen = await Terminal.open("watch", job_id, "--api", api_url)
    await screen.shows("▸ tts")
    await http.post(f"/api/jobs/{job_id}/cancel")
    assert await screen.ends() == 1
    assert "– tts" in screen.text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["watch", "no-such-job"], "NOT_FOUND"),
        (["cancel", "no-such-job"], "NOT_FOUND"),
        (["pause", "no-such-job"], "NOT_FOUND"),
        (["resume", "no-such-job"], "NOT_FOUND"),
        (["retry", "no-such-job"], "NOT_FOUND"),
        (["jobs", "--status", "finished"], "INVALID"),
        (["jobs", "--limit", "0"], "--limit"),
        (["export"], "--brief"),
        (["export", "x.md", "--brief", "Tides"], "--brief"),
        (["export", "no-such-file.md"], "no-such-file.md"),
        (["export", "README.md", "--format", "3:2"], "16:9, 9:16, 1:1, 4:5"),
        (["export", "README.md", "--format", "1:1", "--preset", "preview"], "the same thing"),
        (["export", "README.md", "--music", "no-such-song.mp3"], "no-such-song.mp3"),
        (["show", "no-such-job"], "NOT_FOUND"),
        (["rm", "no-such-job"], "NOT_FOUND"),
        (["download", "no-such-job"], "NOT_FOUND"),
        (["nonsense"], "nonsense"),
    ],
)
async def test_wrong_input_is_refused_with_two_and_no_traceback(
    arguments: list[str], says: str, http: httpx.AsyncClient, api_url: str
) -> None:
    named = [] if arguments == ["nonsense"] else ["--api", api_url]
    said = await piped(*arguments, *named)
    assert (said.code, said.out) == (2, "")
    assert says in said.err
    assert "Traceback" not in said.err


async def test_an_api_that_is_away_or_something_else_is_said_so(
    fake_server: Callable[[list[Reply]], FakeServer], tmp_path: Path
) -> None:
    away = await piped("jobs", "--api", "http://127.0.0.1:9")
    assert (away.code, "does not answer" in away.err) == (2, True)
    server = fake_server([Reply(200, b"<html>", "text/html")])
    other = await piped("jobs", "--api", server.url)
    assert (other.code, "is no Picturelock API" in other.err) == (2, True)
    none = await piped("jobs", "--data", str(tmp_path / "nothing"))
    assert (none.code, "picturelock up" in none.err) == (2, True)
    assert not (tmp_path / "nothing").exists()
    named = await piped("jobs", environment={"PICTURELOCK_API_URL": "http://127.0.0.1:9"})
    assert "does not answer" in named.err


async def test_the_version_is_told() -> None:
    from picturelock import __version__

    said = await piped("--version")
    assert (said.code, said.out) == (0, f"picturelock {__version__}\n")


async def test_help_names_every_verb() -> None:
    said = await piped("--help")
    assert said.code == 0
    verbs = ("up", "export", "jobs", "watch", "show", "download", "rm", "cancel", "pause", "resume", "retry", "submit",
             "history", "logs")  # fmt: skip
    for verb in (*verbs, "presets", "themes", "voices", "keys"):
        assert f" {verb} " in said.out
    assert "--while-used" not in (await piped("up", "--help")).out


def event(name: str, number: int, data: JobStatus) -> bytes:
    return f"event: {name}\nid: {number}\ndata: {data.model_dump_json()}\n\n".encode()


async def test_a_broken_stream_is_taken_up_where_it_broke(
    fake_server: Callable[[list[Reply]], FakeServer], tmp_path: Path
) -> None:
    from picturelock.jobs.status import assemble
    from tests.unit.test_status import observed, snapshot

    running = assemble(observed(snapshot=snapshot("render")))
    stream = "text/event-stream"
    server = fake_server([
        Reply(200, event("job-progress", 7, running), stream),
        Reply(200, json.loads(running.model_dump_json())),
        Reply(200, event("job-cancelled", 8, running.model_copy(update={"status": "cancelled"})), stream),
    ])  # fmt: skip
    said = await piped("watch", "some-job-1", "--api", server.url)
    assert said.code == 1
    assert [one.path for one in server.requests] == [
        "/api/jobs/some-job-1/events", "/api/jobs/some-job-1", "/api/jobs/some-job-1/events",
    ]  # fmt: skip
    assert server.requests[2].headers["last-event-id"] == "7"


async def test_a_film_that_is_damaged_on_the_way_is_no_film(
    fake_server: Callable[[list[Reply]], FakeServer], tmp_path: Path
) -> None:
    from picturelock.client.asynchronous import ApiError, AsyncClient

    server = fake_server([Reply(200, b"not the film", "video/mp4")])
    server.headers["etag"] = f'"{"0" * 64}"'
    target = tmp_path / "film.mp4"
    async with AsyncClient(server.url) as client:
        with pytest.raises(ApiError, match="damaged"):
            await client.download("/film", target)
    assert list(tmp_path.iterdir()) == []


async def test_a_job_is_shown_downloaded_and_deleted(
    http: httpx.AsyncClient, api_url: str, studio: OpenStudio, tmp_path: Path
) -> None:
    await studio(Studio())
    job_id = await create(http)
    job = await until(http, job_id, lambda one: one.status == "completed")
    said = await piped("show", job_id, "--api", api_url)
    assert (said.code, said.out.splitlines()[0]) == (0, f"{job.title}  completed  100.0 %")
    whole = await piped("show", job_id, "--json", "--api", api_url)
    assert JobStatus.model_validate_json(whole.out).id == job_id
    none = await piped("download", job_id, "--name", "none.txt", "--api", api_url)
    assert (none.code, "has no 'none.txt'" in none.err) == (2, True)
    deleted = await piped("rm", job_id, "--api", api_url)
    assert (deleted.code, deleted.out) == (0, "deleted\n")
    gone = await piped("show", job_id, "--api", api_url)
    assert (gone.code, "DELETED" in gone.err) == (2, True)


async def test_a_job_is_named_by_its_beginning(http: httpx.AsyncClient, api_url: str, studio: OpenStudio) -> None:
    await studio(Studio())
    job_id = await create(http)
    job = await until(http, job_id, lambda one: one.status == "completed")
    said = await piped("show", job_id[:8], "--api", api_url)
    assert (said.code, said.out.splitlines()[0]) == (0, f"{job.title}  completed  100.0 %")
    none = "f" * 30 if not job_id.startswith("f") else "e" * 30
    gone = await piped("show", none, "--api", api_url)
    assert (gone.code, "JOB_NOT_FOUND" in gone.err) == (2, True)


async def test_a_beginning_that_two_jobs_have_names_none(fake_server: Callable[[list[Reply]], FakeServer]) -> None:
    from picturelock.jobs.status import assemble
    from tests.unit.test_status import observed

    job = assemble(observed()).model_copy(update={"id": "ab" * 16})
    rows = [json.loads(one.model_dump_json()) for one in (job, job.model_copy(update={"id": "abab" + "c" * 28}))]
    server = fake_server([Reply(200, {"jobs": rows, "total": 2, "nextCursor": None})])
    said = await piped("cancel", "abab", "--api", server.url)
    assert said.code == 2
    assert "2 of the newest jobs begin with abab" in said.err
    assert [one.path.partition("?")[0] for one in server.requests] == ["/api/jobs"]


async def test_a_script_is_submitted_once_and_its_history_told(
    http: httpx.AsyncClient, api_url: str, studio: OpenStudio, tmp_path: Path
) -> None:
    await studio(Studio(hooks={"speak_scene": fail}))
    script = tmp_path / "sea.md"
    script.write_text("# Sea\n\nThe sea is calm.\n")
    said = await piped("submit", str(script), "--key", f"once-{tmp_path.name}", "--api", api_url)
    job_id = said.out.strip()
    assert (said.code, len(job_id)) == (0, 32)
    again = await piped("submit", str(script), "--key", f"once-{tmp_path.name}", "--api", api_url)
    assert again.out.strip() == job_id
    await until(http, job_id, lambda one: one.status == "failed")
    assert (await piped("retry", job_id, "--api", api_url)).code == 0
    await until(http, job_id, lambda one: one.status == "failed" and one.attempt == 2)
    told = await piped("history", job_id, "--api", api_url)
    assert told.code == 0
    assert "attempt 1  failed  INVALID_SCRIPT: script.scenes[0].narration: it says nothing" in told.out
    assert "attempt 2  failed" in told.out
    assert "script completed: " in told.out
    whole = json.loads((await piped("history", job_id, "--json", "--api", api_url)).out)
    assert (whole["jobId"], whole["attempt"]) == (job_id, 2)


LOGGED = {
    "api": "2026-11-30T10:00:00.5Z [info] job accepted job=aaaa1111\n2026-11-30T10:00:03Z [info] other job=bbbb2222\n",
    "worker": "2026-11-30T10:00:01Z [error] it failed job=aaaa1111\nTraceback:\n  in a line\n",
    "render-1": '{"job":"aaaa1111","event":"drawn","timestamp":"2026-11-30T10:00:00.7Z"}\n{"no": "time"}\n',
    "temporal": "level=info msg=aaaa1111\n",
}


async def test_logs_are_in_the_order_of_time_and_about_one_job(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    for name, text in LOGGED.items():
        (tmp_path / "logs" / f"{name}.log").write_text(text)
    said = await piped("logs", "aaaa", "--data", str(tmp_path))
    assert said.out.splitlines() == [
        "api      2026-11-30T10:00:00.5Z [info] job accepted job=aaaa1111",
        'render-1 {"job":"aaaa1111","event":"drawn","timestamp":"2026-11-30T10:00:00.7Z"}', '{"no": "time"}',
        "worker   2026-11-30T10:00:01Z [error] it failed job=aaaa1111", "Traceback:", "  in a line",
    ]  # fmt: skip
    newest = await piped("logs", "--lines", "1", "--data", str(tmp_path))
    assert newest.out == "api      2026-11-30T10:00:03Z [info] other job=bbbb2222\n"
    none = await piped("logs", "--data", str(tmp_path / "nowhere"))
    assert (none.code, "where the service runs" in none.err) == (2, True)


async def test_logs_go_on_with_what_is_written(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    log = tmp_path / "logs" / "api.log"
    log.write_text(LOGGED["api"])
    process = await start("logs", "-f", "-n", "0", "--data", str(tmp_path), environment={"PYTHONUNBUFFERED": "1"})
    assert process.stdout is not None
    reading = asyncio.create_task(process.stdout.readline())
    async with asyncio.timeout(30):
        while not reading.done():  # it may not have looked yet when the first line comes
            with log.open("a") as file:
                file.write("2026-11-30T10:00:09Z [info] more\n")
            await asyncio.wait([reading], timeout=1)
    assert reading.result() == b"api      2026-11-30T10:00:09Z [info] more\n"
    process.send_signal(signal.SIGINT)
    await ended(process)


@pytest.mark.parametrize(
    ("words", "offered"),
    [("picturelock hist", "history"), ("picturelock export --theme day", "daylight"),
     ("picturelock export --preset insta", "instagram-feed"), ("picturelock export --voice hib", "hibari/heart")],
)  # fmt: skip
async def test_words_are_completed(words: str, offered: str) -> None:
    command = "import sys; sys.argv = ['picturelock']; from picturelock.cli.main import main; main()"
    given = {"_PICTURELOCK_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", command, env={**os.environ, **given}, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert offered in out.decode().split()


async def test_show_ends_with_one_where_there_is_no_film(
    http: httpx.AsyncClient, api_url: str, studio: OpenStudio
) -> None:
    await studio(Studio(hooks={"speak_scene": fail}))
    job_id = await create(http)
    await until(http, job_id, lambda one: one.status == "failed")
    said = await piped("show", job_id, "--api", api_url)
    assert (said.code, "failed" in said.out) == (1, True)


async def test_the_options_of_export_are_in_its_request(
    http: httpx.AsyncClient, api_url: str, studio: OpenStudio, tmp_path: Path
) -> None:
    await studio(Gated())
    script = tmp_path / "film.md"
    script.write_text("---\nlanguage: de\ntheme: paper\n---\n# Film\n\nHello there.")
    options = ["--theme", "ember", "--format", "9:16", "--voice", "hibari/heart", "--language", "en-GB", "--captions",
               "pop", "--transition", "slide", "--opening", "--no-ending", "--detach"]  # fmt: skip
    said = await piped("export", str(script), *options, "--api", api_url)
    assert said.code == 0, said.err
    job_id = said.out.strip()
    asked = await http.get(f"/api/jobs/{job_id}/request")
    request = asked.json()
    assert (request["theme"], request["video"]["preset"], request["voice"]["voice"]) == ("ember", "tiktok", "heart")
    assert (request["captions"]["style"], request["transition"]["kind"]) == ("pop", "slide")
    assert (request["opening"], request["ending"], request["script"]["language"]) == (True, False, "en-GB")
    await http.post(f"/api/jobs/{job_id}/cancel")
    await until(http, job_id, lambda one: one.status == "cancelled")


async def test_detach_wants_a_service_that_goes_on(tmp_path: Path) -> None:
    script = tmp_path / "film.md"
    script.write_text("Hello there.")
    said = await piped("export", str(script), "--detach", "--data", str(tmp_path / "data"))
    assert (said.code, "picturelock up" in said.err) == (2, True)
    assert not (tmp_path / "data").exists()


async def test_a_missing_picture_is_noticed_before_anything_starts(tmp_path: Path) -> None:
    script = tmp_path / "film.md"
    script.write_text("![Sea](sea.jpg)\n\nHello there.")
    said = await piped("export", str(script), "--data", str(tmp_path / "data"))
    assert (said.code, "there is no picture" in said.err) == (2, True)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("verb", "name"), [("presets", "youtube-1080p"), ("themes", "midnight"), ("voices", "hibari/heart")]
)
async def test_what_there_is_to_choose_from_is_listed(verb: str, name: str) -> None:
    assert name in (await piped(verb)).out
    rows = [json.loads(line) for line in (await piped(verb, "--json")).out.splitlines()]
    assert rows[0]["name"] == name
