"""The MCP server (`picturelock mcp`): tools with which an agent plans, looks at, makes and revises films.

async with AsyncClient("http://127.0.0.1:8080") as client:
await server(client).run_stdio_async()
"""

import functools
import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, Literal, ParamSpec, TypeVar

import httpx
from mcp.server.mcpserver import Image, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from picturelock import __version__
from picturelock.agents import answers
from picturelock.client.asynchronous import ApiError, AsyncClient
from picturelock.errors import PicturelockError
from picturelock.models import TERMINAL
from picturelock.script.markdown import parse_script

P = ParamSpec("P")
T = TypeVar("T")
INSTRUCTIONS: Final = (
    "Films from Markdown. `##` begins a scene; lists, tables, ```chart, ```code, > quotes, `{big}` numbers are drawn, "
    "and appear with their words. plan(script), look(script), create(script), then wait(job) until it has ended. "
    "revise(job, scene, text) makes the film again with one scene changed: only that scene is rendered."
)
_SHAPES: Final = {"16:9": "youtube-1080p", "9:16": "tiktok", "1:1": "facebook", "4:5": "instagram-feed"}
_LONGEST_WAIT: Final = 50
Script = Annotated[str, Field(description="Markdown.")]
Shape = Annotated[Literal["16:9", "9:16", "1:1", "4:5"], Field(description="Width to height.")]
Theme = Annotated[str, Field(description="One of themes(); empty: the default.")]
Voice = Annotated[str, Field(description="One of voices(), engine/voice; empty: by language.")]
Language = Annotated[str, Field(description="What is spoken, such as en or de; empty: as the script says.")]
Captions = Annotated[Literal["clean", "boxed", "karaoke", "pop", "none"], Field(description="How captions look.")]
Job = Annotated[str, Field(description="A job's id.")]


def _told(work: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """A tool whose refusals are words for the agent."""

    @functools.wraps(work)
    async def tool(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await work(*args, **kwargs)
        except (ApiError, PicturelockError, ValueError) as error:
            raise ToolError(str(error)) from error
        except httpx.TransportError as error:
            raise ToolError(f"the service does not answer: {error}") from error

    return tool


def request_of(script: str, shape: str, theme: str, voice: str, language: str, captions: str) -> dict[str, Any]:
    """The body of a request for a script and an agent's wishes; what is empty is left to the script."""
    engine, _, name = voice.rpartition("/")
    wishes: dict[str, Any] = {"video": {"preset": _SHAPES[shape]}}
    if theme:
        wishes["theme"] = theme
    if voice:
        wishes["voice"] = {"voice": name, **({"engine": engine} if engine else {})}
    if captions != "clean":
        wishes["captions"] = {"burnIn": False} if captions == "none" else {"style": captions}
    if language and not script.startswith("---\n"):
        script = f"---\nlanguage: {language}\n---\n{script}"
    return {"script": script, **wishes}


class Tools:
    """The tools over one service."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def plan(
        self, script: Script, shape: Shape = "16:9", theme: Theme = "", voice: Voice = "", language: Language = ""
    ) -> str:
        """What a film of this script would be: scenes, length, what is there already. Nothing is made."""
        return answers.of_plan(await self._client.plan(request_of(script, shape, theme, voice, language, "clean")))

    async def look(self, script: Script, shape: Shape = "16:9", theme: Theme = "") -> Image:
        """A numbered contact sheet of the script's scenes, before anything is made."""
        return Image(data=await self._client.sheet(request_of(script, shape, theme, "", "", "clean")), format="jpeg")

    async def create(
        self,
        script: Script,
        shape: Shape = "16:9",
        theme: Theme = "",
        voice: Voice = "",
        language: Language = "",
        captions: Captions = "clean",
    ) -> str:
        """Starts the film; the job's id. The same call again gives the same job."""
        return await self._start(request_of(script, shape, theme, voice, language, captions))

    async def wait(self, job: Job, seconds: Annotated[int, Field(ge=0, le=_LONGEST_WAIT)] = 30) -> str:
        """How a job stands, as soon as it has ended or after so many seconds."""
        return answers.of_job(await self._client.ended(job, seconds))

    async def revise(
        self,
        job: Job,
        scene: Annotated[int, Field(ge=1, description="Which scene, from 1.")],
        text: Annotated[str, Field(description="The whole new scene in Markdown, with its ## title.")],
    ) -> str:
        """Makes the film of a job again with one scene changed: a new job. What has not changed is found again."""
        asked = await self._client.request_of(job)
        scenes = (asked.get("script") or {}).get("scenes") or []
        if not 1 <= scene <= len(scenes):
            raise ToolError(f"the job's script has {len(scenes)} scenes")
        new = parse_script(text, str(asked["script"].get("language") or "en"), "").scenes
        if len(new) != 1:
            raise ToolError(f"the text has {len(new)} scenes: give the one that takes the place of scene {scene}")
        scenes[scene - 1] = new[0].model_dump(mode="json", exclude_unset=True)
        return await self._start({name: value for name, value in asked.items() if value is not None})

    async def why(self, job: Job) -> str:
        """Why a job has failed, and what to do about it."""
        return answers.why(await self._client.status(job))

    async def retry(self, job: Job) -> str:
        """Tries a failed or cancelled job again."""
        return answers.of_job(await self._client.retry(job))

    async def cancel(self, job: Job) -> str:
        """Ends a job."""
        return answers.of_job(await self._client.cancel(job))

    async def voices(self) -> str:
        """Voices by language."""
        return answers.of_voices(await self._client.voices())

    async def themes(self) -> str:
        """Themes."""
        return answers.of_themes(await self._client.themes())

    async def _start(self, request: dict[str, Any]) -> str:
        key = "mcp-" + hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
        job_id = await self._client.create(request, key)
        job = await self._client.status(job_id)
        return f"job {job_id}{' has ended' if job.status in TERMINAL else ''}. wait(job) tells how it stands."


def server(client: AsyncClient) -> MCPServer[Any]:
    """The server over one service's client."""
    made: MCPServer[Any] = MCPServer("picturelock", instructions=INSTRUCTIONS, version=__version__, log_level="WARNING")
    tools = Tools(client)
    for tool in (
        tools.plan, tools.look, tools.create, tools.wait, tools.revise, tools.why, tools.retry, tools.cancel,
        tools.voices, tools.themes,
    ):  # fmt: skip
        made.tool(structured_output=False)(_told(tool))
    return made
