"""Records the histories that tests/replay replays: completed, failed and cancelled exports on a real server.

    python -m scripts.record_histories

Run it when a change to the workflow is meant to break replay, and say so in the changelog; never to make a red test
green.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from picturelock.errors import InvalidScript, RenderFailed
from picturelock.media.tools import temporal_path
from tests.fake_activities import Studio, beat
from tests.workflows.conftest import Handle, start, studio_open
from workflows.export import ExportWorkflow

FOLDER = Path(__file__).parents[1] / "tests" / "replay" / "histories"


async def fail(_task: Any) -> None:
    raise InvalidScript("the segment says no")


async def fail_once(_task: Any) -> None:
    if activity.info().attempt == 1:
        raise RenderFailed("ffmpeg ended with signal SIGKILL")


async def never(_task: Any) -> None:
    while True:
        activity.heartbeat(beat(0.5))
        await asyncio.sleep(0.05)


async def ended(handle: Handle) -> None:
    try:
        await handle.result()
    except WorkflowFailureError:
        return


async def cancelled_in_render(handle: Handle) -> None:
    while (await handle.query(ExportWorkflow.status)).stage != "render":
        await asyncio.sleep(0.02)
    await handle.cancel()
    await ended(handle)


CASES: dict[str, tuple[Studio, Callable[[Handle], Awaitable[None]]]] = {
    "completed": (Studio(), ended),
    "completed-after-retry": (Studio(hooks={"render-001": fail_once}), ended),
    "failed": (Studio(hooks={"render-001": fail, "render-000": never}), ended),
    "cancelled": (Studio(hooks={"render": never, "sound": never}), cancelled_in_render),
}


def anonymous(value: Any) -> Any:
    """The history without the names and paths of the machine it was recorded on."""
    if isinstance(value, list):
        return [anonymous(one) for one in value]
    if isinstance(value, str):
        return re.sub(r"\d+@[\w.-]+", "recorder", value)
    if not isinstance(value, dict):
        return value
    fixed = {"stackTrace": ""}
    return {key: fixed[key] if key in fixed else anonymous(one) for key, one in value.items()}


async def record(client: Client) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, (studio, follow) in CASES.items():
        async with studio_open(client, studio):
            handle = await start(client)
            await follow(handle)
        history = await handle.fetch_history()
        (FOLDER / f"{name}.json").write_text(json.dumps(anonymous(history.to_json_dict()), indent=1) + "\n")
        print(name, len(history.events), "events")


async def main() -> None:
    environment = await WorkflowEnvironment.start_local(
        dev_server_existing_path=temporal_path(),
        dev_server_log_level="never",
        data_converter=pydantic_data_converter,
    )
    async with environment:
        await record(environment.client)
    await asyncio.sleep(0.1)


if __name__ == "__main__":
    asyncio.run(main())
