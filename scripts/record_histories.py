"""Records the histories that tests/replay replays, on a real server: every way an export can go.

    python -m scripts.record_histories

Run it when a change to the workflow is meant to break replay, and say so in the changelog; never to make a red test
green.
"""

import asyncio
import json
import os
import re
import tempfile
from base64 import b64encode
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from picturelock.errors import EncoderFailed, InvalidScript, RenderFailed
from picturelock.ffmpeg.tools import temporal_path
from picturelock.models import ExportRequest
from picturelock.temporal.contracts import ChosenEncoder
from picturelock.temporal.names import post_export_id
from tests.fake_activities import Studio, beat
from tests.workflows.conftest import REQUEST, Handle, start, studio_open
from workflows.export import ExportWorkflow

FOLDER = Path(__file__).parents[1] / "tests" / "replay" / "histories"


async def fail(_task: Any) -> None:
    raise InvalidScript("the segment says no")


async def fail_once(_task: Any) -> None:
    if activity.info().attempt == 1:
        raise RenderFailed("ffmpeg ended with signal SIGKILL")


async def fall_off(task: Any) -> None:
    if task.encoder:
        raise EncoderFailed("the card has fallen off the bus")


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


async def paused_in_render(handle: Handle) -> None:
    while (await handle.query(ExportWorkflow.status)).stage != "render":
        await asyncio.sleep(0.02)
    await handle.signal(ExportWorkflow.pause)
    while not (await handle.query(ExportWorkflow.status)).paused:
        await asyncio.sleep(0.02)
    await handle.signal(ExportWorkflow.resume)
    await ended(handle)


async def for_a_moment(_task: Any) -> None:
    for _ in range(10):
        activity.heartbeat(beat(0.5))
        await asyncio.sleep(0.1)


CASES: dict[str, tuple[Studio, Callable[[Handle], Awaitable[None]]]] = {
    "completed": (Studio(), ended),
    "completed-after-retry": (Studio(hooks={"render-001": fail_once}), ended),
    "retried": (Studio(), ended),
    "paused": (Studio(hooks={"render": for_a_moment}), paused_in_render),
    "failed": (Studio(hooks={"render-001": fail, "render-000": never}), ended),
    "cancelled": (Studio(hooks={"render": never, "sound": never}), cancelled_in_render),
    "fallen-back": (Studio(hardware=ChosenEncoder(encoder="h264_nvenc"), hooks={"render": fall_off}), ended),
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
            handle = await start(client, job_id=name, attempt=2 if name == "retried" else 1)
            await follow(handle)
        history = await handle.fetch_history()
        (FOLDER / f"{name}.json").write_text(json.dumps(anonymous(history.to_json_dict()), indent=1) + "\n")
        print(name, len(history.events), "events")


async def record_post_export(client: Client) -> None:
    """One whose webhook is refused: its address is private."""
    request = ExportRequest.model_validate({**REQUEST.model_dump(mode="json"), "webhook": {"url": "http://127.0.0.1/"}})
    async with studio_open(client, Studio()):
        handle = await start(client, request, job_id="told")
        await handle.result()
        after = client.get_workflow_handle(post_export_id("told", 1))
        await after.result()
    history = await after.fetch_history()
    (FOLDER / f"{after.id}.json").write_text(json.dumps(anonymous(history.to_json_dict()), indent=1) + "\n")


async def main() -> None:
    os.environ["PICTURELOCK_DATA_DIR"] = tempfile.mkdtemp()
    os.environ["PICTURELOCK_WEBHOOK_SECRET"] = b64encode(bytes(32)).decode()
    environment = await WorkflowEnvironment.start_local(
        dev_server_existing_path=temporal_path(),
        dev_server_log_level="never",
        data_converter=pydantic_data_converter,
    )
    async with environment:
        await record(environment.client)
        await record_post_export(environment.client)
    await asyncio.sleep(0.1)


if __name__ == "__main__":
    asyncio.run(main())
