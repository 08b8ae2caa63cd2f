"""The Temporal dev server of a stack: how it is started, and what its namespace keeps."""

from datetime import timedelta
from pathlib import Path
from typing import Final, NamedTuple

from google.protobuf.duration_pb2 import Duration
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, UpdateNamespaceRequest
from temporalio.client import Client

from picturelock.cli.ports import HOST
from picturelock.ffmpeg.tools import temporal_path

RETENTION: Final = timedelta(days=90)
_PRAGMAS: Final = ("journal_mode=wal", "synchronous=normal")
_DYNAMIC: Final = (
    "matching.useNewMatcher=true",
    "matching.enableFairness=true",
    "matching.numTaskqueueReadPartitions=1",
    "matching.numTaskqueueWritePartitions=1",
)
"""Has the server serve owners in turn (https://docs.temporal.io/develop/task-queue-priority-fairness).

Each partition of a queue has an order of its own; one serves thousands of tasks a second.
"""


class ServerPorts(NamedTuple):
    """Where the server listens; without a UI, on one port."""

    server: int
    ui: int | None


def server_command(ports: ServerPorts, data: Path) -> list[str]:
    """The command of a server with its database in a data folder. Raises ToolMissing."""
    ui = ["--ui-port", str(ports.ui)] if ports.ui is not None else ["--headless"]
    return [
        temporal_path(), "server", "start-dev", "--ip", HOST, "--port", str(ports.server), *ui,
        "--db-filename", str(data / "temporal.db"), "--log-level", "warn",
        *(word for pragma in _PRAGMAS for word in ("--sqlite-pragma", pragma)),
        *(word for value in _DYNAMIC for word in ("--dynamic-config-value", value)),
    ]  # fmt: skip


async def keep_closed_jobs(client: Client) -> None:
    """Raises the namespace's retention: the dev server forgets closed executions after a day."""
    service, name = client.workflow_service, client.namespace
    described = await service.describe_namespace(DescribeNamespaceRequest(namespace=name))
    wanted = Duration(seconds=int(RETENTION.total_seconds()))
    if described.config.workflow_execution_retention_ttl != wanted:
        config = NamespaceConfig(workflow_execution_retention_ttl=wanted)
        await service.update_namespace(UpdateNamespaceRequest(namespace=name, config=config))
