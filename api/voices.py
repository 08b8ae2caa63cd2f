"""The voices of this installation, and how each of them sounds."""

import asyncio
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Header, Path, Response
from fastapi.responses import RedirectResponse
from temporalio.client import WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy

from api.context import Context, Shared
from api.problems import PROBLEM, RETRY_AFTER_SECONDS, Problem
from picturelock.errors import VoiceUnavailable
from picturelock.jobs.stages import EXPORTS_QUEUE
from picturelock.models import Model, Voice
from picturelock.speech.catalog import VoiceInfo
from picturelock.speech.engine import installed_voices
from picturelock.speech.spoken_samples import find_sample
from picturelock.temporal.contracts import SpokenSample
from picturelock.temporal.errors import translated
from picturelock.temporal.failure_codec import details_of
from picturelock.temporal.names import VOICE_SAMPLE_WORKFLOW, voice_sample_id

router = APIRouter(prefix="/api/voices", tags=["catalog"])
_START_SECONDS: Final = 5.0
_SPEAK_SECONDS: Final = 10.0
"""Who asks again meanwhile waits for the same workflow."""

_SIGNED_SECONDS: Final = 3_600
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


class OfferedVoice(VoiceInfo):
    """A voice, and where it can be heard."""

    sample: str


class VoiceList(Model):
    """The voices of this installation."""

    voices: list[OfferedVoice]


@router.get("")
async def list_voices(shared: Shared) -> VoiceList:
    """Voices that need no download and no further configuration."""
    offered = [
        OfferedVoice(**voice.model_dump(by_alias=False), sample=f"/api/voices/{voice.engine}/{voice.voice}/sample")
        for voice in installed_voices(shared.settings)
    ]
    return VoiceList(voices=offered)


@router.get(
    "/{engine}/{voice}/sample",
    response_class=Response,
    responses={
        200: {"content": {"audio/wav": {}}},
        302: {},
        304: {},
        404: PROBLEM,
        422: PROBLEM,
        500: PROBLEM,
        503: PROBLEM,
    },
)
async def voice_sample(
    engine: Name, voice: Name, shared: Shared, if_none_match: Annotated[str | None, Header()] = None
) -> Response:
    """A sentence in the voice's language. A worker speaks it when somebody asks for the first time."""
    if not any((one.engine, one.voice) == (engine, voice) for one in installed_voices(shared.settings)):
        raise Problem(404, "VOICE_UNAVAILABLE", f"there is no voice {engine}/{voice}; GET /api/voices lists them")
    wanted = Voice(engine=engine, voice=voice)
    audio = await find_sample(wanted, shared.store) or (await _spoken(wanted, shared)).audio
    headers = {"ETag": f'"{audio.sha256}"', "Cache-Control": "max-age=86400"}
    if if_none_match and headers["ETag"] in if_none_match:
        return Response(status_code=304, headers=headers)
    signed = await shared.store.sign(audio, _SIGNED_SECONDS)
    if signed is not None:
        return RedirectResponse(signed, 302, {"Cache-Control": "no-store"})
    return Response(await shared.store.read(audio), 200, headers, audio.media_type)


async def _spoken(voice: Voice, shared: Context) -> SpokenSample:
    async with translated(_START_SECONDS):
        live_workers = await shared.services.reader.workers.read()
        if live_workers is not None and EXPORTS_QUEUE not in live_workers.live:
            raise _not_spoken("no worker is there to speak it")
        handle = await shared.client.start_workflow(
            VOICE_SAMPLE_WORKFLOW,
            voice,
            id=voice_sample_id(voice.engine, voice.voice),
            task_queue=EXPORTS_QUEUE,
            result_type=SpokenSample,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            execution_timeout=timedelta(seconds=6 * _SPEAK_SECONDS),
        )
    speaking = asyncio.ensure_future(handle.result())
    try:
        async with translated(_SPEAK_SECONDS + _START_SECONDS):
            await asyncio.wait({speaking}, timeout=_SPEAK_SECONDS)
            if not speaking.done():
                raise _not_spoken("no worker has spoken it yet")
            sample: SpokenSample = speaking.result()
    except WorkflowFailureError as error:
        raise _problem(error) from error
    finally:
        speaking.cancel()
    return sample


def _problem(failure: WorkflowFailureError) -> Problem:
    error = details_of(failure.cause).error
    if error is None:
        return _not_spoken(str(failure.cause))
    status = 404 if error.code == VoiceUnavailable.code else 503 if error.retryable else 500
    return Problem(status, error.code, error.message, remediation=error.remediation)


def _not_spoken(reason: str) -> Problem:
    return Problem(503, "NOT_READY", f"the sample: {reason}", headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
