"""Films, and the files that belong to them."""

import re
from typing import Annotated, Final

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import FileResponse, RedirectResponse

from api.context import Context, Shared
from api.problems import PROBLEM, Problem
from picturelock.errors import ArtifactLost
from picturelock.jobs.status import assemble
from picturelock.models import ExportResult, JobId, NamedArtifact

router = APIRouter(prefix="/api", tags=["files"])
_SIGNED_SECONDS: Final = 3_600
_SPAN: Final = re.compile(r"(\d{0,18})-(\d{0,18})(?<!^-)")


@router.head("/jobs/{job_id}/output", include_in_schema=False)
@router.get(
    "/jobs/{job_id}/output",
    response_class=Response,
    responses={
        200: {"content": {"video/mp4": {}, "video/webm": {}, "audio/mp4": {}}},
        206: {"content": {"video/mp4": {}, "video/webm": {}, "audio/mp4": {}}},
        302: {},
        304: {},
        404: PROBLEM,
        409: PROBLEM,
        410: PROBLEM,
        416: PROBLEM,
        422: PROBLEM,
        503: PROBLEM,
    },
)
async def download_output(
    request: Request, job_id: JobId, shared: Shared, if_none_match: Annotated[str | None, Header()] = None
) -> Response:
    """The finished film. Ranges are served; the ETag is the SHA-256 of the file."""
    result = await _result(job_id, shared)
    _check_range(request, result.film.size_bytes)
    return await _file(result.film, shared, if_none_match, attachment=False)


@router.head("/jobs/{job_id}/artifacts/{name}", include_in_schema=False)
@router.get(
    "/jobs/{job_id}/artifacts/{name}",
    response_class=Response,
    responses={
        200: {},
        206: {},
        302: {},
        304: {},
        404: PROBLEM,
        409: PROBLEM,
        410: PROBLEM,
        416: PROBLEM,
        422: PROBLEM,
        503: PROBLEM,
    },
)
async def download_artifact(
    request: Request, job_id: JobId, name: str, shared: Shared, if_none_match: Annotated[str | None, Header()] = None
) -> Response:
    """A file that belongs to the film: captions, poster, script, timeline, manifest."""
    result = await _result(job_id, shared)
    file = next((artifact for artifact in result.artifacts if artifact.name == name), None)
    if file is None:
        names = ", ".join(artifact.name for artifact in result.artifacts)
        raise Problem(404, "ARTIFACT_NOT_FOUND", f"this job has no {name!r}; it has {names}", jobId=job_id)
    _check_range(request, file.size_bytes)
    return await _file(file, shared, if_none_match, attachment=True)


async def _result(job_id: str, shared: Context) -> ExportResult:
    observation = await shared.jobs.observe(job_id)
    if observation.result is None:
        state = assemble(observation).status
        raise Problem(409, "NOT_COMPLETED", f"the job has no film: it is {state}", jobId=job_id, jobStatus=state)
    return observation.result


def _check_range(request: Request, size: int) -> None:
    """Takes a range that says nothing out of the request, as RFC 9110 allows; refuses one that lies beyond the end."""
    header = request.headers.get("range")
    if header is None:
        return
    parts = [part.strip() for part in header.partition("=")[2].split(",")]
    spans = [_SPAN.fullmatch(part) for part in parts] if header.startswith("bytes=") else [None]
    if any(span is None or (span[1] and span[2] and int(span[1]) > int(span[2])) for span in spans):
        request.scope["headers"] = [pair for pair in request.scope["headers"] if pair[0] != b"range"]
    elif all(span and ((span[1] and int(span[1]) >= size) or (not span[1] and int(span[2]) == 0)) for span in spans):
        headers = {"Content-Range": f"bytes */{size}"}
        raise Problem(416, "RANGE_NOT_SATISFIABLE", f"the file has {size} bytes", headers=headers)


async def _file(file: NamedArtifact, shared: Context, if_none_match: str | None, *, attachment: bool) -> Response:
    tag = f'"{file.sha256}"'
    headers = {"ETag": tag, "Cache-Control": "private, max-age=0, must-revalidate"}
    if if_none_match and tag in if_none_match:
        return Response(status_code=304, headers=headers)
    signed = await shared.store.sign(file, _SIGNED_SECONDS)
    if signed is not None:
        if not await shared.store.has(file):
            raise ArtifactLost(f"the store has lost {file.name!r}, or what it has is damaged")
        return RedirectResponse(signed, 302, {"Cache-Control": "no-store"})
    path = await shared.store.local(file)
    disposition = "attachment" if attachment else "inline"
    return FileResponse(path, 200, headers, file.media_type, filename=file.name, content_disposition_type=disposition)
