"""The client for programs that do not await: the same calls, made on a loop of its own thread."""

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

from picturelock.client.asynchronous import AsyncClient
from picturelock.models import JobStatus
from picturelock.models.batch import BatchStatus
from picturelock.models.forecast import Forecast

T = TypeVar("T")


class Client:
    """One API. Its calls may be made from several threads.

    Args:
        base_url: where it answers.
        key: an API key, where keys are asked for.

    Every call raises ApiError when the API refuses, httpx.TransportError when it does not answer.
    """

    def __init__(self, base_url: str, key: str | None = None) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="picturelock-client", daemon=True)
        self._thread.start()
        self._client = self._run(_made(base_url, key))

    def __enter__(self) -> Self:
        """Nothing is opened before it is needed."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes what is open."""
        self.close()

    def close(self) -> None:
        """Closes the connections and ends the thread."""
        self._run(self._client.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def create(self, request: Mapping[str, object], key: str | None = None) -> str:
        """Starts an export; its id. With the same `key`, the same request gives the same job."""
        return self._run(self._client.create(request, key))

    def plan(self, request: Mapping[str, object]) -> Forecast:
        """What an export would be: found and missing things, length, size, time. Nothing is made."""
        return self._run(self._client.plan(request))

    def sheet(self, request: Mapping[str, object]) -> bytes:
        """A contact sheet of a request's scenes, before anything is made: a JPEG of 100 kB at the most."""
        return self._run(self._client.sheet(request))

    def create_batch(
        self, template: Mapping[str, object], rows: Sequence[Mapping[str, str | int | float]], key: str | None = None
    ) -> BatchStatus:
        """Starts a film for each row of values for the template's `{{fields}}`."""
        return self._run(self._client.create_batch(template, rows, key))

    def batch(self, batch_id: str) -> BatchStatus:
        """How a batch's films stand, now."""
        return self._run(self._client.batch(batch_id))

    def request_of(self, job_id: str) -> dict[str, Any]:
        """What a job was asked for, to be changed and sent again."""
        return self._run(self._client.request_of(job_id))

    def voices(self) -> list[dict[str, Any]]:
        """The voices of the installation."""
        return self._run(self._client.voices())

    def themes(self) -> list[dict[str, Any]]:
        """The themes of the installation."""
        return self._run(self._client.themes())

    def ended(self, job_id: str, seconds: float) -> JobStatus:
        """A job, as soon as it has ended, or after so many seconds."""
        return self._run(self._client.ended(job_id, seconds))

    def upload(self, path: Path) -> str:
        """Uploads a file; its asset id."""
        return self._run(self._client.upload(path))

    def status(self, job_id: str) -> JobStatus:
        """A job, now."""
        return self._run(self._client.status(job_id))

    def jobs(self, limit: int = 20, status: str | None = None) -> list[JobStatus]:
        """The newest jobs."""
        return self._run(self._client.jobs(limit, status))[0]

    def share(self, job_id: str, days: int = 7) -> str:
        """An address that shows the film to whoever has it, for so many days (1 to 90), and nothing else."""
        return self._run(self._client.share(job_id, days))

    def watch(self, job_id: str) -> Iterator[JobStatus]:
        """The job's states as they come, to its end."""
        states = self._client.watch(job_id)
        while (job := self._run(_next(states))) is not None:
            yield job

    def wait(self, job_id: str) -> JobStatus:
        """The job's last state, once it has ended."""
        return self._run(self._client.wait(job_id))

    def history(self, job_id: str) -> dict[str, Any]:
        """A job's attempts, timeline, warnings and deliveries, as `GET …/history` has them."""
        return self._run(self._client.history(job_id))

    def cancel(self, job_id: str) -> JobStatus:
        """Asks for the end of a job."""
        return self._run(self._client.cancel(job_id))

    def pause(self, job_id: str) -> JobStatus:
        """Asks that nothing new of a job begins."""
        return self._run(self._client.pause(job_id))

    def resume(self, job_id: str) -> JobStatus:
        """Lets a paused job go on."""
        return self._run(self._client.resume(job_id))

    def retry(self, job_id: str) -> JobStatus:
        """Begins a new attempt of a failed or cancelled job."""
        return self._run(self._client.retry(job_id))

    def delete(self, job_id: str) -> None:
        """Deletes a job that has ended, with all of its files."""
        self._run(self._client.delete(job_id))

    def download(self, path: str, target: Path) -> None:
        """Downloads a file (`output.path`, or an artifact's `path`), checks its SHA-256 and puts it in place."""
        self._run(self._client.download(path, target))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


async def _made(base_url: str, key: str | None) -> AsyncClient:
    return AsyncClient(base_url, key)


async def _next(states: AsyncIterator[JobStatus]) -> JobStatus | None:
    return await anext(states, None)
