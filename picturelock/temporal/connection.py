"""The one way to connect to Temporal: address and credentials by Temporal's own rules, models by pydantic."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

import structlog
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes
from temporalio.envconfig import ClientConfig
from temporalio.runtime import Runtime
from temporalio.service import RetryConfig, RPCError

from picturelock.settings import settings

Result = TypeVar("Result")
log = structlog.get_logger()
_AGAIN_SECONDS: Final = 1.0
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
    config = _configured(environment)
    if identity is not None:
        config["identity"] = identity
    return await Client.connect(
        **config,
        data_converter=_converter(),
        runtime=runtime,
        retry_config=retry_config,
        lazy=lazy,
    )


def _converter() -> DataConverter:
    """Models by pydantic; encrypted, with the messages of failures, where there are keys."""
    keys = settings().payload_keys
    if keys is None or not keys.get_secret_value().strip():
        return pydantic_data_converter
    from picturelock.temporal.payload_codec import EncryptionCodec, parse_keys  # noqa: PLC0415 - seldom needed

    return replace(
        pydantic_data_converter,
        payload_codec=EncryptionCodec(parse_keys(keys.get_secret_value())),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


async def when_there(attempt: Callable[[], Awaitable[Result]]) -> Result:
    """What an attempt to reach the server returns. While it fails, a line says what is waited for, and why."""
    waiting = False
    while True:
        try:
            reached = await attempt()
        except (RPCError, RuntimeError) as error:
            if not waiting:
                log.warning("waiting for Temporal", address=address(), reason=str(error))
            waiting = True
            await asyncio.sleep(_AGAIN_SECONDS)
        else:
            if waiting:
                log.info("Temporal is there", address=address())
            return reached


def address() -> str:
    """Where the server is looked for."""
    return str(_configured(None)["target_host"])


def _configured(environment: Mapping[str, str] | None) -> dict[str, Any]:
    config: dict[str, Any] = dict(ClientConfig.load_client_connect_config(override_env_vars=environment))
    config.setdefault("target_host", "localhost:7233")
    return config
