"""The voices of this installation, and how each of them sounds."""

from typing import Annotated, Final

from fastapi import APIRouter, Header, Path, Response
from fastapi.responses import RedirectResponse
from pydantic import Field

from api.context import Context, Shared
from api.problems import PROBLEM, Problem
from api.short_work import ShortWork, done_by_worker
from picturelock.errors import VoiceUnavailable
from picturelock.models import Model, Voice
from picturelock.speech.catalog import VoiceInfo
from picturelock.speech.engine import installed_voices
from picturelock.speech.spoken_samples import find_sample
from picturelock.temporal.contracts import SpokenSample
from picturelock.temporal.names import VOICE_SAMPLE_WORKFLOW, voice_sample_id

router = APIRouter(prefix="/api/voices", tags=["catalog"])
_SIGNED_SECONDS: Final = 3_600
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


class OfferedVoice(VoiceInfo):
    """A voice, and where it can be heard."""

    sample: str = Field(description="URL path of a sentence that it speaks.")


class VoiceList(Model):
    """The voices of this installation."""

    voices: list[OfferedVoice] = Field(description="All of them.")


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
    name, gone = voice_sample_id(voice.engine, voice.voice), {VoiceUnavailable.code: 404}
    work = ShortWork(VOICE_SAMPLE_WORKFLOW, voice, name, "the sample", statuses=gone)
    return await done_by_worker(work, SpokenSample, shared)
