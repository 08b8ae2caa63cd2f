"""Workers of two versions side by side: an export ends with the version that it began with."""

import asyncio
import uuid

import pytest
from temporalio.api.workflowservice.v1 import SetWorkerDeploymentCurrentVersionRequest
from temporalio.client import Client
from temporalio.service import RPCError

import worker
from picturelock.settings import Settings
from picturelock.temporal.names import post_export_id
from picturelock.temporal.reader import JobReader
from tests.fake_activities import Studio
from tests.workflows.conftest import beating_until, start, studio_open, until

pytestmark = pytest.mark.usefixtures("no_leftovers")


async def make_current(client: Client, deployment: str, build: str) -> None:
    """As an operator does it; Temporal knows of a version as soon as its workers have asked for work."""
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace, deployment_name=deployment, build_id=build, identity="operator"
    )
    async with asyncio.timeout(30):
        while True:
            try:
                await client.workflow_service.set_worker_deployment_current_version(request)
            except RPCError:
                await asyncio.sleep(0.05)
            else:
                return


@pytest.mark.slow
async def test_an_export_ends_with_the_version_it_began_with(client: Client) -> None:
    name = f"picturelock-{uuid.uuid4().hex}"
    older, newer = [
        worker.deployment(Settings(worker_deployment=name, worker_build=build)) for build in ("older", "newer")
    ]
    stop = asyncio.Event()
    first, second = Studio(hooks={"render": beating_until(stop)}), Studio()
    other = await Client.connect(
        client.service_client.config.target_host,
        runtime=client.service_client.config.runtime,
        data_converter=client.data_converter,
    )
    reader = JobReader(client)
    async with studio_open(client, first, deployment=older):
        await make_current(client, name, "older")
        begun = await start(client)
        await until(reader, begun.id, lambda job: job.stage == "render")
        async with studio_open(other, second, deployment=newer):
            await make_current(client, name, "newer")
            later = await start(client)
            assert (await until(reader, later.id, lambda job: job.status == "completed")).worker_available is True
            stop.set()
            assert (await until(reader, begun.id, lambda job: job.status == "completed")).progress == 100
            assert "finalize" in first.ran
            assert len(first.ran) == len(second.ran) == 9
            for job in (begun, later):
                await client.get_workflow_handle(post_export_id(job.id, 1)).result()
    await forget(client, name)


async def forget(client: Client, deployment: str) -> None:
    """Other tests' workers have no version."""
    await client.workflow_service.set_worker_deployment_current_version(
        SetWorkerDeploymentCurrentVersionRequest(
            namespace=client.namespace, deployment_name=deployment, build_id="", identity="operator",
            ignore_missing_task_queues=True,
        )
    )  # fmt: skip


def test_without_a_build_nothing_is_versioned() -> None:
    assert worker.deployment(Settings()) is None
