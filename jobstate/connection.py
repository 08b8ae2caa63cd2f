"""The one way to connect to Temporal: address and credentials by Temporal's own rules, models by pydantic."""

from collections.abc import Mapping
from typing import Any

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig
from temporalio.runtime import Runtime
from temporalio.service import RetryConfig

QUICK = RetryConfig(max_retries=2, max_elapsed_time_millis=1_000)
"""For a process that answers people: it says that Temporal is away instead of hoping."""


async def connect(
    *,
    identity: str | None = None,
    runtime: Runtime | None = None,
    retry_config: RetryConfig | None = None,
    lazy: bool = False,
    environment: Mapping[str, str] | None = None,
) -> Client:
    """A client for the server that `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE` and the rest name (default: local)."""
    config: dict[str, Any] = dict(ClientConfig.load_client_connect_config(override_env_vars=environment))
    config.setdefault("target_host", "localhost:7233")
    if identity is not None:
        config["identity"] = identity
    return await Client.connect(
        **config,
        data_converter=pydantic_data_converter,
        runtime=runtime,
        retry_config=retry_config,
        lazy=lazy,
    )
