"""One job of a round: asked for, watched by viewers and by one who polls, and looked at in the end."""

import asyncio
import contextlib
import hashlib
import json
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any, Final

import httpx
from httpx_sse import aconnect_sse

from picturelock.errors import PicturelockError
from picturelock.ffmpeg import runner
from picturelock.models import TERMINAL, JobStatus
from scripts.chaos.invariants import Seen, Told, disagreements, violations
from scripts.chaos.plan import JobPlan, Wish

VIDEO: Final = {"preset": "preview", "width": 426, "height": 240}
_POLL_SECONDS: Final = 0.2
_AGAIN_SECONDS: Final = 0.3
_TOLD_SECONDS: Final = 20.0
_END_SECONDS: Final = 90.0
"""How long after the last fault a job may take before it counts as hung."""


class ChaoticJob:
    """Runs one job's plan against a stack."""

    def __init__(self, plan: JobPlan, http: httpx.AsyncClient) -> None:
        self.plan = plan
        self.seen = Seen(plan.title)
        self._http = http
        self._reconnect = asyncio.Event()
        self._over = False
        self._settled = False  # from then on nobody asks for another attempt: an end that is told is the last
        self.id = ""
        self.slowest = 0.0
        """Seconds of the slowest GET."""

    async def run(self, faults_over: asyncio.Event) -> list[str]:
        """Everything from the request to the film; what did not hold."""
        await self._create()
        watching = [asyncio.create_task(self._poll()), *(asyncio.create_task(self._view()) for _ in range(2))]
        try:
            await self._wish()
            await faults_over.wait()
            since = time.monotonic()
            try:
                async with asyncio.timeout(_END_SECONDS):
                    job = await self._ended()
            except TimeoutError:
                last = self.seen.polls[-1] if self.seen.polls else None
                state = f"{last.status} {last.stage} {last.progress}: {last.message}" if last else "never seen"
                return [f"{self.plan.title}: hangs for {_END_SECONDS:.0f} s: {state}", *violations(self.seen)]
            self.took = time.monotonic() - since
            self._settled = True
            _, waiting = await asyncio.wait(watching[1:], timeout=_TOLD_SECONDS)
            self._over = True
            untold = [f"{self.plan.title}: {len(waiting)} viewers are not told to stop"] if waiting else []
            return [*untold, *violations(self.seen), *await self._at_rest(), *await self._film(job)]
        finally:
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)

    took = 0.0
    """Seconds from the end of all faults and wishes to the end of the job."""

    async def _create(self) -> None:
        scenes = [{"title": f"Take {n}", "narration": text} for n, text in enumerate(self.plan.narrations)]
        body = {"script": {"title": self.plan.title, "scenes": scenes}, "video": VIDEO}
        key = uuid.uuid4().hex
        while True:  # a request that nobody answered is sent again with its key: it is one job
            with contextlib.suppress(httpx.HTTPError):
                answer = await self._http.post("/api/jobs", json=body, headers={"Idempotency-Key": key})
                if answer.status_code in {200, 202}:
                    self.id = str(answer.json()["jobId"])
                    return
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _wish(self) -> None:
        began = time.monotonic()
        for wish in self.plan.wishes:
            await asyncio.sleep(max(0.0, wish.at - (time.monotonic() - began)))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_END_SECONDS if wish.once_ended else None):
                    while wish.once_ended and not (self.seen.polls and self.seen.polls[-1].status in TERMINAL):
                        await asyncio.sleep(_POLL_SECONDS)
            await self._ask(wish)

    async def _ask(self, wish: Wish) -> None:
        if wish.action == "reconnect":
            self._reconnect.set()
            self._reconnect = asyncio.Event()
            return
        self.seen.asked.append(wish.action)  # it may take effect although nobody answers
        with contextlib.suppress(httpx.HTTPError):
            await self._http.post(f"/api/jobs/{self.id}/{wish.action}")

    async def _poll(self) -> None:
        while True:
            with contextlib.suppress(httpx.HTTPError):
                began = time.monotonic()
                answer = await self._http.get(f"/api/jobs/{self.id}")
                self.slowest = max(self.slowest, time.monotonic() - began)
                if answer.status_code == 200:
                    self.seen.polls.append(JobStatus.model_validate(answer.json()))
                elif answer.status_code != 503:
                    self.seen.answers.append(answer.status_code)
            await asyncio.sleep(_POLL_SECONDS)

    async def _ended(self) -> JobStatus:
        """Waits for the end, and has a paused job go on."""
        while True:
            job = self.seen.polls[-1] if self.seen.polls else None
            if job is not None and job.status in TERMINAL:
                return job
            if job is not None and (job.status == "paused" or job.pause_requested):
                await self._ask(Wish(0, "resume"))
            await asyncio.sleep(_POLL_SECONDS)

    async def _view(self) -> None:
        """Looks at the stream like a browser: with the last id it was given, until it is told to stop."""
        told: list[Told] = []
        self.seen.viewers.append(told)
        while not self._over:
            ending = asyncio.create_task(self._connection(told))
            leaving = asyncio.create_task(self._reconnect.wait())
            await asyncio.wait({ending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            stopped = ending.done() and not ending.cancelled() and ending.exception() is None and ending.result()
            for task in (ending, leaving):
                task.cancel()
            await asyncio.gather(ending, leaving, return_exceptions=True)
            if stopped and self._settled:
                return
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _connection(self, told: list[Told]) -> bool:
        """One connection; whether the server says that there is nothing more to come."""
        headers = {"Last-Event-ID": told[-1].id} if told else {}
        with contextlib.suppress(httpx.HTTPError):
            async with aconnect_sse(self._http, "GET", f"/api/jobs/{self.id}/events", headers=headers) as source:
                if source.response.status_code == 204:
                    return True
                if source.response.status_code != 200:
                    return False
                first = True
                async for event in source.aiter_sse():
                    if first:
                        self.seen.first_events.append(event.event)
                        first = False
                    if event.id:
                        told.append(Told(event.event, event.id, _state(event.event, event.data)))
        return False

    async def _at_rest(self) -> list[str]:
        """GET, the list and a fresh stream say the same of a job that has ended."""
        surfaces: dict[str, JobStatus] = {}
        async with asyncio.timeout(60):
            while len(surfaces) < 3:
                with contextlib.suppress(httpx.HTTPError, ValueError, StopIteration):
                    surfaces = await self._surfaces()
                await asyncio.sleep(_AGAIN_SECONDS)
        return disagreements(self.plan.title, surfaces)

    async def _surfaces(self) -> dict[str, JobStatus]:
        found = {"GET": JobStatus.model_validate((await self._http.get(f"/api/jobs/{self.id}")).json())}
        rows = (await self._http.get("/api/jobs", params={"limit": 50})).json()["jobs"]
        found["list"] = JobStatus.model_validate(next(row for row in rows if row["id"] == self.id))
        async with aconnect_sse(self._http, "GET", f"/api/jobs/{self.id}/events") as source:
            async for event in source.aiter_sse():
                if (state := _state(event.event, event.data)) is not None:
                    found["stream"] = state
        return found

    async def _fetched(self, path: str) -> httpx.Response:
        """A file; a store that has only just come back is waited for."""
        deadline = time.monotonic() + _END_SECONDS
        while True:
            with contextlib.suppress(httpx.HTTPError):
                answer = await self._http.get(path, follow_redirects=True)
                if answer.status_code != 503 or time.monotonic() > deadline:
                    return answer
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _film(self, job: JobStatus) -> list[str]:
        """Whether the film of a completed job is what its hash says, and can be decoded to its end."""
        if job.status != "completed" or job.output is None:
            return []
        answer = await self._fetched(job.output.path)
        if hashlib.sha256(answer.content).hexdigest() != job.output.sha256:
            return [f"{self.plan.title}: the film is not what its hash says ({answer.status_code})"]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "film.mp4"
            path.write_bytes(answer.content)
            try:
                await runner.run(["-v", "error", "-xerror", "-i", str(path), "-f", "null", "-"], stall_seconds=30)
            except PicturelockError as error:
                return [f"{self.plan.title}: the film cannot be decoded: {error}"]
        return []


def _state(name: str, data: str) -> JobStatus | None:
    """The status that an event carries."""
    if not name.startswith("job-") or name == "job-not-found":
        return None
    fields: dict[str, Any] = json.loads(data)
    return JobStatus.model_validate(fields)
