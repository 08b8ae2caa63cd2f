"""The client for programs that await. An event stream that breaks is taken up again where it broke."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, Self

import httpx
from httpx_sse import EventSource
from httpx_sse import SSEError as StreamBroken

from picturelock.models import TERMINAL, JobStatus
from picturelock.models.batch import BatchStatus
from picturelock.models.forecast import Forecast

_TERMINAL_EVENTS: Final = {"job-completed", "job-failed", "job-cancelled"}
_PATIENCE_SECONDS: Final = 60.0
_SILENCE_SECONDS: Final = 15.0
_BINARY: Final = {"Content-Type": "application/octet-stream"}
_PIECE: Final = {"Content-Type": "application/offset+octet-stream"}
_PIECE_BYTES: Final = 8 * 1024**2


class ApiError(Exception):
    """The API refused, with its reasons in words."""


class ApiAway(ApiError):
    """The API answered that it cannot answer now."""


class _Patience:
    """Waits longer from try to try, for a minute in all."""

    def __init__(self) -> None:
        self._since = time.monotonic()
        self._tries = 0

    @property
    def exhausted(self) -> bool:
        return time.monotonic() - self._since > _PATIENCE_SECONDS

    async def wait(self) -> None:
        await asyncio.sleep(min(2.0, 0.2 * 2**self._tries))
        self._tries += 1


class AsyncClient:
    """One API.

    Args:
        base_url: where it answers.
        key: an API key, where keys are asked for.

    Every call raises ApiError when the API refuses, httpx.TransportError when it does not answer.

    Example:
        async with AsyncClient("http://127.0.0.1:8080") as client:
            job_id = await client.create({"script": "The sea rises."})
            async for job in client.watch(job_id):
                print(job.progress, job.message)
    """

    def __init__(self, base_url: str, key: str | None = None) -> None:
        self.base_url = base_url.rstrip("/")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.AsyncClient(base_url=self.base_url, timeout=httpx.Timeout(30, read=120), headers=headers)

    async def __aenter__(self) -> Self:
        """Opens the connection pool."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes the connection pool."""
        await self.close()

    async def close(self) -> None:
        """Closes the connection pool."""
        await self._http.aclose()

    async def create(self, request: Mapping[str, object], key: str | None = None) -> str:
        """Starts an export; its id. With the same `key`, the same request gives the same job."""
        headers = {"Idempotency-Key": key} if key else {}
        return str((await self._json("POST", "/api/jobs", json=dict(request), headers=headers))["jobId"])

    async def plan(self, request: Mapping[str, object]) -> Forecast:
        """What an export would be: found and missing things, length, size, time. Nothing is made."""
        return Forecast.model_validate(await self._json("POST", "/api/plan", json=dict(request)))

    async def create_batch(
        self, template: Mapping[str, object], rows: Sequence[Mapping[str, str | int | float]], key: str | None = None
    ) -> BatchStatus:
        """Starts a film for each row of values for the template's `{{fields}}`."""
        headers = {"Idempotency-Key": key} if key else {}
        body = {"template": dict(template), "rows": [dict(row) for row in rows]}
        return BatchStatus.model_validate(await self._json("POST", "/api/batches", json=body, headers=headers))

    async def batch(self, batch_id: str) -> BatchStatus:
        """How a batch's films stand, now."""
        return BatchStatus.model_validate(await self._json("GET", f"/api/batches/{batch_id}"))

    async def sheet(self, request: Mapping[str, object]) -> bytes:
        """A contact sheet of a request's scenes, before anything is made: a JPEG of 100 kB at the most."""
        response = await self._http.post("/api/sheet", json=dict(request))
        if response.is_error:
            raise _error(response)
        return response.content

    async def request_of(self, job_id: str) -> dict[str, Any]:
        """What a job was asked for, to be changed and sent again."""
        asked: dict[str, Any] = await self._json("GET", f"/api/jobs/{job_id}/request")
        return asked

    async def voices(self) -> list[dict[str, Any]]:
        """The voices of the installation."""
        listed: list[dict[str, Any]] = (await self._json("GET", "/api/voices"))["voices"]
        return listed

    async def themes(self) -> list[dict[str, Any]]:
        """The themes of the installation."""
        listed: list[dict[str, Any]] = (await self._json("GET", "/api/themes"))["themes"]
        return listed

    async def upload(self, path: Path) -> str:
        """Uploads a file; its asset id. A large one goes in pieces, and goes on where it broke."""
        size = path.stat().st_size
        if size <= _PIECE_BYTES:
            return str((await self._json("POST", "/api/assets", content=path.read_bytes(), headers=_BINARY))["assetId"])
        begun = await self._http.post("/api/uploads", headers={"Upload-Length": str(size)})
        if begun.is_error:
            raise _error(begun)
        place, patience, reached = begun.headers["location"], None, -1
        with path.open("rb") as file:
            while True:
                try:
                    state = await self._json("GET", place)
                    if state["asset"]:
                        return str(state["asset"]["assetId"])
                    if state["offset"] > reached:
                        patience, reached = None, state["offset"]
                    await self._send_piece(file, place, state["offset"])
                except (httpx.TransportError, ApiAway):
                    patience = patience or _Patience()  # the time counts from the first that went wrong
                    if patience.exhausted:
                        raise
                    await patience.wait()

    async def _send_piece(self, file: BinaryIO, place: str, offset: int) -> None:
        file.seek(offset)
        piece = await asyncio.to_thread(file.read, _PIECE_BYTES)
        if not piece:
            raise ApiError("the file has become shorter while it was sent")
        sent = await self._http.patch(place, content=piece, headers={**_PIECE, "Upload-Offset": str(offset)})
        if sent.status_code == httpx.codes.CONFLICT:
            raise ApiAway("another connection still sends the same piece")
        if sent.is_error:
            raise _error(sent)

    async def status(self, job_id: str) -> JobStatus:
        """A job, now."""
        return JobStatus.model_validate(await self._json("GET", f"/api/jobs/{job_id}"))

    async def jobs(self, limit: int, status: str | None) -> tuple[list[JobStatus], int]:
        """The newest jobs, and how many there are."""
        query: dict[str, str | int] = {"limit": limit, **({"status": status} if status else {})}
        page = await self._json("GET", "/api/jobs", params=query)
        return [JobStatus.model_validate(row) for row in page["jobs"]], int(page["total"])

    async def history(self, job_id: str) -> dict[str, Any]:
        """A job's attempts, timeline, warnings and deliveries, as `GET …/history` has them."""
        told: dict[str, Any] = await self._json("GET", f"/api/jobs/{job_id}/history")
        return told

    async def cancel(self, job_id: str) -> JobStatus:
        """Asks for the end of a job."""
        return JobStatus.model_validate(await self._json("POST", f"/api/jobs/{job_id}/cancel"))

    async def pause(self, job_id: str) -> JobStatus:
        """Asks that nothing new of a job begins."""
        return JobStatus.model_validate(await self._json("POST", f"/api/jobs/{job_id}/pause"))

    async def resume(self, job_id: str) -> JobStatus:
        """Lets a paused job go on."""
        return JobStatus.model_validate(await self._json("POST", f"/api/jobs/{job_id}/resume"))

    async def retry(self, job_id: str) -> JobStatus:
        """Begins a new attempt of a failed or cancelled job."""
        return JobStatus.model_validate(await self._json("POST", f"/api/jobs/{job_id}/retry"))

    async def delete(self, job_id: str) -> None:
        """Deletes a job that has ended."""
        response = await self._http.delete(f"/api/jobs/{job_id}")
        if response.is_error:
            raise _error(response)

    async def share(self, job_id: str, days: int = 7) -> str:
        """An address that shows the film to whoever has it, for so many days (1 to 90), and nothing else."""
        made = await self._json("POST", f"/api/jobs/{job_id}/shares", json={"days": days})
        return self.base_url + str(made["url"])

    async def watch(self, job_id: str) -> AsyncIterator[JobStatus]:
        """The job's states as they come, to its end. A broken stream is taken up again where it broke."""
        last: str | None = None
        patience = _Patience()
        while True:
            try:
                async for name, event_id, data in self._events(job_id, last):
                    last = event_id or last
                    patience = _Patience()
                    if name == "job-progress" or name in _TERMINAL_EVENTS:
                        yield JobStatus.model_validate_json(data)
                    if name in _TERMINAL_EVENTS:
                        return
                job = await self.status(job_id)
            except (httpx.TransportError, StreamBroken, ApiAway) as error:
                if patience.exhausted:
                    raise ApiError(f"the API has been away for {_PATIENCE_SECONDS:.0f} s; the job goes on") from error
            else:
                if job.status in TERMINAL:
                    yield job
                    return
            await patience.wait()

    async def wait(self, job_id: str) -> JobStatus:
        """The job's last state, once it has ended."""
        last: JobStatus | None = None
        async for job in self.watch(job_id):
            last = job
        return last or await self.status(job_id)

    async def ended(self, job_id: str, seconds: float) -> JobStatus:
        """A job, as soon as it has ended, or after so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                return await self.wait(job_id)
        except TimeoutError:
            return await self.status(job_id)

    async def _events(self, job_id: str, last: str | None) -> AsyncIterator[tuple[str, str, str]]:
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last} if last else {})}
        timeout = httpx.Timeout(10, read=_SILENCE_SECONDS)
        async with self._http.stream("GET", f"/api/jobs/{job_id}/events", headers=headers, timeout=timeout) as response:
            if response.status_code == httpx.codes.NO_CONTENT:
                return
            if response.is_error:
                await response.aread()
                raise _error(response)
            async for event in EventSource(response).aiter_sse():
                yield event.event, event.id, event.data

    async def download(self, path: str, target: Path) -> None:
        """Downloads a film beside its target, checks its SHA-256 and puts it in place."""
        part = target.with_name(f".{target.name}.part")
        digest = hashlib.sha256()
        try:
            async with self._http.stream("GET", path, follow_redirects=True) as response:
                if response.is_error:
                    await response.aread()
                    raise _error(response)
                with part.open("wb") as file:
                    async for chunk in response.aiter_bytes(1 << 20):
                        digest.update(chunk)
                        file.write(chunk)
            expected = response.headers.get("etag", "").strip('"')
            if len(expected) == 64 and digest.hexdigest() != expected:
                raise ApiError("the film was damaged on the way")
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)

    async def _json(self, method: str, path: str, **options: Any) -> Any:  # noqa: ANN401 - JSON
        response = await self._http.request(method, path, **options)
        if response.is_error:
            raise _error(response)
        try:
            return response.json()
        except ValueError as error:
            raise ApiError(f"{self.base_url} is no Picturelock API") from error


def _error(response: httpx.Response) -> ApiError:
    if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        return ApiAway("the API cannot answer now: Temporal or the store is away")
    if response.status_code in {httpx.codes.BAD_GATEWAY, httpx.codes.GATEWAY_TIMEOUT}:
        return ApiAway(f"something answered {response.status_code} for the API")
    try:
        problem = response.json()
        lines = [f"{error['path']}: {error['message']}" for error in problem.get("errors") or []] or [problem["detail"]]
        return ApiError(f"{problem['code']}: " + "\n".join(lines))
    except (ValueError, KeyError, TypeError):
        return ApiError(f"the API answered {response.status_code}")
