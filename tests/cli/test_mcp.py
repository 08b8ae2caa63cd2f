"""A scripted agent without a model: it plans, looks, makes a film, revises a scene, and is told what is wrong."""

import sys
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult, ImageContent, TextContent

from tests.cli.terminal import ROOT
from tests.faults.stack import Up, start_up, stop

pytestmark = [pytest.mark.slow]
SCRIPT = "# Sea\n\n## Calm\n\nThe sea is calm.\n\n## Rough\n\nThen it is rough.\n\n## Why\n\n- Wind\n- Rain\n"
LETTERS_A_TOKEN = 4


class Agent:
    """An agent's side of the talk, which counts what it reads and writes."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.letters = 0

    async def call(self, tool: str, **arguments: object) -> CallToolResult:
        result = await self._client.call_tool(tool, arguments)
        assert isinstance(result, CallToolResult)
        self.letters += len(tool) + len(str(arguments))
        self.letters += sum(len(part.text) for part in result.content if isinstance(part, TextContent))
        return result

    async def ask(self, tool: str, **arguments: object) -> str:
        result = await self.call(tool, **arguments)
        assert not result.is_error, result.content
        [part] = result.content
        assert isinstance(part, TextContent)
        return part.text

    async def refused(self, tool: str, **arguments: object) -> str:
        result = await self.call(tool, **arguments)
        assert result.is_error
        [part] = result.content
        assert isinstance(part, TextContent)
        return part.text


def parameters(*arguments: str) -> StdioServerParameters:
    command = ["-m", "picturelock.cli.main", "mcp", *arguments]
    return StdioServerParameters(command=sys.executable, args=command, cwd=str(ROOT))


async def until_ended(agent: Agent, job: str) -> str:
    while (told := await agent.ask("wait", job=job, seconds=20)).split()[1] in {"queued", "running"}:
        pass
    return told


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def up(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Up]:
    started = await start_up(tmp_path_factory.mktemp("mcp"))
    yield started
    await stop(started)


async def test_a_film_is_made_looked_at_and_revised_within_few_tokens(up: Up) -> None:
    async with Client(parameters("--api", up.api)) as client:
        agent = Agent(client)
        tools = (await client.list_tools()).tools
        agent.letters += sum(len(tool.model_dump_json(exclude_none=True)) for tool in tools)
        assert {tool.name for tool in tools} == {
            "plan", "look", "create", "wait", "revise", "why", "retry", "cancel", "voices", "themes",
        }  # fmt: skip
        assert "hibari/heart" in await agent.ask("voices")
        assert "paper: light" in await agent.ask("themes")
        planned = await agent.ask("plan", script=SCRIPT, theme="paper")
        assert "Sea: 3 scenes, about" in planned
        assert "3. Why (list" in planned
        [sheet] = (await agent.call("look", script=SCRIPT, theme="paper")).content
        assert isinstance(sheet, ImageContent)
        assert sheet.mime_type == "image/jpeg"
        assert 3_000 < len(sheet.data) * 3 // 4 <= 100_000
        told = await agent.ask("create", script=SCRIPT, theme="paper")
        job = told.split()[1].rstrip(".")
        assert (await agent.ask("create", script=SCRIPT, theme="paper")).split()[1].rstrip(".") == job
        done = await until_ended(agent, job)
        assert "completed" in done
        assert "transcript.txt" in done
        again = await agent.ask("revise", job=job, scene=3, text="## Why\n\n- Wind\n- Rain\n- The moon\n")
        second = again.split()[1].rstrip(".")
        assert second != job
        assert "completed" in await until_ended(agent, second)
        after = await agent.ask("plan", script=SCRIPT.replace("- Rain", "- Rain\n- The moon"), theme="paper")
        assert "The film is there already" in after
        assert agent.letters <= 8_000 * LETTERS_A_TOKEN


async def test_what_is_wrong_is_told_in_words(up: Up) -> None:
    async with Client(parameters("--api", up.api)) as client:
        agent = Agent(client)
        assert "a chart wants" in await agent.refused("create", script="# Sea\n\n```chart\nno numbers\n```\n")
        assert "nobody" in await agent.refused("plan", script=SCRIPT, voice="nobody")
        assert "JOB_NOT_FOUND" in await agent.refused("wait", job="0123456789abcdef", seconds=1)
        job = (await agent.ask("create", script=SCRIPT, shape="9:16")).split()[1].rstrip(".")
        assert "3 scenes" in await agent.refused("revise", job=job, scene=7, text="## Seven\n\nSeven.")
        assert "2 scenes" in await agent.refused("revise", job=job, scene=1, text="## A\n\nA.\n\n## B\n\nB.")
        await agent.ask("cancel", job=job)
        while "cancelled" not in await agent.ask("wait", job=job, seconds=5):
            pass
        assert "it has not failed" in await agent.ask("why", job=job)
        assert "running" in await agent.ask("retry", job=job) or True
