"""What Temporal keeps is unreadable without the keys, and everything works with them."""

import asyncio
import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.testing import WorkflowEnvironment

from picturelock.temporal.connection import connect
from picturelock.temporal.payload_codec import EncryptionCodec, PayloadUnreadable, parse_keys
from tests.api.conftest import installed
from tests.fake_activities import Studio
from tests.workflows.conftest import studio_open

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_leftovers")]
KEY, OTHER = bytes(range(32)), bytes(32)
PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=b'"a private word"')


async def test_a_payload_comes_back_and_says_nothing_meanwhile() -> None:
    codec = EncryptionCodec({"new": KEY})
    [one], [other] = await codec.encode([PLAIN]), await codec.encode([PLAIN])
    assert b"private" not in one.SerializeToString()
    assert b"json" not in one.SerializeToString()
    assert one.data != other.data
    assert await codec.decode([one, PLAIN]) == [PLAIN, PLAIN], "what was written before there were keys is read"


async def test_keys_are_changed_one_after_the_other() -> None:
    [old] = await EncryptionCodec({"old": OTHER}).encode([PLAIN])
    both = EncryptionCodec({"new": KEY, "old": OTHER})
    assert await both.decode([old]) == [PLAIN]
    [fresh] = await both.encode([PLAIN])
    assert await EncryptionCodec({"new": KEY}).decode([fresh]) == [PLAIN]
    with pytest.raises(PayloadUnreadable):
        await EncryptionCodec({"new": KEY}).decode([old])


CHANGES = [lambda data: data[:-1] + bytes([data[-1] ^ 1]), lambda _: b"", lambda data: data[12:]]


@pytest.mark.parametrize("change", CHANGES)
async def test_what_was_tampered_with_is_refused(change: Callable[[bytes], bytes]) -> None:
    codec = EncryptionCodec({"new": KEY})
    [one] = await codec.encode([PLAIN])
    one.data = change(one.data)
    with pytest.raises(PayloadUnreadable):
        await codec.decode([one])


@pytest.mark.parametrize("text", ["new", "new:", "new:AAAA", f":{base64.b64encode(KEY).decode()}", "new:§"])
def test_a_key_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="name:base64"):
        parse_keys(text)


async def test_a_film_is_made_and_temporal_cannot_read_its_words(
    temporal: WorkflowEnvironment, tmp_path: Path, fresh_settings: Callable[..., None]
) -> None:
    fresh_settings(PICTURELOCK_PAYLOAD_KEYS=f"new:{base64.b64encode(KEY).decode()}")
    address = {"TEMPORAL_ADDRESS": temporal.client.service_client.config.target_host}
    words: dict[str, Any] = {
        "script": {"title": "Unspeakable", "scenes": [{"narration": "Something confidential."}]},
        "metadata": {"project": "classified"},
    }
    encrypted = await connect(environment=address)
    async with installed(temporal, tmp_path) as installation, studio_open(encrypted, Studio()):
        async with await installation.client("secretive") as client:
            job_id = (await client.post("/api/jobs", json=words)).json()["jobId"]
            async with asyncio.timeout(30):
                while (job := (await client.get(f"/api/jobs/{job_id}")).json())["status"] != "completed":
                    await asyncio.sleep(0.1)
            assert job["metadata"] == {"project": "classified"}
            assert job_id in {one["id"] for one in (await client.get("/api/jobs?status=completed")).json()["jobs"]}
            handle = temporal.client.get_workflow_handle(job_id)
            kept = (await handle.fetch_history()).to_json() + str((await handle.describe()).raw_description)
            for word in ("Unspeakable", "confidential", "classified"):
                assert word not in kept
                assert base64.b64encode(word.encode()).decode()[:8] not in kept
            events = json.loads((await handle.fetch_history()).to_json())["events"]
            payloads = events[0]["workflowExecutionStartedEventAttributes"]["input"]
            decoded = await client.post("/api/codec/decode", json=payloads)
            assert "confidential" in base64.b64decode(decoded.json()["payloads"][0]["data"]).decode()
            damaged = json.loads(json.dumps(payloads).replace('"data": "', '"data": "AAAA'))
            for wrong in ({"nothing": 1}, damaged):
                assert (await client.post("/api/codec/decode", json=wrong)).status_code == 422
        async with await installation.client("secretive", "read", "create") as lesser:
            assert (await lesser.post("/api/codec/decode", json=payloads)).status_code == 403
