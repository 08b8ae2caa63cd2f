"""The workflow of today replays the histories of yesterday: a change that would break running exports fails here."""

import base64
import json
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from workflows.export import ExportWorkflow
from workflows.post_export import PostExportWorkflow

HISTORIES = sorted((Path(__file__).parent / "histories").rglob("*.json"))
"""Those in folders are of earlier shapes of the workflow, which open executions may still have."""


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: f"{path.parent.name}-{path.stem}")
async def test_a_recorded_export_replays(path: Path) -> None:
    history = WorkflowHistory.from_json(path.stem, path.read_text())
    replayer = Replayer(workflows=[ExportWorkflow, PostExportWorkflow], data_converter=pydantic_data_converter)
    await replayer.replay_workflow(history)


async def test_a_history_that_does_not_fit_is_refused() -> None:
    """The gate can fail: an export in which composition ran before the speech is none of ours."""
    text = next(path for path in HISTORIES if path.stem == "completed").read_text()
    swapped = (
        text.replace('"speak_scene"', '"@"').replace('"compose_film"', '"speak_scene"').replace('"@"', '"compose_film"')
    )
    history = WorkflowHistory.from_json("completed", swapped)
    replayer = Replayer(workflows=[ExportWorkflow], data_converter=pydantic_data_converter)
    with pytest.raises(Exception, match=r"(?i)determinism"):
        await replayer.replay_workflow(history)


def test_every_way_an_export_ends_is_recorded() -> None:
    ways = {
        "completed",
        "completed-after-retry",
        "retried",
        "paused",
        "failed",
        "cancelled",
        "fallen-back",
        "told.post-export.1",
    }
    assert {path.stem for path in HISTORIES} >= ways


@pytest.mark.parametrize("name", ["completed", "fallen-back"])
def test_the_memo_of_a_step_that_begins_names_its_work(name: str) -> None:
    """With every worker dead the memo is all there is: what it does not name would count as not begun."""
    events = json.loads((Path(__file__).parent / "histories" / f"{name}.json").read_text())["events"]
    upserts = [one["workflowPropertiesModifiedEventAttributes"] for one in events if "PROPERTIES" in one["eventType"]]
    fields = [one["upsertedMemo"]["fields"].get("snapshot") for one in upserts]
    memos = [json.loads(base64.b64decode(one["data"])) for one in fields if one]
    first = {memo["stage"]: memo["openUnits"].get(memo["stage"], {}) for memo in reversed(memos)}
    assert set(first["tts"]) == {"tts-00", "tts-01"}
    assert set(first["finalize"]) == {"finalize"}
    assert len([one for one in first["render"] if one.startswith("render-")]) == (0 if name == "fallen-back" else 3)
    assert any(len(ids) > 2 for memo in memos for ids in memo["openUnits"].values())
